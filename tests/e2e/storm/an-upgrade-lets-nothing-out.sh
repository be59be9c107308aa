#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Another kvgate takes over, with other programs or with another layout of its maps, newer or older: of
# a thousand tries a second nothing gets out, also if it is killed meanwhile, and the client goes on.
# Runs alone: a storm needs a processor.
. "$(dirname "$0")/lib.sh"
need_agent
need_storm
need_others
need_program bpftool
new_network
serve tcp/443

configure < <(profile one 203.0.113.1 "/$SANDBOX-app")
new_cgroup app && CG=$REPLY

# What the kernel runs for the cgroup at the packet hook.
tags() {
	bpftool cgroup show "$CG" effective -j | python3 -c 'import json, subprocess, sys
for program in json.load(sys.stdin):
    if program["attach_type"] in ("cgroup_inet_egress", "egress"):
        said = subprocess.run(["bpftool", "-j", "prog", "show", "id", str(program["id"])],
                              stdout=subprocess.PIPE, check=True).stdout
        print(json.loads(said)["tag"])'
}

# The link that holds the packet hook.
link() {
	bpftool -j link show pinned "$SCRATCH/bpf/$1/links/$(stat -c %i "$CG")/egress" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'
}

# take_over PROGRAM SET
take_over() {
	begin_agent "$1"
	await_agent
	wait_for 10 only_set "$2" || fail "sets: $(sets)"
	reached tcp 203.0.113.1 443
	refused tcp 203.0.113.9 443
	storm_holds
	kill_agent
}

start_agent
reached tcp 203.0.113.1 443
storm_begin
end_agent KILL
AGENT=
ours=$(tags) held_by=$(link agent)

take_over "$PROGRAMS" agent
[[ $(tags) != "$ours" ]] || fail "the programs were not replaced"
same "the link" "$held_by" "$(link agent)"
take_over "$KVGATE" agent
same "the programs" "$ours" "$(tags)"

take_over "$LAYOUT" agent-1
take_over "$KVGATE" agent

# Each of them in turn, killed at any instant.
for ((i = 0; i < 30; i++)); do
	case $((i % 3)) in
	0) begin_agent "$LAYOUT" ;;
	1) begin_agent "$PROGRAMS" ;;
	2) begin_agent ;;
	esac
	sleep "0.$(printf '%03d' $((RANDOM % 400)))"
	kill_agent
	storm_holds
done

begin_agent
await_agent
has_one_set() { [[ $(sets) =~ ^agent(-[0-9]+)?$ ]]; }
wait_for 10 has_one_set || fail "sets: $(sets)"
reached tcp 203.0.113.1 443
wait_for 25 healthy || fail "unhealthy: $(kvgate status)"
storm_end
