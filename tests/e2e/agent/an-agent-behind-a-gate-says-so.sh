#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An agent that is started in a cgroup that is gated, by an agent before or by hand, or below one, opens no gate to
# get out itself: others may be in there. It works, and it is a problem until it lives elsewhere: what it
# downloads and looks up is judged by that gate.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
configure < <(profile one 203.0.113.1 "/$SANDBOX-app"; profile two 203.0.113.2 "/$SANDBOX-later")
new_cgroup app && CG=$REPLY
ELSEWHERE=$AGENT_CG
start_agent
wait_gated "$CG" one
stop_agent

is_told() { ! { kvgate status >"$SCRATCH/said"; } && grep -Fq "kvgate itself is behind the gate of \"$1\"" "$SCRATCH/said"; }
is_healthy() { kvgate status >"$SCRATCH/said"; }
# lives_behind PATH: the agent does all that it does, and its problem goes with its place
lives_behind() {
	start_agent
	wait_for 5 is_told "$1" || fail "not told: $(<"$SCRATCH/said")"
	wait_log "kvgate itself is behind the gate of \"$1\""
	is_gated "$CG" one || fail "the gate is gone: $(gates)"
	reached tcp 203.0.113.1 443
	refused tcp 203.0.113.9 443
	new_cgroup later && LATER=$REPLY
	wait_gated "$LATER" two
	echo "$AGENT" >"$ELSEWHERE/cgroup.procs"
	wait_for 15 is_healthy || fail "unhealthy: $(<"$SCRATCH/said")"
	is_gated "$CG" one || fail "the gate is gone: $(gates)"
	stop_agent
	rmdir "$LATER"
}
AGENT_CG=$CG
lives_behind "${CG#"$CGROUPS"}"
mkdir "$CG/below"
AGENT_CG=$CG/below
lives_behind "${CG#"$CGROUPS"}"

new_cgroup outer && OUTER=$REPLY
mkdir "$OUTER/agent"
kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$OUTER" >/dev/null
AGENT_CG=$OUTER/agent
lives_behind "${OUTER#"$CGROUPS"}"
