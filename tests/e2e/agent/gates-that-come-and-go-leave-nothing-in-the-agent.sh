#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A cgroup that is made, gated and removed again and again, always with the same name: every one is gated, and
# neither descriptors, memory nor pins of the agent grow. KVGATE_TEST_CYCLES is how often.
. "$(dirname "$0")/lib.sh"
need_agent
CYCLES=${KVGATE_TEST_CYCLES:-1000}
new_cgroup app && CG=$REPLY
configure < <(profile one 203.0.113.1 "/$SANDBOX-app/*")
start_agent

# cycle COUNT
cycle() {
	python3 - "$CG/brief" "$SCRATCH/bpf/agent/links" "$1" <<-'PYTHON'
		import os, sys, time
		cgroup, links, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
		for number in range(count):
		    os.mkdir(cgroup)
		    gate = f"{links}/{os.stat(cgroup).st_ino}/egress"
		    end = time.monotonic() + 20
		    while not os.path.exists(gate):
		        if time.monotonic() > end:
		            sys.exit(f"number {number} is not gated")
		        time.sleep(0.0005)
		    os.rmdir(cgroup)
	PYTHON
}

# The canary's gate is there as soon as a self-check was, and stays.
has_canary() { [[ -d $AGENT_CG/kvgate.canary ]]; }
nothing_pinned() { [[ $(ls "$SCRATCH/bpf/agent/links") == $(stat -c %i "$AGENT_CG/kvgate.canary") ]]; }
descriptors() { find "/proc/$AGENT/fd" -mindepth 1 | wc -l; }
memory_kb() { awk '$1 == "RssAnon:" { print $2 }' "/proc/$AGENT/status"; }

wait_for 15 has_canary || fail "no self-check: $(<"$LOG")"
cycle 200
wait_for 10 nothing_pinned || fail "left: $(ls "$SCRATCH/bpf/agent/links")"
fds=$(descriptors)
kb=$(memory_kb)
cycle "$CYCLES"
wait_for 10 nothing_pinned || fail "left: $(ls "$SCRATCH/bpf/agent/links")"
sleep 0.5
same "descriptors" "$fds" "$(descriptors)"
(($(memory_kb) < kb + 512)) || fail "memory grew from $kb KiB to $(memory_kb)"
echo "$CYCLES cycles: descriptors $fds, $(descriptors); KiB $kb, $(memory_kb)"
stop_agent
