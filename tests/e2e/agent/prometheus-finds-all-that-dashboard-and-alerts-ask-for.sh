#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real Prometheus scrapes the agent: `promtool check metrics` has nothing to say, every query of the dashboard
# finds something, every rule is evaluated, none names a metric or a label that the agent does not have, and
# what goes wrong on the node raises an alert. The dashboard can be drawn from that, without Grafana.
. "$(dirname "$0")/lib.sh"
need_agent
need_program prometheus
need_program promtool
need_program curl
own_address && AT=$REPLY
DASHBOARD=$TOP/packaging/grafana/kvgate.json

new_network
serve tcp/443
new_cgroup app && CG=$REPLY
CONFIGURE="metrics: { listen: \"$AT:9435\" }
audit: { file: $SCRATCH/record.jsonl }"
configure < <(profile app 203.0.113.1 "/$SANDBOX-app*")
start_agent
wait_gated "$CG" app

start_prometheus

# Something of everything, twice: counters that grow are seen by what is there before.
traffic() {
	local i
	for i in 1 2 3; do
		reached tcp 203.0.113.1 443
		refused tcp "203.0.113.$((i + 8))" 443
	done
	new_cgroup "app-$1"
}
same "an alert before anything is wrong" 1 "$(finds 'ALERTS{alertname="KvgateConfigRefused"}' || echo 1)"
traffic one
wait_for 10 finds 'sum(kvgate_packets_allowed_total) > 0' || true # told by the queries below
sleep 2
traffic two
echo "profiles: [" >"$CONFIG"
wait_for 15 finds 'ALERTS{alertname="KvgateConfigRefused", alertstate="firing"}' || fail "no alert is raised"
wait_for 15 finds 'ALERTS{alertname="KvgateAgentProblems", alertstate="pending"}' ||
	fail "a problem of the agent is not seen"

curl -sf "http://$AT:9435/metrics" >"$SCRATCH/metrics"
said=$(promtool check metrics <"$SCRATCH/metrics" 2>&1) || fail "promtool check metrics: $said"
same "what promtool says of the metrics" "" "$said"

ask_all() {
	"$E2E/agent/queries" "$PROMETHEUS" "$DASHBOARD" "$SCRATCH/metrics" \
		"$TOP/packaging/prometheus/kvgate.rules.test.yml" >"$SCRATCH/faults"
}
wait_for 10 ask_all || fail "$(<"$SCRATCH/faults")"
cat "$SCRATCH/faults"

page=$SCRATCH/dashboard.html
draw() {
	"$TOP/tools/report/dashboard" --prometheus "$PROMETHEUS" --seconds 30 "$DASHBOARD" >"$page" 2>"$SCRATCH/faults" &&
		grep -q KvgateConfigRefused "$page"
}
wait_for 5 draw || fail "the dashboard is not drawn with the alert: $(<"$SCRATCH/faults")"
same "panels" "$(grep -c '"gridPos"' "$DASHBOARD")" "$(grep -o 'class="panel ' "$page" | wc -l)"
sed 's/"unit": "pps"/"unit": "furlong"/' "$DASHBOARD" >"$SCRATCH/other.json"
status=0
said=$("$TOP/tools/report/dashboard" --prometheus "$PROMETHEUS" "$SCRATCH/other.json" 2>&1) || status=$?
same "exit status of what cannot be drawn" 2 "$status"
holds "$said" "'Packets let through and refused': the unit furlong"
! grep -Eq '<script|(src|href)=|url\(' "$page" || fail "the page needs more than itself"

# Whose labels are they? Nothing that a client could multiply.
allowed=' (version|profile|mode|family|cloud|kind|reason|sink|le) '
for label in $(grep -v '^#' "$SCRATCH/metrics" | grep -oE '[{,][a-z_]+="' | tr -d '{,="' | sort -u); do
	[[ " $label " =~ $allowed ]] || fail "a label '$label' of the metrics: is the number of its values bounded?"
done
stop_agent
