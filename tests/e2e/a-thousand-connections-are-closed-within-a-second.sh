#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# 1,000 connections that lost their permission are closed in less than a second, among 500 that keep
# it, and each of them has its line in the record.
# Runs alone: it takes the time.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_closing
need_program jq
ulimit -n 4096 # inherited by the server, too
new_network
serve tcp/443
new_cgroup app && CG=$REPLY
RECORD=$SCRATCH/record
COUNT=1000

gate() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@" "$CG"; }
gate --allow 203.0.113.0/24=tcp/443 --audit-file "$RECORD"
hold good "$CLIENT" "$CG" --count 500 tcp 198.51.100.1 443 && GOOD=$HELD
hold bad "$CLIENT" "$CG" --count $COUNT tcp 203.0.113.9 443 && BAD=$HELD

start=${EPOCHREALTIME/./}
said=$(gate)
ms=$(((${EPOCHREALTIME/./} - start) / 1000))
holds "$said" "$COUNT connections closed"
((ms < 1000 * PATIENCE)) || fail "it took $ms ms"
echo "$COUNT connections in $ms ms, with all else that attach does"

wait_for 5 has_lines "$BAD" $((2 * COUNT)) || fail "not all ended: $(ends_of "$BAD")"
same "ends" "$COUNT ECONNABORTED" "$(ends_of "$BAD")"
same "ends of what is allowed" "" "$(ends_of "$GOOD")"
lines() {
	jq -r 'select(.event.action == "connection-closed") | .source.port' "$RECORD" | sort -u | wc -l
}
all() { (($(lines) == COUNT)); }
wait_for 5 all || fail "$(lines) lines"
