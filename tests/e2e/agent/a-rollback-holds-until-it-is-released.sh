#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A profile that is rolled back has its earlier policy in force when the command ends, and keeps it
# through a new configuration and a new agent, until it is released.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
new_cgroup app && CG=$REPLY

policy() { kvgate policy "$@" --state-dir "$SCRATCH/state" --run-dir "$SCRATCH/run"; }
allow() { configure < <(profile one "$1" "/$SANDBOX-app"); }

# in_force ADDRESS: of the three, this one alone is reached
in_force() {
	for address in 203.0.113.1 203.0.113.2 203.0.113.3; do
		if [[ $address == "$1" ]]; then
			reached tcp "$address" 443
		else
			refused tcp "$address" 443
		fi
	done
}

# exits STATUS TEXT ARGUMENT...: of policy; TEXT is said
exits() {
	local said status=0
	said=$(policy "${@:3}" 2>&1) || status=$?
	same "exit status of policy ${*:3}" "$1" "$status"
	holds "$said" "$2"
}

exits 1 "has no such policy" rollback one
exits 1 "'one' is not held" release one
exits 2 "expected history" forward one

allow 203.0.113.1
start_agent
wait_gated "$CG" one
allow 203.0.113.2
holds "$(ask reload)" '"result":"ok"'
in_force 203.0.113.2
same "policies" 2 "$(policy history one | grep -c sha256:)"

exits 0 "one is held at policy 1 of " rollback one
in_force 203.0.113.1
holds "$(policy history one)" "^ +1 .*; held$"
holds "$(policy history --json one)" '"number":1,.*"held":true.*"number":2,.*"held":false'

allow 203.0.113.3
holds "$(ask reload)" '"result":"ok"'
in_force 203.0.113.1
stop_agent
start_agent
in_force 203.0.113.1

exits 0 "one follows its documents again" release one
in_force 203.0.113.3
exits 1 "'one' is not held" release one

first=$(policy history one | sed -n 's/^ *1 .*\(sha256:[0-9a-f]*\).*/\1/p')
stop_agent
exits 0 "no agent runs: it will be so when one is started" rollback one "$first"
start_agent
in_force 203.0.113.1
stop_agent
