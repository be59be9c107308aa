#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A cgroup that the agent itself lives in, or below which it does, is not gated, and that is said; those
# below it that the profile is for are gated all the same, each by a gate of its own.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
new_cgroup all && ALL=$REPLY
AGENT_CG=$ALL/agent
CG=$ALL/app
mkdir "$AGENT_CG" "$CG" "$CG/below"
configure < <(profile one 203.0.113.1 "/$SANDBOX-al**")
start_agent
is_gated "$CG" one || fail "$CG is not gated: $(gates)"
reached tcp 203.0.113.1 443
refused tcp 203.0.113.2 443
is_open "$ALL" || fail "$ALL is gated"
is_open "$AGENT_CG" || fail "$AGENT_CG is gated"
is_open "$CG/below" || fail "$CG/below has a gate of its own, though $CG covers it"
grep -Eq "'/$SANDBOX-all' cannot be gated by profile 'one'" "$LOG" || fail "nothing was said: $(<"$LOG")"

mkdir "$ALL/later"
wait_gated "$ALL/later" one
stop_agent
