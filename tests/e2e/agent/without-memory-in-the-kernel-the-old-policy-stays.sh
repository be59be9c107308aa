#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# While the kernel has no memory for the agent's maps, a policy that changes does not come into force and the one
# before stays whole; that is said, makes the agent unhealthy, and ends by itself when there is memory again.
. "$(dirname "$0")/lib.sh"
need_agent
need_program strace
new_network
serve tcp/443
configure < <(profile one 203.0.113.1 "/$SANDBOX-app*")
new_cgroup app && CG=$REPLY
start_agent

# no_memory FIRST: every call of bpf() of the agent fails from the FIRST one on
no_memory() {
	spawn strace -f -qq -o "$SCRATCH/trace" -e trace=bpf -e "inject=bpf:error=ENOMEM:when=$1+" -p "$AGENT"
	TRACER=$REPLY
	wait_for 10 grep -Eq "^TracerPid:[[:space:]]+$TRACER$" "/proc/$AGENT/status" || fail "strace cannot trace"
}
memory_again() {
	kill -INT "$TRACER"
	wait_for 10 grep -Eq '^TracerPid:[[:space:]]+0$' "/proc/$AGENT/status" || fail "strace does not end"
}

for first in 1 2 3 5 8 13 21; do
	no_memory "$first"
	configure < <(profile one 203.0.113.2 "/$SANDBOX-app*")
	ask reload >/dev/null
	reached tcp 203.0.113.1 443
	refused tcp 203.0.113.2 443
	memory_again
	grep -q INJECTED "$SCRATCH/trace" || fail "nothing failed: $(<"$SCRATCH/trace")"
	said=$(kvgate status) && fail "status should have ended with 1 ($first): $said"
	holds "$said" "problem .*profile 'one' cannot be put in force: "
	configure < <(profile one 203.0.113.1 "/$SANDBOX-app*")
	ask reload >/dev/null
	reached tcp 203.0.113.1 443
	kvgate status >/dev/null || fail "still unhealthy ($first): $(kvgate status)"
done

no_memory 1
configure < <(profile one 203.0.113.2 "/$SANDBOX-app*")
ask reload >/dev/null
new_cgroup app-late && LATE=$REPLY
wait_log "'${LATE#"$CGROUPS"}' cannot be gated"
memory_again
wait_for 40 is_gated "$LATE" one || fail "not tried again: $(<"$LOG")"
wait_for 40 eval 'gated "$E2E/probe" --timeout 1 tcp 203.0.113.2 443' || fail "the new policy is not in force: $(<"$LOG")"
refused tcp 203.0.113.1 443
healthy() { kvgate status >/dev/null; }
wait_for 25 healthy || fail "unhealthy: $(kvgate status)"
stop_agent
