#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent's wall clock jumps forwards and backwards by years: gates and policies stay as they are, new cgroups
# are gated as fast as before, self-checks and reloads go on, and an agent that starts in the wrong year holds the
# same.
. "$(dirname "$0")/lib.sh"
need_agent
LIBRARY=$(dirname "$KVGATE")/tests/e2e/agent/clock.so
[[ -e $LIBRARY ]] || skip "no $LIBRARY: run make attacks first"
new_network
serve tcp/443
configure < <(profile one 203.0.113.1 "/$SANDBOX-app*")
new_cgroup app && CG=$REPLY
CLOCK=$SCRATCH/clock # by how many seconds it is wrong

start_in_other_time() {
	LD_PRELOAD=$LIBRARY KVGATE_TEST_CLOCK=$CLOCK start_agent
	grep -q "$LIBRARY" "/proc/$AGENT/maps" || fail "its clock is the machine's"
}

# jump DAYS
jump() {
	echo "$(($1 * 86400))" >"$CLOCK.new"
	mv "$CLOCK.new" "$CLOCK"
}

number=0
holds_on() {
	reached tcp 203.0.113.1 443
	refused tcp 203.0.113.2 443
	same "generation" 1 "$(generation "$CG")"
	((++number))
	new_cgroup "app-$number"
	wait_for 2 is_gated "$REPLY" one || fail "not gated in time: $(<"$LOG")"
	holds "$(ask ping)" '"result":"ok"'
}

jump 0
start_in_other_time
holds_on
for days in 400 -400 3650 -3650 0; do
	jump "$days"
	holds_on
done

# Who waits for a gate waits as long as was said.
new_cgroup other && OTHER=$REPLY
jump 0
# shellcheck disable=SC2016
spawn env LD_PRELOAD="$LIBRARY" KVGATE_TEST_CLOCK="$CLOCK" bash -c '
	"$0" status --bpffs-dir "$1/bpf" --state-dir "$1/state" --run-dir "$1/run" --wait 4 "$2" >"$1/waited" 2>&1
	echo "$?" >>"$1/waited"' "$KVGATE" "$SCRATCH" "$OTHER"
sleep 1
jump 400
sleep 1
[[ ! -s $SCRATCH/waited ]] || fail "it did not wait: $(<"$SCRATCH/waited")"
jump -400
wait_for 5 test -s "$SCRATCH/waited" || fail "it waits too long"
jump 0

# Somebody detaches a program meanwhile: self-checks do not wait for the clock to come back.
jump -20
rm "$SCRATCH/bpf/agent/links/$(stat -c %i "$CG")/connect4"
wait_for 12 test -e "$SCRATCH/bpf/agent/links/$(stat -c %i "$CG")/connect4" || fail "not mended: $(<"$LOG")"

for days in 3650 -3650; do
	end_agent KILL
	jump "$days"
	start_in_other_time
	holds_on
	configure < <(profile one 203.0.113.1 "/$SANDBOX-app*" "# $days")
	holds "$(ask reload)" '"result":"ok"'
	holds_on
done
stop_agent
