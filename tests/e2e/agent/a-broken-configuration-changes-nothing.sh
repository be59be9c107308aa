#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A configuration with a fault ends an agent that starts with 2, and touches no gate; an agent that
# runs keeps all that it has, says once where the fault is, counts it, and is unhealthy until the
# configuration is good again.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
new_cgroup app && CG=$REPLY
start_agent
stop_agent

hold_gates() {
	reached tcp 203.0.113.1 443
	refused tcp 203.0.113.2 443
	same "generation" 1 "$(generation "$CG")"
}

configure < <(profile one 203.0.113.2 "/$SANDBOX-other" "moode: audit")
line=$(grep -n moode "$CONFIG" | cut -d: -f1)
agent_fails 2 "^kvgate: $CONFIG:$line:5: .*moode"
hold_gates
rm "$CONFIG"
agent_fails 2 "cannot read the configuration '$CONFIG'"
hold_gates

configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
start_agent
configure < <(profile one 203.0.113.2 "/$SANDBOX-other" "moode: audit")
wait_log "$CONFIG:$line:5: .*moode.*; the configuration before stays"
hold_gates
same "failures" 1 "$(metric kvgate_config_reload_failures_total)"
holds "$(ask reload)" "\"result\":\"failed\",\"problem\":\"$CONFIG:$line:5: "
same "failures" 2 "$(metric kvgate_config_reload_failures_total)"
hold_gates
said=$(kvgate status) && fail "status should have ended with 1"
holds "$said" "problem .*$CONFIG:$line:5: "
kill -HUP "$AGENT"
wait_for 5 eval '[[ $(metric kvgate_config_reload_failures_total) == 3 ]]' || fail "SIGHUP was not heard"
same "lines in the log" 3 "$(grep -c "$CONFIG:$line:5" "$LOG")"

configure < <(profile one 203.0.113.2 "/$SANDBOX-app")
wait_log 'the configuration was read again'
wait_for 5 eval 'gated "$E2E/probe" tcp 203.0.113.2 443' || fail "the new policy is not in force"
refused tcp 203.0.113.1 443
kvgate status >/dev/null || fail "still unhealthy: $(kvgate status)"
same "failures" 3 "$(metric kvgate_config_reload_failures_total)"
stop_agent
