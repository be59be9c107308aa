#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: asks the instance metadata service for a token, and the WireServer, whose port 53 is the resolver, for its secrets
# stopped-by: connect4
# reason: destination, port, port_for_destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/80 tcp/32526 udp/53
serve_prefix 169.254.169.254/32
serve_prefix 168.63.129.16/32
ALSO_FORBIDDEN='169\.254\.169\.254|168\.63\.129\.16 (80|32526) '

attack_by <<'PYTHON'
from attacker import *

IMDS, WIRESERVER = "169.254.169.254", "168.63.129.16"
for target, port, tag in (IMDS, 80, "imds"), (WIRESERVER, 80, "wire80"), (WIRESERVER, 32526, "wire32526"):
    with attempt(tag):
        sock = tcp(target)
        sock.connect((target, port))
        sock.sendall(loot(tag))
udp(WIRESERVER).sendto(honest("name"), (WIRESERVER, 53))
PYTHON
works stolen:imds stolen:wire80 stolen:wire32526
# With a CRL prefix, so that the policy knows port 80.
kvgate attach --audit-file "$SCRATCH/record" --ranges "$RANGES" --crl-hosts none --resolver 168.63.129.16 \
	--crl-prefix 198.51.100.200/32 "$CG" >/dev/null
forget
stopped
passes honest:name
recorded connect4 destination
recorded connect4 port_for_destination
recorded connect4 port
