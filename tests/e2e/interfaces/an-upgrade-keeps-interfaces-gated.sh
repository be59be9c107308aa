#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Interfaces that are gated beside a cgroup of the agent's: whichever kvgate takes over, with other programs,
# with another layout of its maps or the first one again, they stay gated without a gap, the same link or
# filter holds the programs where only these are others, connections that others opened go on, and nothing
# of the old one is left. Of a packet socket that is older than the gate no frame gets out meanwhile, a
# hundred a second.
. "$(dirname "$0")/lib.sh"
# shellcheck source=../storm/lib.sh
. "$(dirname "$0")/../storm/lib.sh"
need_program bpftool
need_program jq
need_program strace
container tcp/443
need_agent
need_others

# From the host's network namespace, where the interface is.
for each in KVGATE PROGRAMS LAYOUT; do
	printf '#!/bin/sh\nexec nsenter --net=%s -- %s "$@"\n' "/run/netns/$HOST" "${!each}" >"$SCRATCH/$each"
	chmod +x "$SCRATCH/$each"
done
kvgate_of() {
	"$SCRATCH/$1" "$2" --bpffs-dir "$SCRATCH/bpf" --run-dir "$SCRATCH/run" "${@:3}"
}

cat >"$SCRATCH/frames.py" <<'PYTHON'
import os, socket, sys, time
from attacker import *
frame = b"\xff" * 6 + b"\2\0\0\0\0\7\x08\x00" + ip4("203.0.113.66", 17, udp_body("203.0.113.66", 9000, b"frame"))
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
sock.bind(("eth0", 0))
print("open", flush=True)
while True:
    try:
        sock.send(frame)
    except OSError:
        pass
    time.sleep(0.01)
PYTHON
spawn_inside "$CLIENT" "$CG" env EVIL4="$EVIL4" EVIL6=2001:db8:bad::66 ROUND=run0 python3 "$SCRATCH/frames.py"
FRAMES=$REPLY
got_out() { grep -Fq " 203.0.113.66 " "$WATCHED"; }
wait_for 5 got_out || fail "the watch does not see the frames"

configure < <(profile one "$GOOD4" "/$SANDBOX-app")
takes_over() {
	begin_agent "$SCRATCH/$1"
	await_agent
	wait_for 10 only_set "$2" || fail "sets: $(sets)"
	kvgate_of "$1" status --json >"$SCRATCH/status" || fail "$(kvgate_of "$1" status)"
	same "interfaces" "$PORT $HOOK true" "$(jq -r '.gates[0].interfaces[] |
		"\(.name) \(.hook) \(.dhcp)"' "$SCRATCH/status")"
	! got_out || fail "got out when $1 took over: $(grep -F ' 203.0.113.66 ' "$WATCHED" | head -n 2)"
	reached tcp "$GOOD4" 443
	tell inbound && holds "$SAID" answered
	kill_agent
}
begin_agent "$SCRATCH/KVGATE"
await_agent
wait_gated "$CG" one
kill_agent

# attach_port: by hand, as long as no agent runs; TRACED may come before the command
attach_port() {
	inside_netns "$HOST" "${TRACED[@]}" "$KVGATE" attach --bpffs-dir "$SCRATCH/bpf" \
		--state-dir "$SCRATCH/state" --run-dir "$SCRATCH/run" --ranges "$RANGES" --resolver none \
		--crl-hosts none --allow "$GOOD4/32=tcp/443" --pid "$INSIDE" --dhcp "$CG"
}
hook() { kvgate status --json | jq -r '.gates[0].interfaces[0].hook'; }
held_by() {
	if [[ $HOOK == tcx ]]; then
		bpftool -j link show pinned "$(find "$SCRATCH/bpf/agent/links" -name 'tcx-*')" | jq .id
	else
		inside_netns "$HOST" tc filter show dev "$PORT" ingress | grep -o 'handle 0x[0-9a-f]*'
	fi
}
filters() {
	local way
	for way in ingress egress; do
		inside_netns "$HOST" tc filter show dev "$PORT" "$way" | grep -c handle || true
	done | xargs
}

spawn_inside "$CLIENT" "$CG" "$E2E/serve" "$SCRATCH/inside" tcp/8080
wait_for 5 grep -q '^ready' "$SCRATCH/inside" || fail "the service did not start"

# all_take_over FILTERS: of HOOK
all_take_over() {
	local before
	sleep 0.3
	: >"$WATCHED"
	keep inbound "$SERVER" - tcp 192.0.2.2 8080
	before=$(held_by)
	takes_over PROGRAMS agent
	same "what holds the program" "$before" "$(held_by)"
	takes_over LAYOUT agent-1
	same "filters" "$1" "$(filters)"
	takes_over KVGATE agent
	same "filters" "$1" "$(filters)"
	# One that was killed in between is finished by the next.
	for each in LAYOUT KVGATE LAYOUT PROGRAMS; do
		begin_agent "$SCRATCH/$each"
		sleep "0.$(printf '%03d' $((RANDOM % 300)))"
		kill_agent
		! got_out || fail "got out when $each was killed"
	done
	takes_over KVGATE agent
	same "filters" "$1" "$(filters)"
}

TRACED=()
attach_port >/dev/null
HOOK=$(hook)
if [[ $HOOK == tcx ]]; then
	all_take_over "0 0"
	# The first link to an interface is made to fail as before Linux 6.6. Threads share the calls.
	kept=${KEPT[inbound]}
	exec {kept}>&-
	rm "$SCRATCH/kept-inbound."*
	kvgate detach "$CG" >/dev/null
	begin_agent "$SCRATCH/KVGATE"
	await_agent
	wait_gated "$CG" one
	kill_agent
	LINK='BPF_LINK_CREATE.*\(TCX_EGRESS\|attach_type=0x2f\)'
	TRACED=(strace -qq -o "$SCRATCH/trace" -e trace=bpf)
	attach_port >/dev/null
	call=$(grep -n "$LINK" "$SCRATCH/trace" | head -n 1 | cut -d: -f1)
	[[ $call ]] || skip "strace does not show the link"
	TRACED+=(-e "inject=bpf:error=EINVAL:when=$call")
	for ((i = 0; i < 30; i++)); do
		kvgate detach "$CG" >/dev/null
		begin_agent "$SCRATCH/KVGATE"
		await_agent
		wait_gated "$CG" one
		kill_agent
		attach_port >/dev/null 2>&1 || true
		[[ $(hook) != clsact ]] || break
	done
fi
HOOK=clsact
same "hook" "$HOOK" "$(hook)"
all_take_over "1 1"
process_gone "$FRAMES" && fail "the frames have stopped"

# What removes the other layout takes its filters along.
begin_agent "$SCRATCH/LAYOUT"
await_agent
wait_for 10 only_set agent-1 || fail "sets: $(sets)"
kill_agent
kvgate detach --all >/dev/null
nothing_attached
