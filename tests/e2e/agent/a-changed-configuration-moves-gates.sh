#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# After a reload each cgroup has the gate that the new configuration says: another policy, another
# profile, a new gate, or none any more, which is logged.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
for name in a b c; do
	new_cgroup "$name" && CGS+=("$REPLY")
done
A=${CGS[0]} B=${CGS[1]} C=${CGS[2]}

probe_in() { client_in "$1" "$E2E/probe" tcp "$2" 443 >/dev/null; }
may() { probe_in "$1" "$2" || fail "$1 should reach $2"; }
may_not() { ! probe_in "$1" "$2" || fail "$1 should not reach $2"; }

configure < <(profile one 203.0.113.1 "/$SANDBOX-a"; profile two 203.0.113.2 "/$SANDBOX-b")
start_agent
may "$A" 203.0.113.1
may_not "$A" 203.0.113.3
may "$B" 203.0.113.2
may "$C" 203.0.113.3

configure < <(profile two 203.0.113.3 "/$SANDBOX-a"; profile three 203.0.113.1 "/$SANDBOX-c")
holds "$(ask reload)" '"result":"ok"'
is_gated "$A" two || fail "$A has not moved"
is_open "$B" || fail "$B is gated still"
is_gated "$C" three || fail "$C is not gated"
may "$A" 203.0.113.3
may_not "$A" 203.0.113.1
may "$B" 203.0.113.3
may "$C" 203.0.113.1
may_not "$C" 203.0.113.3
wait_log "removed the gate of '${B#"$CGROUPS"}'"
same "reloads" 1 "$(metric kvgate_config_reloads_total)"
# What is counted only grows; the profile itself is gone.
wait_for 10 eval '! ask metrics | grep -v _total | grep -q profile=.one' || fail "profile one is shown still"
stop_agent
