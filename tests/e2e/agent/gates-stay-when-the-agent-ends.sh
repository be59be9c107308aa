#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# SIGTERM and SIGINT end the agent well, SIGKILL ends it anyhow: the gates stay in force each time, the
# next agent goes on with them, and only --detach-on-exit removes them.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
new_cgroup app && CG=$REPLY

hold_gates() {
	reached tcp 203.0.113.1 443
	refused tcp 203.0.113.2 443
	same "generation" 1 "$(generation "$CG")"
	kvgate status >/dev/null || fail "status is unhealthy: $(kvgate status)"
}

for signal in TERM INT KILL; do
	start_agent
	hold_gates
	end_agent "$signal"
	[[ $signal == KILL ]] || same "exit status after $signal" 0 "$STATUS"
	hold_gates
done

start_agent --detach-on-exit
hold_gates
stop_agent
reached tcp 203.0.113.2 443
same "pins" "" "$(find "$SCRATCH/bpf" -mindepth 1 -type d)"
