# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What tests of the agent are written with, on top of ../lib.sh. An agent of the test's own: its
# configuration, folders and pins are below $SCRATCH, and its profiles are for the test's cgroups.
#
#	. "$(dirname "$0")/lib.sh"
#	need_agent
#	configure < <(profile one 203.0.113.1 "/$SANDBOX-one")
#	start_agent
#	new_cgroup one && CG=$REPLY
#	wait_gated "$CG" one
#	stop_agent

# shellcheck source=../lib.sh
[[ -n ${E2E:-} ]] || . "$(dirname "${BASH_SOURCE[0]}")/../lib.sh" # or of a test's other folder

CONFIG=$SCRATCH/etc/kvgate.yaml
LOG=$SCRATCH/agent.log
NOTIFIED=$SCRATCH/notified # what the service manager was told, one assignment a line
AGENT=                     # its process
AGENT_CG=                  # its cgroup

# need_agent: documents for the profiles are in place
need_agent() {
	[[ -d $SCRATCH/bpf ]] || need_kvgate
	need_program python3
	mkdir -p "$SCRATCH/etc" "$SCRATCH/state/ranges"
	cp "$RANGES"/*.json "$SCRATCH/state/ranges"
	new_cgroup agent && AGENT_CG=$REPLY
	spawn "$E2E/agent/notified" "$SCRATCH/notify" "$NOTIFIED"
	wait_for 5 test -S "$SCRATCH/notify" || fail "nobody listens for notifications"
}

# profile NAME ADDRESS PATTERN [LINE...]: to the usual places, and ADDRESS on tcp/443
profile() {
	cat <<-YAML
		  - name: $1
		    resolvers: [none]
		    crl: { hosts: none }
		    allow: [ { prefix: $2/32, service: tcp/443 } ]
		    select: [ { cgroup: "$3" } ]
	YAML
	shift 3
	(($# == 0)) || printf '    %s\n' "$@"
}

# configure: profiles on stdin become the configuration, in one rename. Several agents may run at once on
# this machine: only a test that says so listens.
configure() {
	{
		printf 'ranges: { refresh: 0 }\n%s\n' "${CONFIGURE:-}"
		[[ ${CONFIGURE:-} == *metrics:* ]] || echo "metrics: { listen: none }"
		echo "profiles:"
		cat
	} >"$CONFIG.new"
	mv "$CONFIG.new" "$CONFIG"
}

# agent_options: where this test's agent has its things
agent_options() {
	OPTIONS=(--config "$CONFIG" --state-dir "$SCRATCH/state" --run-dir "$SCRATCH/run"
		--bpffs-dir "$SCRATCH/bpf")
}

# start_agent [OPTION...]: returns when it says that it is ready
start_agent() {
	launch_agent "$@"
	wait_for 20 ready_or_gone || fail "the agent is not ready: $(<"$LOG")"
	told READY=1 || fail "the agent has ended: $(<"$LOG")"
}

# launch_agent [OPTION...]: does not wait
launch_agent() {
	local OPTIONS
	agent_options
	: >"$NOTIFIED"
	: >"$LOG"
	# shellcheck disable=SC2016
	spawn env NOTIFY_SOCKET="$SCRATCH/notify" bash -c 'echo 0 >"$1/cgroup.procs"; shift; exec "$@"' \
		launch_agent "$AGENT_CG" "$KVGATE" agent "${OPTIONS[@]}" "$@" 2>>"$LOG"
	AGENT=$REPLY
}

# own_address: REPLY is a loopback address of this test's own
own_address() { REPLY=127.$(($$ >> 16 & 63 | 128)).$(($$ >> 8 & 255)).$(($$ & 255)); }

# start_prometheus [NAME]: a real one scrapes the agent at $AT as the node NAME, each second instead of each
# minute, and has the shipped rules; $PROMETHEUS is its address
start_prometheus() {
	PROMETHEUS=$AT:9090
	cat >"$SCRATCH/prometheus.yml" <<-YAML
		global: { scrape_interval: 1s, evaluation_interval: 1s }
		rule_files: [ $TOP/packaging/prometheus/kvgate.rules.yml ]
		scrape_configs:
		  - job_name: kvgate
		    static_configs: [ { targets: [ "$AT:9435" ], labels: { instance: "${1:-$AT:9435}" } } ]
	YAML
	spawn prometheus --config.file="$SCRATCH/prometheus.yml" --storage.tsdb.path="$SCRATCH/prometheus" \
		--web.listen-address="$PROMETHEUS" --log.level=warn 2>"$SCRATCH/prometheus.log"
	wait_for 30 finds 'up{job="kvgate"} == 1' || fail "nothing is scraped: $(<"$SCRATCH/prometheus.log")"
}

# finds QUERY: Prometheus has at least one series
finds() {
	curl -sf --max-time 5 --data-urlencode "query=$1" "http://$PROMETHEUS/api/v1/query" |
		grep -q '"metric"'
}

# told TEXT: the service manager has heard this line
told() { grep -Fxq -- "$1" "$NOTIFIED"; }

ready_or_gone() { told READY=1 || process_gone "$AGENT"; }

# end_agent SIGNAL: STATUS is how it ended
end_agent() {
	kill -"$1" "$AGENT"
	STATUS=0
	wait "$AGENT" 2>/dev/null || STATUS=$?
}

# stop_agent: it must end well
stop_agent() {
	end_agent TERM
	same "exit status of the agent" 0 "$STATUS"
}

# agent_fails STATUS TEXT [OPTION...]: it does not start, and says why
agent_fails() {
	local OPTIONS status=0 said
	agent_options
	said=$(inside_cgroup "$AGENT_CG" "$KVGATE" agent "${OPTIONS[@]}" "${@:3}" 2>&1) || status=$?
	same "exit status" "$1" "$status"
	holds "$said" "$2"
}

# ask REQUEST: an answer of the control socket, as compact JSON; "metrics" as text
ask() { "$E2E/agent/ask" "$SCRATCH/run/control" "$@"; }

# metric NAME: its value; the name includes labels
metric() { ask metrics | awk -v name="$1" '$1 == name { print $2 }'; }

# gates: "PROFILE GENERATION CGROUP" of each gate, as the kernel has it
gates() {
	{ kvgate status --json || true; } | python3 -c 'import json, sys
for gate in json.load(sys.stdin)["gates"]:
    print(gate["profile"], gate["generation"], gate["cgroup"])'
}

# is_gated CGROUP PROFILE
is_gated() { grep -Eq "^$2 [0-9]+ ${1#"$CGROUPS"}$" <<<"$(gates)"; }
is_open() { ! grep -Eq " ${1#"$CGROUPS"}$" <<<"$(gates)"; }

wait_gated() { wait_for 10 is_gated "$@" || fail "$1 is not gated by $2: $(gates; cat "$LOG")"; }
wait_open() { wait_for 10 is_open "$@" || fail "$1 is still gated: $(gates)"; }

# wait_log PATTERN: a line of the agent's log
wait_log() { wait_for 10 grep -Eq -- "$1" "$LOG" || fail "'$1' is not in the log: $(<"$LOG")"; }

# generation CGROUP: how many policies its gate has had
generation() { gates | awk -v cgroup="${1#"$CGROUPS"}" '$3 == cgroup { print $2 }'; }
