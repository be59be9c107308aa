#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `status` shows of each gate the flows refused most often, also those that the agent has taken out of the
# kernel: in columns, the most frequent first; in colour on a terminal, unless NO_COLOR is set.
. "$(dirname "$0")/lib.sh"
need_agent
need_program script
new_network
serve tcp/443
new_cgroup app && CG=$REPLY
new_cgroup quiet && QUIET=$REPLY
configure < <(profile one 203.0.113.1 "/$SANDBOX-app"; profile two 203.0.113.1 "/$SANDBOX-quiet")
start_agent
wait_gated "$QUIET" two

refused tcp 203.0.113.200 443
for _ in 1 2 3; do refused udp 203.0.113.2 9; done
# flows CGROUP: "COUNT FLOW REASON" of each, as JSON has it
flows() {
	kvgate status --json | jq -r --arg cgroup "${1#"$CGROUPS"}" \
		'.gates[] | select(.cgroup == $cgroup).refused_flows[] | "\(.count) \(.flow) \(.reason)"'
}
taken() { [[ $(ask flows | jq '[.gates[].flows[].count] | add') == 4 ]]; }
wait_for 15 taken || fail "the agent does not remember them: $(ask flows)"
same "most frequent first" "3 udp 203.0.113.2:9 protocol
1 tcp 203.0.113.200:443 destination" "$(flows "$CG")"
same "flows of the quiet gate" "" "$(flows "$QUIET")"

said=$(kvgate status)
holds "$said" '^  refused   +3 x udp 203\.0\.113\.2:9     \(protocol\) by '
holds "$said" '^  refused   +1 x tcp 203\.0\.113\.200:443 \(destination\) by '
! grep -q $'\033' <<<"$said" || fail "colour where there is no terminal"
# on_terminal [VARIABLE=VALUE]: what it prints there
on_terminal() {
	env TERM=xterm "$@" script -qec "'$KVGATE' status --bpffs-dir '$SCRATCH/bpf' --state-dir '$SCRATCH/state' \
		--run-dir '$SCRATCH/run'" /dev/null </dev/null
}
grep -q $'\033\\[32mhealthy\033\\[0m' <<<"$(on_terminal)" || fail "no colour on a terminal"
! grep -q $'\033' <<<"$(on_terminal NO_COLOR=1)" || fail "colour in spite of NO_COLOR"

# Without the agent the kernel's own counts are shown.
stop_agent
refused tcp 203.0.113.200 443
same "without the agent" "1 tcp 203.0.113.200:443 destination" "$(flows "$CG")"
