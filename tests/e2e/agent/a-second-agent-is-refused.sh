#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Of two agents of one run folder the second ends at once and names the first; after the first has
# ended, however it did, there is room for another, at the latest when what it left behind has ended, too.
. "$(dirname "$0")/lib.sh"
need_agent
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
start_agent
agent_fails 1 "another agent runs: process $AGENT has "
holds "$(ask ping)" "\"pid\":${AGENT}[,}]"
end_agent KILL
start_agent
end_agent KILL

# A child that was on its way when the agent was killed has its lock for another moment.
# shellcheck disable=SC2016
spawn bash -c 'exec 3<>"$1/run/agent.lock" && flock 3 && touch "$1/held" && sleep 1' heir "$SCRATCH"
wait_for 5 test -e "$SCRATCH/held" || fail "nobody has the lock"
start_agent
stop_agent
