#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Whoever opens a connection to a service behind the interface is answered, for as long as it lasts; who
# asks for a port that nobody listens on hears that. With `--inbound deny` the record says inbound_denied.
. "$(dirname "$0")/lib.sh"
container udp/9000
spawn_inside "$CLIENT" "$CG" "$E2E/serve" "$SCRATCH/inside" tcp/8080
wait_for 5 grep -q '^ready' "$SCRATCH/inside" || fail "the service did not start"
gate

asks() { server "$E2E/probe" --timeout 2 tcp "$@"; }
said=$(asks 192.0.2.2 8080) || fail "an IPv4 peer is not answered: $said"
said=$(asks 2001:db8::2 8080) || fail "an IPv6 peer is not answered: $said"

# One connection lives through flips, and through others coming and going.
mkfifo "$SCRATCH/lines"
server "$E2E/probe" --stay tcp 192.0.2.2 8080 <"$SCRATCH/lines" >"$SCRATCH/answers" &
exec {lines}>"$SCRATCH/lines"
for round in 1 2 3 4 5; do
	wait_for 5 has_lines "$SCRATCH/answers" "$round" || fail "no answer in round $round"
	gate_by --allow "203.0.113.$round/32=tcp/443"
	asks 192.0.2.2 8080 >/dev/null || fail "no answer after a flip"
	echo hello >&"$lines"
done
exec {lines}>&-
wait_for 5 has_lines "$SCRATCH/answers" 6
same "answers" 5 "$(grep -c answered "$SCRATCH/answers")"

for peer in 192.0.2.2 2001:db8::2; do
	said=$(asks "$peer" 81) && fail "port 81 is open"
	holds "$said" '^ECONNREFUSED [0-9]{1,2}\.'
done

gate_by --inbound deny
said=$(asks 192.0.2.2 8080) && fail "answered all the same"
holds "$said" TIMEDOUT
recorded egress inbound_denied
