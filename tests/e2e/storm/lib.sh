# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# A storm: a process in the gated cgroup $CG that tries a thousand times a second to get out, for as long
# as the agent is killed, changed, attacked. What arrives at the server counts. On top of ../agent/lib.sh:
#
#	storm_begin
#	...
#	storm_end
#
# And agents that are killed: begin_agent, kill_agent.

# shellcheck source=../agent/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../agent/lib.sh"

EVIL4=203.0.113.66 # in no profile
WATCHED=$SCRATCH/watched
FLOOD=$(dirname "$KVGATE")/tests/e2e/attacks/flood
STORM=

PROGRAMS=$(dirname "$KVGATE")/programs/kvgate # with other programs
LAYOUT=$(dirname "$KVGATE")/layout/kvgate     # with another layout of the maps

need_others() {
	[[ -x $PROGRAMS && -x $LAYOUT ]] || skip "no $PROGRAMS, no $LAYOUT: run make others first"
}

need_storm() { [[ -x $FLOOD ]] || skip "no $FLOOD: run make attacks first"; }

# storm_begin [SECONDS]: at most that long
storm_begin() {
	spawn_in "$SERVER" "$E2E/attacks/watch" "$WATCHED" 203.0.113.0
	wait_for 5 grep -qs '^ready' "$WATCHED" || fail "the watch did not start"
	# Without a gate it does get out.
	client "$FLOOD" 1 100 443 "$EVIL4" >/dev/null
	wait_for 5 came_out || fail "the watch does not see the storm"
	: >"$WATCHED"
	spawn_inside "$CLIENT" "$CG" "$FLOOD" "${1:-90}" 1000 443 "$EVIL4"
	STORM=$REPLY
}

came_out() { grep -Fq " $EVIL4 " "$WATCHED"; }

# storm_holds: still blowing, and nothing has come out
storm_holds() {
	! process_gone "$STORM" || fail "the storm is over"
	! came_out || fail "got out: $(grep -F " $EVIL4 " "$WATCHED" | sed 5q)"
}

storm_end() {
	storm_holds
	end_process "$STORM" || true
	sleep 0.2
	! came_out || fail "got out: $(grep -F " $EVIL4 " "$WATCHED" | sed 5q)"
}

# begin_agent [PROGRAM]: does not wait; AGENT is its pid. Another program than $KVGATE if said.
begin_agent() {
	local OPTIONS program=${1:-$KVGATE}
	agent_options
	: >"$NOTIFIED"
	# shellcheck disable=SC2016
	NOTIFY_SOCKET=$SCRATCH/notify bash -c 'echo 0 >"$1/cgroup.procs"; shift; exec "$@"' \
		begin_agent "$AGENT_CG" "$program" agent "${OPTIONS[@]}" 2>>"$LOG" &
	AGENT=$!
}

# kill_agent: at once
kill_agent() {
	[[ -n $AGENT ]] || return 0
	kill -KILL "$AGENT" 2>/dev/null || true
	wait "$AGENT" 2>/dev/null || true
	AGENT=
}
on_exit kill_agent

# await_agent: until it is ready
await_agent() {
	wait_for 20 ready_or_gone || fail "the agent is not ready: $(<"$LOG")"
	told READY=1 || fail "the agent has ended: $(<"$LOG")"
}

# healthy: whatever was found broken is mended
healthy() { kvgate status --json >"$SCRATCH/status" 2>&1; }

# sets: their names, one a line
sets() { find "$SCRATCH/bpf" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort; }
only_set() { [[ $(sets) == "$1" ]]; }
