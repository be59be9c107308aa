#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Two cgroups of one network namespace, each gated with its interface: either reaches what its own policy
# holds and nothing of the other's, frames of neither pass, and the one's gate outlives the other's.
. "$(dirname "$0")/lib.sh"
need_program jq
container tcp/443 udp/9000
FIRST=$CG
new_cgroup second && SECOND=$REPLY
spawn_inside "$CLIENT" "$SECOND" sleep 1000
second=$REPLY
wait_for 5 in_cgroup "$second" "$SECOND"
attach --pid "$INSIDE" --allow 203.0.113.1/32=tcp/443 "$FIRST" >/dev/null
attach --pid "$second" --allow 203.0.113.2/32=tcp/443 "$SECOND" >/dev/null

# frame: sends one, and says whether it could
frame() {
	# shellcheck disable=SC2016
	gated python3 -c 'import socket
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
sock.bind(("eth0", 0))
sock.send(b"\xff" * 6 + b"\2\0\0\0\0\7" + b"\x88\xb5" + b"x" * 60)' 2>/dev/null
}
# judged CGROUP OWN OTHERS
judged() {
	CG=$1
	reached tcp "$2" 443
	refused tcp "$3" 443
	refused udp "$OTHER" 9000
	frame || true
}
for _ in 1 2; do
	judged "$FIRST" 203.0.113.1 203.0.113.2
	judged "$SECOND" 203.0.113.2 203.0.113.1
done
same "healthy" "true true" "$(kvgate status --json | jq -r '[.gates[].healthy] | join(" ")')"
kvgate detach "$FIRST" >/dev/null
judged "$SECOND" 203.0.113.2 203.0.113.1
same "healthy" true "$(kvgate status --json | jq -r '[.gates[].healthy] | join(" ")')"
CG=$FIRST
reached tcp "$OTHER" 443
kvgate detach "$SECOND" >/dev/null
nothing_attached
settle
same "frames" "" "$(grep '^frame 0x88b5' "$WATCHED" || true)"
frame || skip "no packet socket here"
wait_for 3 arrived '^frame 0x88b5' || fail "without a gate the frame does not arrive either"
