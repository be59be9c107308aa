#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A connection that is older than the gate is closed, and a socket that sends without one is refused,
# unless the policy allows the destination.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_closing
new_network
serve tcp/443 udp/53
new_cgroup app && CG=$REPLY

keep bad "$CLIENT" "$CG" tcp 203.0.113.9 443
keep good "$CLIENT" "$CG" tcp 198.51.100.1 443
keep dgram "$CLIENT" "$CG" udp 203.0.113.9 53
tell bad && holds "$SAID" answered
tell good && holds "$SAID" answered
tell dgram && holds "$SAID" answered

kvgate attach --ranges "$RANGES" --resolver none "$CG"

tell bad && holds "$SAID" ECONNABORTED
tell good && holds "$SAID" answered
tell dgram && holds "$SAID" EPERM
holds "$(kvgate status --json)" '"flow": "udp 203.0.113.9:53"'
