#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Of two agents of one run folder the second ends at once and names the first; after the first has
# ended, however it did, there is room for another.
. "$(dirname "$0")/lib.sh"
need_agent
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
start_agent
agent_fails 1 "another agent runs: process $AGENT has "
holds "$(ask ping)" "\"pid\":${AGENT}[,}]"
end_agent KILL
start_agent
stop_agent
