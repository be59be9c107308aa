#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Somebody detaches a gate's program: the agent notices within ten seconds, puts it back, says so, and is
# healthy again when it has seen that it holds. What its canary tried is in no record.
# Runs alone: it takes the time.
. "$(dirname "$0")/lib.sh"
need_agent
need_program bpftool
new_network
serve tcp/443
RECORD=$SCRATCH/record
CONFIGURE="audit: { file: $RECORD }"
configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
new_cgroup app && CG=$REPLY
start_agent
refused tcp 203.0.113.9 443

links=$SCRATCH/bpf/agent/links/$(stat -c %i "$CG")
for hook in connect4 egress; do
	bpftool link detach pinned "$links/$hook"
done
reached tcp 203.0.113.9 443

refuses_again() { ! gated "$E2E/probe" --timeout 1 tcp 203.0.113.9 443; }
wait_for 12 refuses_again || fail "not noticed: $(<"$LOG")"
refused tcp 203.0.113.9 443
wait_log 'program was not in force'
healthy() { kvgate status >/dev/null; }
wait_for 25 healthy || fail "unhealthy: $(kvgate status)"

# A cgroup of the same name is another one.
rmdir "$CG"
mkdir "$CG"
wait_gated "$CG" one
refused tcp 203.0.113.9 443
stop_agent
holds "$(<"$RECORD")" 203.0.113.9
! grep -Fq 192.0.2.1 "$RECORD" || fail "the canary is in the record: $(<"$RECORD")"
