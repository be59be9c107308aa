#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: threads connect one socket to an allowed and to another host at once, with AF_UNSPEC in between, and change the address in memory while the call reads it
# stopped-by: connect4, sendmsg4, egress
# reason: destination
# kernels: all
. "$(dirname "$0")/lib.sh"
WATCH_ONLY=(203.0.113.0) # what wins a race to the allowed host is lost to the attacker
arena tcp/443 udp/443

attack_with race "$GOOD4" EVIL4 443 ROUND
works stolen:udp stolen:moved stolen:connected 'ip4 6 .* EVIL4 443'
gate_on "$CG" --allow "$GOOD4/32=udp/443"
stopped
recorded connect4 destination
recorded sendmsg4 destination
