#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Process, interface and namespace may end at any time: attach says so and attaches nothing, status says
# so, and detach removes what there is; a gated interface that is gone takes its programs along.
. "$(dirname "$0")/lib.sh"
need_program bpftool
need_program jq
container udp/9000

# brief SECONDS: a process of the container that may end before anybody has looked
brief() {
	# shellcheck disable=SC2016
	spawn bash -c 'echo 0 >"$1/cgroup.procs" && exec nsenter --net="$2" -- sleep "$3"' brief \
		"$CG" "/run/netns/$CLIENT" "$1"
}

# A process that ends: before, and while it is looked at.
brief 0.1
wait_for 5 process_gone "$REPLY"
refuses 'No such process' attach --pid "$REPLY" "$CG"
for i in {1..40}; do
	brief "0.00$i"
	if said=$(attach --pid "$REPLY" "$CG" 2>&1); then
		kvgate detach "$CG" >/dev/null
	else
		holds "$said" "process $REPLY"
	fi
	nothing_attached
done

gate
program=$(bpftool -j prog show pinned "$(find "$SCRATCH/bpf" -name kvg_tc)" | jq .id)
program_gone() { ! bpftool prog show id "$program"; }
program_gone >/dev/null 2>&1 && fail "it is not loaded at all"
ip -n "$HOST" link del "$PORT"
said=$(kvgate status) && fail "not noticed"
holds "$said" 'problem .*"client" is gone'
kvgate detach "$CG" >/dev/null
nothing_attached
wait_for 5 program_gone || fail "the program is still there"

# The container's namespace ends with all that is in it, and the gate goes with detach --all.
ip -n "$CLIENT" link add eth0 type veth peer name "$PORT" netns "$HOST"
gate
end_process "$INSIDE" || true
ip netns del "$CLIENT"
port_gone() { ! ip -n "$HOST" link show "$PORT"; }
wait_for 5 port_gone || fail "the veth outlives its namespace"
said=$(kvgate status) && fail "not noticed"
holds "$said" 'is gone'
kvgate detach --all >/dev/null
nothing_attached
