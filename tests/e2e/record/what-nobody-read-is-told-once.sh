#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent is killed, and a flood comes that nobody reads: more than the ring and the pot hold. The next agent
# writes lines that add up to exactly what was refused, the one after it writes none; and a client whose
# cgroup is gone before the agent comes is counted, too.
. "$(dirname "$0")/../agent/lib.sh"
need_agent
FLOOD=${KVGATE%/*}/tests/e2e/record/flood
[[ -x $FLOOD ]] || skip "no $FLOOD: run make attacks first"
new_network
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
end_agent KILL

# flood CGROUP SECONDS: TIMES is how often it was refused
flood() {
	local ms
	read -r TIMES ms <<<"$(CG=$1 gated "$FLOOD" 198.51.100.0/24 "$2" 1)"
	((TIMES > 0 && ms > 0)) || fail "no flood"
}
flood "$ONE" 2
SUM=$TIMES
((SUM > 100000)) || skip "this machine does not flood: $SUM refusals in 2 s"
flood "$TWO" 0.2
((SUM += TIMES))
rmdir "$TWO"

start_agent
same "gates" "first 1 ${ONE#"$CGROUPS"}" "$(gates)"
stop_agent
same "sum of the lines" "$SUM" "$(sum_of "$SCRATCH/record.jsonl")"
same "sum of the lines of the one that is gone" "$TIMES" \
	"$(grep '"profile":"second"' "$SCRATCH/record.jsonl" >"$SCRATCH/gone" && sum_of "$SCRATCH/gone")"
grep -q '"folded":"destinations"' "$SCRATCH/record.jsonl" || fail "all were told apart"
LINES=$(wc -l <"$SCRATCH/record.jsonl")

start_agent
same "metrics of what was told already" 0 \
	"$(metric 'kvgate_packets_refused_total{profile="first",reason="protocol"}')"
stop_agent
same "lines" "$LINES" "$(wc -l <"$SCRATCH/record.jsonl")"
