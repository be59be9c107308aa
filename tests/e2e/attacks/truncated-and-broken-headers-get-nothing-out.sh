#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends headers that end too early or lie about their length, by raw sockets that are older than the gate, in packets to an allowed host
# stopped-by: egress
# reason: malformed
# kernels: all
. "$(dirname "$0")/lib.sh"
arena udp/9000
ALSO_FORBIDDEN='198\.51\.100\.2 |2001:db8:a00::2 '

attack_by <<'PYTHON'
from attacker import *

raw4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
ready()
def send(tag, packet, target=GOOD4):
    with attempt(f"{tag} of {len(packet)} bytes"):
        (raw6 if ":" in target else raw4).sendto(packet, (target, 0))

for good, cut in (GOOD4, 20), (GOOD6, 40):
    make = ip6 if ":" in good else ip4
    for rest in 0, 1, 3, 4, 7:
        send("udp", make(good, 17, udp_body(good, 9000, b"")[:rest]), good)
    for rest in 4, 8, 12, 19:
        send("tcp", make(good, 6, tcp_body(good, 443)[:rest]), good)
short = bytearray(ip4(GOOD4, 17, udp_body(GOOD4, 9000, loot("short"))))
short[0] = 0x44 # a header of 16 bytes
send("short", bytes(short))
version = bytearray(ip4(GOOD4, 17, udp_body(GOOD4, 9000, loot("version"))))
version[0] = 0x75
send("version", bytes(version))
PYTHON
works_once_open 'ip4 17 .* 198.51.100.2 - 20' 'ip4 17 .* 198.51.100.2 9000 24' 'ip4 17 .* 198.51.100.2 9000 27' \
	'ip4 6 .* 198.51.100.2 443 24' 'ip4 6 .* 198.51.100.2 443 39' 'ip6 17 .* 2001:db8:a00::2 - 40' \
	'ip6 17 .* 2001:db8:a00::2 9000 47' 'ip6 6 .* 2001:db8:a00::2 443 59'
stopped_once_open gate
recorded egress malformed
