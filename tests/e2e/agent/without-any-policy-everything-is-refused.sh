#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A profile that has neither documents nor a last good policy refuses everything in its cgroups, and
# the agent is unhealthy; what another agent has put in force stays as it was, also for new cgroups.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
configure < <(profile one 203.0.113.1 "/$SANDBOX-app*")
new_cgroup app && CG=$REPLY

mv "$SCRATCH/state/ranges" "$SCRATCH/away"
start_agent
wait_gated "$CG" one
refused tcp 203.0.113.1 443
refused tcp 203.0.113.2 443
wait_log "profile 'one' has no policy, its gates refuse everything: no range documents"
same "fallback" 2 "$(metric 'kvgate_policy_fallback{profile="one"}')"
kvgate status >/dev/null && fail "status should have ended with 1"

mkdir -p "$SCRATCH/state/ranges"
cp "$SCRATCH"/away/*.json "$SCRATCH/state/ranges/"
ask reload >/dev/null
reached tcp 203.0.113.1 443
refused tcp 203.0.113.2 443
kvgate status >/dev/null || fail "still unhealthy: $(kvgate status)"
stop_agent

rm -rf "$SCRATCH/state"
start_agent
wait_log "profile 'one' has no policy, what is in force stays"
reached tcp 203.0.113.1 443
refused tcp 203.0.113.2 443
new_cgroup app-later && CG=$REPLY
wait_gated "$CG" one
reached tcp 203.0.113.1 443
refused tcp 203.0.113.2 443
stop_agent
