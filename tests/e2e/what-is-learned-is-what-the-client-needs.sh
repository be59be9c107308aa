#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A client runs behind a gate that only records; the profile that is proposed from its record lets
# through what a vault client needs, keeps the thief's flow refused, and says so.
. "$(dirname "$0")/lib.sh"
need_kvgate
need_program jq
new_network
serve tcp/443 tcp/22
prepare_run

client "${RUN[@]}" --functions none --mode audit --allow 192.0.2.53/32=udp/53 \
	--audit-file "$SCRATCH/record" -- bash -c "
	'$E2E/probe' tcp 198.51.100.129 443 && '$E2E/probe' tcp 198.51.100.129 443 &&
	'$E2E/probe' tcp 203.0.113.9 443 && '$E2E/probe' tcp 203.0.113.9 22" >/dev/null 2>&1 ||
	fail "audit mode did not let the client through"

status=0
kvgate learn --ranges "$RANGES" "$SCRATCH/record" >"$SCRATCH/learned.yaml" || status=$?
same "exit status" 3 "$status"
said=$(<"$SCRATCH/learned.yaml")
holds "$said" '^# +198\.51\.100\.129:443/tcp +[0-9]+ x by probe: AzureKeyVault.WestEurope \(data\)$'
holds "$said" '^# +203\.0\.113\.9:22/tcp +[0-9]+ x by probe: no document'
holds "$said" '^    functions: \[data\]$'
holds "$said" '^    regions: \[westeurope\]$'

explain() { kvgate explain --config "$SCRATCH/learned.yaml" --ranges "$RANGES" "$1" >/dev/null 2>&1; }
explain 198.51.100.129:443 || fail "the vault is refused"
status=0
explain 203.0.113.9:443 || status=$?
same "the thief" 3 "$status"

echo 'torn {"@time' >>"$SCRATCH/record"
status=0
said=$(kvgate learn --ranges "$RANGES" --json "$SCRATCH/record" 2>"$SCRATCH/fault") || status=$?
same "exit status with a torn line" 1 "$status"
holds "$(<"$SCRATCH/fault")" "record:[0-9]+: no record, passed over"
same "the profile of a torn record" '["data"]' "$(jq -c .profile.functions <<<"$said")"

status=0
kvgate learn --ranges "$RANGES" /dev/null 2>"$SCRATCH/fault" || status=$?
same "exit status without records" 1 "$status"
holds "$(<"$SCRATCH/fault")" 'nothing to learn from'
status=0
kvgate learn --ranges "$RANGES" --functions data "$SCRATCH/record" 2>"$SCRATCH/fault" || status=$?
same "exit status of what is to be learned" 2 "$status"
for mode in enforce audit; do
	status=0
	kvgate compile --ranges "$RANGES" --resolver none --crl-hosts none --functions none,data \
		--mode "$mode" >/dev/null 2>"$SCRATCH/fault" || status=$?
	same "none and data" 2 "$status"
done
