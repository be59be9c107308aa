#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A connection that others opened to the client is answered on, whichever kvgate takes over: one with other
# programs, one with another layout of its maps, the first one again. Its marks are the new ones' too.
# Runs alone: a storm needs a processor.
. "$(dirname "$0")/lib.sh"
need_agent
need_others
new_network
serve tcp/443

configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
new_cgroup app && CG=$REPLY
start_agent
wait_gated "$CG" one
spawn_inside "$CLIENT" "$CG" "$E2E/serve" "$SCRATCH/service" tcp/443
wait_for 5 grep -q ready "$SCRATCH/service"
keep four "$SERVER" - tcp 192.0.2.2 443
keep six "$SERVER" - tcp 2001:db8::2 443
end_agent KILL
AGENT=

# goes_on PROGRAM SET
goes_on() {
	begin_agent "$1"
	await_agent
	wait_for 10 only_set "$2" || fail "sets: $(sets)"
	tell four && holds "$SAID" answered
	tell six && holds "$SAID" answered
	refused tcp 203.0.113.9 443
	kill_agent
}
goes_on "$LAYOUT" agent-1
# One that came in under the other layout.
keep later "$SERVER" - tcp 192.0.2.2 443
goes_on "$PROGRAMS" agent
goes_on "$KVGATE" agent
goes_on "$LAYOUT" agent-1
tell later && holds "$SAID" answered

# Nobody's marks are left to anybody when all is removed.
"$LAYOUT" detach --bpffs-dir "$SCRATCH/bpf" --state-dir "$SCRATCH/state" --run-dir "$SCRATCH/run" --all >/dev/null
same "sets" "" "$(sets)"
