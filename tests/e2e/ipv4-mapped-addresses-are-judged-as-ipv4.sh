#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ::ffff:a.b.c.d on an IPv6 socket goes out as IPv4, and is let through or refused as that.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443 udp/53
new_cgroup app && CG=$REPLY
reached tcp ::ffff:203.0.113.9 443

kvgate attach --ranges "$RANGES" --resolver 203.0.113.53 "$CG"

reached tcp ::ffff:198.51.100.1 443
reached udp ::ffff:203.0.113.53 53
refused tcp ::ffff:203.0.113.9 443
refused udp ::ffff:203.0.113.9 53
holds "$(kvgate status)" 'refused +1 x tcp 203.0.113.9:443 \(destination\)'
