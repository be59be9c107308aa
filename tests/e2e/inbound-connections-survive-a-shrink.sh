#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A connection that others opened to the client stays, whatever the policy loses; a profile that
# does not answer them closes it, for that reason.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_closing
need_program jq
new_network
serve tcp/443
new_cgroup app && CG=$REPLY
RECORD=$SCRATCH/record

gate() { kvgate attach --ranges "$RANGES" --resolver none --crl-hosts none "$@" "$CG"; }
gate --allow 203.0.113.9/32=tcp/443 --audit-file "$RECORD"
spawn_inside "$CLIENT" "$CG" "$E2E/serve" "$SCRATCH/service" tcp/443
wait_for 5 grep -q ready "$SCRATCH/service"

keep four "$SERVER" - tcp 192.0.2.2 443
keep six "$SERVER" - tcp 2001:db8::2 443
keep lost "$CLIENT" "$CG" tcp 203.0.113.9 443

holds "$(gate)" '1 connection closed'
tell four && holds "$SAID" answered
tell six && holds "$SAID" answered
tell lost && holds "$SAID" ECONNABORTED

holds "$(gate --inbound deny)" '2 connections closed'
reasons() {
	jq -r 'select(.event.action == "connection-closed" and .kvgate.generation == 3) | .event.reason' \
		"$RECORD" | xargs
}
both() { [[ $(reasons) == "inbound_denied inbound_denied" ]]; }
wait_for 3 both || fail "reasons: $(reasons)"
