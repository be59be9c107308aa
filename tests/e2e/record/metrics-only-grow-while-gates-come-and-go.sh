#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What was refused and let through is added up by profile: a gate that goes, by a reload or with its cgroup,
# takes nothing along, and one that changes its profile leaves to the old one what was the old one's.
. "$(dirname "$0")/../agent/lib.sh"
need_agent
new_network
serve tcp/443
new_cgroup one && ONE=$REPLY
new_cgroup two && TWO=$REPLY
CONFIGURE="audit: { file: $SCRATCH/record.jsonl }"
configure < <(
	profile first 203.0.113.1 "/$SANDBOX-one"
	profile second 203.0.113.1 "/$SANDBOX-two"
)
start_agent
wait_gated "$ONE" first
wait_gated "$TWO" second

allowed() { metric "kvgate_packets_allowed_total{profile=\"$1\"}"; }
refused_of() { metric "kvgate_packets_refused_total{profile=\"$1\",reason=\"destination\"}"; }
flows_of() { metric "kvgate_flows_refused_total{profile=\"$1\",reason=\"destination\"}"; }
# kernel FIELD CGROUP
kernel() {
	{ kvgate status --json || true; } | python3 -c 'import json, sys
print(sum(gate[sys.argv[1]] for gate in json.load(sys.stdin)["gates"]
          if gate["cgroup"] == sys.argv[2]))' "$1" "${2#"$CGROUPS"}"
}
is() { [[ $("${@:2}") == "$1" ]]; }
# becomes VALUE COMMAND...
becomes() { wait_for 5 is "$@" || fail "${*:2}: expected '$1', got '$("${@:2}")'"; }

# Every reason is there before anything was refused.
same "refused before" 0 "$(refused_of first)"
same "flows before" 0 "$(flows_of first)"
same "allowed before" 0 "$(allowed first)"

CG=$ONE
reached tcp 203.0.113.1 443
for _ in 1 2 3; do refused tcp 203.0.113.2 443; done
refused tcp 203.0.113.3 443
becomes 4 refused_of first
same "flows" 2 "$(flows_of first)"
same "refused by the kernel" 4 "$(kernel refused_packets "$ONE")"
(($(kernel allowed_packets "$ONE") > 0)) || fail "nothing was let through"
becomes "$(kernel allowed_packets "$ONE")" allowed first
same "the other profile" "0 0" "$(refused_of second) $(allowed second)"

# Another profile, on the same gate; the answer to a reload comes when it is in force.
reached tcp 203.0.113.1 443
BEFORE=$(kernel allowed_packets "$ONE")
configure < <(
	profile second 203.0.113.1 "/$SANDBOX-two"
	profile third 203.0.113.1 "/$SANDBOX-one"
)
ask reload >/dev/null
wait_gated "$ONE" third
same "let through by the profile before" "$BEFORE" "$(allowed first)"
same "let through by the new one" 0 "$(allowed third)"
reached tcp 203.0.113.1 443
refused tcp 203.0.113.2 443
becomes "$(($(kernel allowed_packets "$ONE") - BEFORE))" allowed third
becomes 1 refused_of third
same "refused by the profile before" 4 "$(refused_of first)"

# The gate goes, and comes again: its kernel's counters are as old as its cgroup.
THIRD=$(allowed third)
configure < <(profile second 203.0.113.1 "/$SANDBOX-two")
ask reload >/dev/null
wait_open "$ONE"
same "let through, without a gate" "$THIRD" "$(allowed third)"
configure < <(
	profile second 203.0.113.1 "/$SANDBOX-two"
	profile third 203.0.113.1 "/$SANDBOX-one"
)
ask reload >/dev/null
wait_gated "$ONE" third
same "let through, with the gate again" "$THIRD" "$(allowed third)"

# The cgroup goes.
CG=$TWO
reached tcp 203.0.113.1 443
refused tcp 203.0.113.2 443
becomes 1 refused_of second
SECOND=$(allowed second)
wait_for 5 rmdir "$TWO"
wait_open "$TWO"
same "let through, without the cgroup" "$SECOND" "$(allowed second)"
same "refused, without the cgroup" 1 "$(refused_of second)"
stop_agent
same "sum of the lines" 6 "$(sum_of "$SCRATCH/record.jsonl")"
