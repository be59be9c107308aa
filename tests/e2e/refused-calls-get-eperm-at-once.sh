#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# connect(2) and sendto(2) to what the policy does not name fail at once with EPERM, and nothing
# arrives there; without the gate the same is reached.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443 tcp/80 tcp/8443 udp/53 udp/443
new_cgroup app && CG=$REPLY

reached tcp 203.0.113.9 443
reached udp 203.0.113.9 53
reached tcp 2001:db8:bad::9 443
reached udp 198.51.100.1 443
: >"$SERVED"

kvgate attach --ranges "$RANGES" --resolver 203.0.113.53 "$CG"

refused tcp 203.0.113.9 443
refused udp 203.0.113.9 53
refused tcp 2001:db8:bad::9 443
refused udp 2001:db8:bad::9 53
refused tcp 198.51.100.1 8443
refused tcp 198.51.100.1 80
refused udp 198.51.100.1 443
refused udp 198.51.100.1 53
refused tcp 169.254.169.254 80
refused udp 203.0.113.53 443
same "what the server saw" "" "$(cat "$SERVED")"
