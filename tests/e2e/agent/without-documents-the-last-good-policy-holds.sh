#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# When the documents are gone or broken, the agent puts the last good policy of each profile in force
# that it kept on disk, also after a reboot has emptied the kernel; it says so and is unhealthy. With
# the documents back, all is well.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
new_cgroup app && CG=$REPLY

start_agent --detach-on-exit
same "the last good policy" one.json "$(cd "$SCRATCH/state/policies" && echo one*)"
stop_agent
mv "$SCRATCH/state/ranges" "$SCRATCH/away"

start_agent --detach-on-exit
wait_gated "$CG" one
reached tcp 203.0.113.1 443
refused tcp 203.0.113.2 443
wait_log "profile 'one' is held by its last good policy"
same "fallback" 1 "$(metric 'kvgate_policy_fallback{profile="one"}')"
said=$(kvgate status) && fail "status should have ended with 1"
holds "$said" "problem .*profile 'one' is held by its last good policy"

rm -rf "$SCRATCH/state/ranges"
mv "$SCRATCH/away" "$SCRATCH/state/ranges"
ask reload >/dev/null
same "fallback" 0 "$(metric 'kvgate_policy_fallback{profile="one"}')"
kvgate status >/dev/null || fail "still unhealthy: $(kvgate status)"
stop_agent

sed 's|"203.0.113.128/25"|"203.0.113.129/25"|' "$RANGES/ServiceTags_Public_20260105.json" \
	>"$SCRATCH/state/ranges/ServiceTags_Public_20260112.json"
start_agent
wait_log "profile 'one' is held by its last good policy: .*ServiceTags_Public_20260112.json"
reached tcp 203.0.113.1 443
refused tcp 203.0.113.2 443
stop_agent
