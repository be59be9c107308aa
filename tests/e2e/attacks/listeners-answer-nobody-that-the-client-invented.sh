#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: opens connections to its own listener in the name of a host outside, whose SYN-ACKs pass for answers to an inbound connection
# stopped-by: connect4, connect6, egress
# reason: destination
# kernels: all
#
# The host outside answers the SYN-ACK, and the listener's end of the connection would belong to
# "somebody who opened it towards the client". What arrives here is the SYN-ACK.
. "$(dirname "$0")/lib.sh"
arena tcp/443

attack_by <<'PYTHON'
from attacker import *

IPV6_FREEBIND, IP_TRANSPARENT = 78, 19

def spoofing(own):
    sock = tcp(own, 0.2)
    if ":" in own:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        sock.bind((EVIL6, 0))
    else:
        sock.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        sock.bind((EVIL4, 0))
    return sock

targets = (OWN4, 443), (OWN6, 443), ("127.0.0.1", 443), ("::1", 443), ("0.0.0.0", 443)
older = [(spoofing(own), own, port) for own, port in targets]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
ready()

listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
listener.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
listener.bind(("::", 443))
listener.listen()
for sock, own, port in older + [(spoofing(own), own, port) for own, port in targets]:
    with attempt(f"tcp {own}"):
        sock.connect((own, port))
with attempt("raw"):
    raw.sendto(ip4(OWN4, 6, tcp_body(OWN4, 443, source=EVIL4), source=EVIL4), (OWN4, 0))
PYTHON
works_once_open 'ip4 6 192.0.2.2 EVIL4' 'ip4 6 EVIL4 EVIL4' 'ip6 6 2001:db8::2 EVIL6' 'ip6 6 ::1 EVIL6'  'ip4 6 192.0.2.2 EVIL4 4711'
stopped_once_open gate
recorded connect4 destination
recorded connect6 destination
recorded egress destination
