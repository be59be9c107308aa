#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One client is refused as often as the kernel can, millions of times, each time another destination:
# attacker, kernel, metrics and the lines of the file have the same count. Meanwhile another client's refusals
# are in the file within a second or two, each told apart; the agent's memory and its share of a processor
# stay bounded, and what it writes does, too.
# Runs alone: a flood needs a processor.
. "$(dirname "$0")/../agent/lib.sh"
need_agent
FLOOD=${KVGATE%/*}/tests/e2e/record/flood
[[ -x $FLOOD ]] || skip "no $FLOOD: run make attacks first"

SECONDS_OF_FLOOD=300 # at most: it is ended when the other client has had its turn
RSS_MAX_KB=65536   # a table of 65,536 flows is remembered in 20 MB, and a sink's buffer is 1 MB
POT_LINES=40000    # the pot at once, then 2,048 a second and shares: see include/kvg_event.h
SECOND_LINES=3000

new_network
CONFIGURE="audit: { file: $SCRATCH/record.jsonl, journal: false }"
configure < <(
	profile attacked 203.0.113.1 "/$SANDBOX-attacker"
	profile quiet 203.0.113.1 "/$SANDBOX-quiet"
)
new_cgroup attacker && ATTACKER=$REPLY
new_cgroup quiet && QUIET=$REPLY
start_agent
wait_gated "$ATTACKER" attacked
wait_gated "$QUIET" quiet

# cpu_ms: processor time of the agent so far
cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' "/proc/$AGENT/stat"; }
# refused_by_kernel CGROUP
refused_by_kernel() {
	{ kvgate status --json || true; } | python3 -c 'import json, sys
print(sum(gate["refused_packets"] for gate in json.load(sys.stdin)["gates"]
          if gate["cgroup"] == sys.argv[1]))' "${1#"$CGROUPS"}"
}
packets() { metric "kvgate_packets_refused_total{profile=\"$1\",reason=\"$2\"}"; }
# sum_by PROFILE: "SUM LINES FOLDED-SUM" of its lines
sum_by() {
	python3 - "$SCRATCH/record.jsonl" "$1" <<'PYTHON'
import json, sys

total = lines = folded = 0
for line in open(sys.argv[1]):
    kvgate = json.loads(line)["kvgate"]
    if "lost" in kvgate:
        sys.exit(f"lost: {line}")
    if kvgate["profile"] == sys.argv[2]:
        total += kvgate["count"]
        lines += 1
        folded += kvgate["count"] * (kvgate.get("folded") == "destinations")
print(total, lines, folded)
PYTHON
}

CPU_BEFORE=$(cpu_ms)
spawn_inside "$CLIENT" "$ATTACKER" bash -c 'exec "$@" >"$0"' "$SCRATCH/flooded" \
	"$FLOOD" 198.51.100.0/24 "$SECONDS_OF_FLOOD" 2
FLOODER=$REPLY

# In the thick of it: what the pot holds is gone after a moment.
sleep 2
CG=$QUIET
SLOWEST=0
for port in 1001 1002 1003 1004 1005; do
	refused udp 203.0.113.77 "$port"
	start=${EPOCHREALTIME/./}
	wait_for 4 grep -q "\"ip\":\"203.0.113.77\",\"port\":$port}" "$SCRATCH/record.jsonl" ||
		fail "port $port of the quiet client is not in the record yet"
	((took = (${EPOCHREALTIME/./} - start) / 1000, SLOWEST = took > SLOWEST ? took : SLOWEST))
	process_gone "$FLOODER" && fail "the flood was over too early"
done
sleep 2
kill "$FLOODER"
wait "$FLOODER" || fail "the flood: $(<"$SCRATCH/flooded")"
read -r ATTEMPTS MS <"$SCRATCH/flooded"
CPU=$(($(cpu_ms) - CPU_BEFORE))
RSS=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$AGENT/status")

wait_for 5 test "$(packets attacked protocol)" -eq "$ATTEMPTS" || sleep 2
same "kernel's count" "$ATTEMPTS" "$(refused_by_kernel "$ATTACKER")"
same "metrics" "$ATTEMPTS" "$(packets attacked protocol)"
same "metrics of the quiet client" 5 "$(packets quiet protocol)"
same "flows of the quiet client" 5 \
	"$(metric 'kvgate_flows_refused_total{profile="quiet",reason="protocol"}')"
same "what the quiet client was let through" 0 \
	"$(metric 'kvgate_packets_allowed_total{profile="quiet"}')"
LOST=$(metric kvgate_events_lost_total)
stop_agent

read -r SUM LINES FOLDED <<<"$(sum_by attacked)"
same "sum of the lines" "$ATTEMPTS" "$SUM"
same "the quiet client's lines" "5 5 0" "$(sum_by quiet)"
((FOLDED > 0)) || fail "$ATTEMPTS refusals, and all were told apart"
((LINES < POT_LINES + MS * SECOND_LINES / 1000)) || fail "$LINES lines of one flood"
((RSS < RSS_MAX_KB)) || fail "the agent took $RSS kB"
((CPU * 4 < MS * 3 * PATIENCE)) || fail "the agent took $CPU ms of a processor in $MS ms"
echo "$ATTEMPTS refusals in $MS ms: $LINES lines, $FOLDED not told apart, $LOST events lost;" \
	"others' lines after $SLOWEST ms at most;" \
	"agent: $CPU ms of a processor, $RSS kB at most"
