#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# In audit mode everything is reached, what enforcement would refuse is said and recorded as such, and
# what it would allow is not; a switch to enforce refuses from then on.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program jq
new_network
serve tcp/443 udp/53
prepare_run

said=$(client "${RUN[@]}" --mode audit --audit-file "$SCRATCH/record" -- bash -c "
	'$E2E/probe' tcp 203.0.113.9 443 && '$E2E/probe' udp 203.0.113.9 53 &&
	'$E2E/probe' tcp 2001:db8:bad::9 443 && '$E2E/probe' tcp 198.51.100.1 443" 2>&1)
holds "$said" '^would refuse tcp 203\.0\.113\.9:443 \(destination\) by probe\[[0-9]+\]$'
holds "$said" '^would refuse udp 203\.0\.113\.9:53 \(protocol\)'
holds "$said" '^would refuse tcp \[2001:db8:bad::9\]:443 \(destination\)'
! grep -q '^refused' <<<"$said" || fail "it says refused: $said"
! grep -q '198\.51\.100\.1' <<<"$said" || fail "what is allowed was reported: $said"

same "types and actions" '["allowed"] egress-would-refuse audit' \
	"$(jq -r '"\(.event.type) \(.event.action) \(.kvgate.mode)"' "$SCRATCH/record" | sort -u)"

new_cgroup app && CG=$REPLY
kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none --mode audit "$CG"
reached tcp 203.0.113.9 443
kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$CG"
refused tcp 203.0.113.9 443
