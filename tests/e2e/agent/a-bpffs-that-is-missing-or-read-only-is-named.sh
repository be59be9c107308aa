#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An agent that finds no bpffs, or one that is mounted read-only, does not start and says which; one that runs
# keeps every gate, says what it cannot gate, and gates it when the file system takes pins again.
. "$(dirname "$0")/lib.sh"
need_agent
new_network
serve tcp/443
configure < <(profile one 203.0.113.1 "/$SANDBOX-app*")
new_cgroup app && CG=$REPLY
start_agent

hold_gate() {
	reached tcp 203.0.113.1 443
	refused tcp 203.0.113.2 443
}

mount -o remount,ro "$SCRATCH/bpf"
hold_gate
new_cgroup app-late && LATE=$REPLY
wait_log "'${LATE#"$CGROUPS"}' cannot be gated by profile 'one': .*$SCRATCH/bpf.*Read-only file system"
said=$(kvgate status) && fail "status should have ended with 1"
holds "$said" "problem .*Read-only file system"
configure < <(profile one 203.0.113.3 "/$SANDBOX-app*")
ask reload >/dev/null
reached tcp 203.0.113.3 443
refused tcp 203.0.113.1 443

end_agent KILL
agent_fails 1 "$SCRATCH/bpf.*Read-only file system"
reached tcp 203.0.113.3 443
refused tcp 203.0.113.1 443

mount -o remount,rw "$SCRATCH/bpf"
start_agent
wait_gated "$LATE" one
mount -o remount,ro "$SCRATCH/bpf"
new_cgroup app-later && LATER=$REPLY
wait_log "'${LATER#"$CGROUPS"}' cannot be gated"
mount -o remount,rw "$SCRATCH/bpf"
wait_for 15 is_gated "$LATER" one || fail "not tried again: $(<"$LOG")"
kvgate status >/dev/null || fail "still unhealthy: $(kvgate status)"
reached tcp 203.0.113.3 443
refused tcp 203.0.113.1 443
stop_agent

mkdir "$SCRATCH/none"
said=$(inside_cgroup "$AGENT_CG" "$KVGATE" agent --config "$CONFIG" --state-dir "$SCRATCH/state" \
	--run-dir "$SCRATCH/run" --bpffs-dir "$SCRATCH/none/kvgate" 2>&1) && fail "an agent without a bpffs has started"
holds "$said" "no bpffs at $SCRATCH/none.*mount -t bpf"
reached tcp 203.0.113.3 443
refused tcp 203.0.113.1 443
