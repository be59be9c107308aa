#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# As long as an agent runs, also one that hangs, attach and detach leave its gates alone, and say whose they
# are: it would put them right again. Gates that attach made are not its. Nor is the agent itself gated by
# hand, its cgroup or one above. When it is stopped, its gates are anybody's.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
new_cgroup app && CG=$REPLY
new_cgroup other && OTHER=$REPLY
start_agent
wait_gated "$CG" one

attach() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none --allow 203.0.113.9/32=tcp/443 "$@"; }
# refuses TEXT COMMAND...
refuses() {
	local said status=0
	said=$("${@:2}" 2>&1) || status=$?
	same "exit status of ${*:2}" 1 "$status"
	holds "$said" "$1"
}
unchanged() {
	is_gated "$CG" one || fail "gates: $(gates)"
	same "generation" 1 "$(generation "$CG")"
	reached tcp 203.0.113.1 443
	refused tcp 203.0.113.9 443
}
both_refuse() {
	refuses "profile \"one\" of the agent that runs \(process $AGENT\)" attach "$CG"
	refuses "profile \"one\" of the agent that runs \(process $AGENT\)" kvgate detach "$CG"
}
both_refuse
unchanged

kill -STOP "$AGENT"
both_refuse
kill -CONT "$AGENT"
unchanged

attach "$OTHER" >/dev/null
refuses 'of the agent that runs' kvgate detach --all
is_open "$OTHER" || fail "detach --all left what is nobody's"
unchanged
attach "$OTHER" >/dev/null
kvgate detach "$OTHER" >/dev/null

refuses "kvgate's agent, process $AGENT, is in it" attach "$AGENT_CG"
mkdir "$OTHER/inner"
echo "$AGENT" >"$OTHER/inner/cgroup.procs"
refuses "kvgate's agent, process $AGENT, is in it" attach "$OTHER"
echo "$AGENT" >"$AGENT_CG/cgroup.procs"
attach "$OTHER" >/dev/null
kvgate detach "$OTHER" >/dev/null

stop_agent
attach "$CG" >/dev/null
reached tcp 203.0.113.9 443
kvgate detach "$CG" >/dev/null
reached tcp 203.0.113.66 443
