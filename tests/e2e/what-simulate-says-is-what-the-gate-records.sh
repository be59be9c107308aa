#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A client behind a gate in audit mode is captured at the same time: of the capture `simulate` says, destination
# by destination, what the gate has recorded; so it does of the capture of all interfaces, and of `ss`.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program jq
need_program tcpdump
new_network
serve tcp/443 tcp/80 udp/53
new_cgroup app && CG=$REPLY
RECORD=$SCRATCH/record
PROFILE=(--ranges "$RANGES" --resolver none --crl-hosts none)

# capture FILE INTERFACE: until stop_captures
CAPTURES=()
capture() {
	# shellcheck disable=SC2016
	spawn nsenter --net="/run/netns/$CLIENT" -- bash -c \
		'exec tcpdump --immediate-mode -U -n -i "$2" -w "$1" 2>"$1.said"' capture "$@"
	CAPTURES+=("$REPLY")
	wait_for 5 grep -q 'listening on' "$1.said" || fail "tcpdump does not start: $(cat "$1.said")"
}
stop_captures() {
	kill -INT "${CAPTURES[@]}"
	for pid in "${CAPTURES[@]}"; do
		wait_for 5 eval "! kill -0 $pid 2>/dev/null" || fail "tcpdump does not end"
	done
}

kvgate attach "${PROFILE[@]}" --mode audit --audit-file "$RECORD" "$CG"
link=$(nsenter --net="/run/netns/$CLIENT" -- ip -j link | jq -r '[.[] | select(.ifname != "lo")][0].ifname')
capture "$SCRATCH/one.pcap" "$link"
capture "$SCRATCH/any.pcap" any

spawn_inside "$CLIENT" "$CG" "$E2E/serve" "$SCRATCH/service" tcp/8443
wait_for 5 grep -q ready "$SCRATCH/service"
server "$E2E/probe" --timeout 1 tcp 192.0.2.2 8443 || fail "the client's service does not answer"
reached tcp 203.0.113.9 443
reached tcp 203.0.113.9 80
reached tcp 198.51.100.1 443
reached tcp 2001:db8:bad::9 443
reached udp 203.0.113.9 53
keep open "$CLIENT" "$CG" tcp 203.0.113.77 443
sockets=$(nsenter --net="/run/netns/$CLIENT" -- ss -tnap)
recorded() { jq -r '"\(.destination.ip) \(.destination.port) \(.network.transport) \(.event.reason)"' "$RECORD" | sort -u; }
wait_for 5 eval '(($(recorded | wc -l) >= 5))' || fail "not all was recorded: $(recorded)"
stop_captures

# judged FILE [OPTION...]: as recorded() prints it
judged() {
	"$KVGATE" simulate "${PROFILE[@]}" --json "${@:2}" "$1" >"$SCRATCH/said" 2>"$SCRATCH/notes" && fail "$1: exit status 0"
	jq -r '.refused[] | (.destination | capture("^\\[?(?<ip>[^]]+?)\\]?:(?<port>[0-9]+)/(?<proto>.*)$")) as $d |
		"\($d.ip) \($d.port) \($d.proto) \(.reason)"' "$SCRATCH/said" | sort -u
}
same "capture of one interface" "$(recorded)" "$(judged "$SCRATCH/one.pcap")"
same "capture of all interfaces" "$(recorded)" "$(judged "$SCRATCH/any.pcap")"
same "answers to others" "answers from port 8443/tcp" \
	"$(jq -r '.allowed[] | select(.inbound) | .destination' "$SCRATCH/said")"
same "who the client is" '["192.0.2.2"]' \
	"$(judged "$SCRATCH/one.pcap" --client 192.0.2.2 >/dev/null; jq -c '.inputs[0].clients' "$SCRATCH/said")"

# What would be answered no more if inbound connections were denied.
holds "$("$KVGATE" simulate "${PROFILE[@]}" --inbound deny "$SCRATCH/one.pcap" 2>/dev/null || true)" \
	'answers from port 8443/tcp +inbound_denied'

# The connection that was open then, and none of the others.
holds "$(judged - <<<"$sockets")" '^203\.0\.113\.77 443 tcp destination$'

# Half of a capture is judged as far as it goes, and the exit status says so.
head -c -7 "$SCRATCH/one.pcap" >"$SCRATCH/cut.pcap"
status=0
"$KVGATE" simulate "${PROFILE[@]}" --json "$SCRATCH/cut.pcap" >"$SCRATCH/said" 2>"$SCRATCH/notes" || status=$?
same "exit status of a cut capture" 1 "$status"
holds "$(<"$SCRATCH/notes")" 'cut\.pcap: the capture ends in the middle'
same "it is judged" true "$(jq '.inputs[0].cut and .flows.refused > 0' "$SCRATCH/said")"
