#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the policy names is reached, by IPv4 and IPv6, by TCP and by UDP; loopback is, too.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443 tcp/80 udp/53 tcp/53
new_cgroup app && CG=$REPLY

kvgate attach --ranges "$RANGES" --resolver 203.0.113.53 --resolver 2001:db8:53::53 \
	--crl-prefix 203.0.113.80/32 "$CG"

reached tcp 198.51.100.1 443
reached tcp 198.51.100.130 443
reached tcp 2001:db8:a00::1 443
reached udp 203.0.113.53 53
reached tcp 203.0.113.53 53
reached udp 2001:db8:53::53 53
reached tcp 203.0.113.80 80

spawn_in "$CLIENT" "$E2E/serve" "$SCRATCH/loopback" tcp/8080
wait_for 5 grep -q ready "$SCRATCH/loopback"
reached tcp 127.0.0.1 8080
reached tcp ::1 8080
