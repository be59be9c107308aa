#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An agent that is killed again and again, at any instant of its start and while its policies change,
# leaves every gate in force: of a thousand tries a second nothing gets out, and the client goes on.
# Runs alone: a storm needs a processor.
. "$(dirname "$0")/lib.sh"
need_agent
need_storm
new_network
serve tcp/443
SECONDS_LONG=15

policies() { # policies NUMBER: they differ with it
	profile one 203.0.113.1 "/$SANDBOX-app"
	profile "two$(($1 % 3))" "203.0.113.$((2 + $1 % 5))" "/$SANDBOX-other"
}
configure < <(policies 0)
new_cgroup other
new_cgroup app && CG=$REPLY
start_agent
reached tcp 203.0.113.1 443
storm_begin
end_agent KILL
AGENT=

end=$((SECONDS + SECONDS_LONG)) kills=0
while ((SECONDS < end)); do
	configure < <(policies "$kills")
	begin_agent
	sleep "0.$(printf '%03d' $((RANDOM % 400)))"
	kill_agent
	kills=$((kills + 1))
	storm_holds
	((kills % 5)) || reached tcp 203.0.113.1 443
done

begin_agent
await_agent
wait_gated "$CG" one
reached tcp 203.0.113.1 443
refused tcp 203.0.113.9 443
wait_for 25 healthy || fail "unhealthy: $(kvgate status)"
storm_end
same "sets" agent "$(sets)"
echo "$kills kills"
