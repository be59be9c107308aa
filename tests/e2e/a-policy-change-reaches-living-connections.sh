#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# When a policy loses a destination, its living connections end at once; the others never notice the
# change, and when it comes back it is allowed again.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_closing
new_network
serve tcp/443
new_cgroup app && CG=$REPLY

gate() { kvgate attach --ranges "$RANGES" --resolver none "$@" "$CG"; }
gate --allow 203.0.113.9/32=tcp/443

keep lost "$CLIENT" "$CG" tcp 203.0.113.9 443
keep kept "$CLIENT" "$CG" tcp 198.51.100.1 443
tell lost && holds "$SAID" answered

gate
tell lost && holds "$SAID" ECONNABORTED
tell kept && holds "$SAID" answered
refused tcp 203.0.113.9 443
reached tcp 198.51.100.1 443
holds "$(kvgate status --json)" '"generation": 2'

gate --allow 203.0.113.9/32=tcp/443
reached tcp 203.0.113.9 443
tell kept && holds "$SAID" answered
