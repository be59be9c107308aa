#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `explain --cgroup` tells what the gate in the kernel does, with the tag where attach kept the policy,
# and without it where nobody did; its verdict is what the client meets.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443
new_cgroup app && CG=$REPLY
kvgate attach --ranges "$RANGES" --resolver none "$CG"

ask() { kvgate explain --cgroup "$CG" "$@"; }
said=$(ask 198.51.100.1:443)
holds "$said" 'is allowed'
holds "$said" 'from AzureActiveDirectory'
reached tcp 198.51.100.1 443

status=0 && said=$(ask --json 203.0.113.9:443) || status=$?
same "exit status" 3 "$status"
holds "$said" '"verdict":"refused","reason":"destination","rule":null'
refused tcp 203.0.113.9 443

# Another policy in the kernel, and nobody who kept it.
kvgate attach --ranges "$RANGES" --resolver none --allow 203.0.113.9/32=tcp/443 "$CG"
holds "$(ask 203.0.113.9:443)" 'from allow'
reached tcp 203.0.113.9 443
rm -r "$SCRATCH/state"
said=$(ask 203.0.113.9:443)
same "without the kept policy" "203.0.113.9:443/tcp is allowed" "$said"

status=0 && kvgate explain --cgroup "$CG" --ranges "$RANGES" 203.0.113.9:443 || status=$?
same "exit status of a contradiction" 2 "$status"
kvgate attach --ranges "$RANGES" --resolver none "$CG"
kvgate detach "$CG"
same "kept policies" "" "$(ls "$SCRATCH/state/policies")"
