#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `promtool test rules`: each alert is raised for a bad node and not for a good one; and docs/operations.md
# names every alert.

. "$(dirname "$0")/lib.sh"
cd "$TOP/packaging/prometheus"
command -v promtool >/dev/null || { echo "SKIP: needs promtool"; exit 77; }

promtool check rules kvgate.rules.yml >"$SCRATCH/said" 2>&1 || fail "$(<"$SCRATCH/said")"
promtool test rules kvgate.rules.test.yml >"$SCRATCH/said" 2>&1 || fail "$(<"$SCRATCH/said")"
sed -n 's/^ *- alert: //p' kvgate.rules.yml >"$SCRATCH/alerts"
[[ -s $SCRATCH/alerts ]] || fail "there are no alerts"
while read -r alert; do
	grep -q "alertname: $alert\$" kvgate.rules.test.yml || fail "no test raises $alert"
	grep -q "\`$alert\`" "$TOP/docs/operations.md" || fail "docs/operations.md does not know $alert"
done <"$SCRATCH/alerts"
