#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a profile selects is gated: what is there when the agent starts, and what comes later, at once;
# what it does not select is left alone, and a gate goes with its cgroup.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
configure < <(profile one 203.0.113.1 "/$SANDBOX-app*")

new_cgroup app-before && CG=$REPLY
start_agent
is_gated "$CG" one || fail "the agent was ready, but $CG is not gated"
reached tcp 203.0.113.1 443
refused tcp 203.0.113.2 443

new_cgroup app-later && CG=$REPLY
wait_gated "$CG" one
reached tcp 203.0.113.1 443
refused tcp 203.0.113.2 443

new_cgroup other && CG=$REPLY
mkdir "$CG/below"
is_open "$CG" || fail "$CG is gated"
reached tcp 203.0.113.2 443

rmdir "$CGROUPS/$SANDBOX-app-later"
wait_open "$CGROUPS/$SANDBOX-app-later"
mkdir "$CGROUPS/$SANDBOX-app-later"
wait_gated "$CGROUPS/$SANDBOX-app-later" one

same "attached since the start" 2 "$(metric kvgate_attach_seconds_count)"
same "gates" 2 "$(metric 'kvgate_gates{profile="one",mode="enforce"}')"
stop_agent
