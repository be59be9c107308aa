#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An agent that does not answer is waited for two seconds; then the hook gates by itself, and the agent
# takes the gate over when it goes on: they work in one set, though it was without a gate.
. "$(dirname "$0")/lib.sh"
need_runtime runc
configure < <(profile_for 'labels: { who: "vault" }')
start_agent
kill -STOP "$AGENT"
on_exit go_on
go_on() { kill -CONT "$AGENT"; } 2>/dev/null
begin=$SECONDS
start_box vault
((SECONDS - begin < 10 * PATIENCE)) || fail "it took $((SECONDS - begin)) s"

go_on
first_was refused
wait_for 10 ask ping || fail "the agent does not go on"
ask reload >/dev/null
is_gated "$INSIDE" vault || fail "the agent removed the gate: $(gates)"
CG=$INSIDE refused tcp 203.0.113.2 443
new_cgroup later && LATER=$REPLY
configure < <(
	profile_for 'labels: { who: "vault" }'
	profile_for "cgroup: \"/$SANDBOX-later\"" | sed 's/name: vault/name: later/'
)
wait_gated "$LATER" later
stop_agent
start_agent
is_gated "$LATER" later || fail "the next agent does not know a gate: $(gates)"
is_gated "$INSIDE" vault || fail "the next agent does not know the hook's gate: $(gates)"
stop_agent
