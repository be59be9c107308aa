#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Where netfilter redirects connections to a proxy in the client's network namespace (a service mesh), the
# policy is asked for the destination that the client named.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program nft
new_network
new_cgroup app && CG=$REPLY

inside_netns "$CLIENT" nft -f - <<'NFT' || skip "netfilter cannot redirect here"
table inet mesh {
	chain out {
		type nat hook output priority -100
		oifname "eth0" tcp dport 443 redirect to :15001
	}
}
NFT
spawn_in "$CLIENT" "$E2E/serve" "$SCRATCH/proxied" tcp/15001
wait_for 5 grep -q '^ready' "$SCRATCH/proxied"
proxied() { same "what the proxy was asked" "$1" "$(sed 1d "$SCRATCH/proxied" | wc -l)"; }

reached tcp 203.0.113.9 443
proxied 1
kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$CG"
reached tcp 198.51.100.1 443
reached tcp 2001:db8:a00::1 443
proxied 3
refused tcp 203.0.113.9 443
proxied 3
