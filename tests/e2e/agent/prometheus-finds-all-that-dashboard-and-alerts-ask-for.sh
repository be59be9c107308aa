#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real Prometheus scrapes the agent: `promtool check metrics` has nothing to say, every query of the dashboard
# finds something, every rule is evaluated, none names a metric or a label that the agent does not have, and
# what goes wrong on the node raises an alert.
. "$(dirname "$0")/lib.sh"
need_agent
need_program prometheus
need_program promtool
need_program curl
own_address && AT=$REPLY
RULES=$TOP/packaging/prometheus
PROMETHEUS=$AT:9090

new_network
serve tcp/443
new_cgroup app && CG=$REPLY
CONFIGURE="metrics: { listen: \"$AT:9435\" }
audit: { file: $SCRATCH/record.jsonl }"
configure < <(profile app 203.0.113.1 "/$SANDBOX-app*")
start_agent
wait_gated "$CG" app

# The shipped rules, and a scrape every second instead of every minute.
cat >"$SCRATCH/prometheus.yml" <<-YAML
	global: { scrape_interval: 1s, evaluation_interval: 1s }
	rule_files: [ $RULES/kvgate.rules.yml ]
	scrape_configs:
	  - job_name: kvgate
	    static_configs: [ { targets: [ "$AT:9435" ] } ]
YAML
spawn prometheus --config.file="$SCRATCH/prometheus.yml" --storage.tsdb.path="$SCRATCH/prometheus" \
	--web.listen-address="$PROMETHEUS" --log.level=warn 2>"$SCRATCH/prometheus.log"

# finds QUERY: at least one series
finds() {
	curl -sf --max-time 5 --data-urlencode "query=$1" "http://$PROMETHEUS/api/v1/query" |
		grep -q '"metric"'
}
wait_for 30 finds 'up{job="kvgate"} == 1' || fail "nothing is scraped: $(<"$SCRATCH/prometheus.log")"

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
	"$E2E/agent/queries" "$PROMETHEUS" "$TOP/packaging/grafana/kvgate.json" "$SCRATCH/metrics" \
		"$RULES/kvgate.rules.test.yml" >"$SCRATCH/faults"
}
wait_for 10 ask_all || fail "$(<"$SCRATCH/faults")"
cat "$SCRATCH/faults"

# Whose labels are they? Nothing that a client could multiply.
allowed=' (version|profile|mode|family|cloud|kind|reason|sink|le) '
for label in $(grep -v '^#' "$SCRATCH/metrics" | grep -oE '[{,][a-z_]+="' | tr -d '{,="' | sort -u); do
	[[ " $label " =~ $allowed ]] || fail "a label '$label' of the metrics: is the number of its values bounded?"
done
stop_agent
