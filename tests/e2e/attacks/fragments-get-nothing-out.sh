#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends IPv4 and IPv6 fragments by hand to a host that is allowed for one port: first, later, overlapping, so small that they hide the port, with reserved bits
# stopped-by: egress
# reason: fragment
# kernels: all
#
# A socket made before the gate, since raw ones cannot be made behind it. What the kernel itself cuts up,
# after it was judged as a whole, must pass.
. "$(dirname "$0")/lib.sh"
arena udp/9000

attack_by <<'PYTHON'
from attacker import *

MORE = 0x2000
raw4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
ready()

def send4(tag, offset, more, body):
    with attempt(tag):
        raw4.sendto(ip4(GOOD4, 17, body, fragment=(MORE if more else 0) | offset // 8), (GOOD4, 0))

def send6(tag, offset, more, body, reserved=0):
    with attempt(tag):
        header = struct.pack("!BBHI", 17, reserved, offset | (1 if more else 0), 4711)
        raw6.sendto(ip6(GOOD6, 44, header + body), (GOOD6, 0))

for send, good, family in (send4, GOOD4, "4"), (send6, GOOD6, "6"):
    whole = udp_body(good, 9000, loot("first" + family).ljust(64, b"."))
    send("first", 0, True, whole[:64])
    send("later", 64, False, loot("later" + family))
    send("overlapping", 8, False, udp_body(good, 22, loot("overlap" + family)))
    send("tiny", 0, True, whole[:8])
    send("second of tiny", 8, False, loot("tiny" + family))
send6("atomic", 0, False, udp_body(GOOD6, 9000, loot("atomic")))
send6("reserved byte", 0, True, udp_body(GOOD6, 9000, loot("reserved").ljust(64, b"."))[:64], 0xff)
for good, family in (GOOD4, "4"), (GOOD6, "6"):
    sock = udp(good)
    sock.sendto(honest("large" + family).ljust(4000, b"."), (good, 9000))
PYTHON
works_once_open stolen:first4 stolen:later4 stolen:overlap4 stolen:tiny4 stolen:first6 stolen:later6 stolen:overlap6 \
	stolen:tiny6 stolen:atomic stolen:reserved
stopped_once_open gate
passes honest:large4 honest:large6
recorded egress fragment
