#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A profile that a person holds at a policy has that policy also for containers that start while there is no
# agent, and not the last good one.
. "$(dirname "$0")/lib.sh"
need_runtime runc
configure < <(profile_for 'labels: { who: "vault" }' | sed 's/203.0.113.1/203.0.113.2/')
keep_policy
mkdir -p "$SCRATCH/state/history/vault"
cp "$SCRATCH/state/policies/vault.json" "$SCRATCH/state/history/vault/held.json.later"
configure < <(profile_for 'labels: { who: "vault" }')
keep_policy
start_box vault
first_was refused
remove_box
: >"$SERVED"

mv "$SCRATCH/state/history/vault/held.json.later" "$SCRATCH/state/history/vault/held.json"
start_box vault
holds "$(<"$SCRATCH/out/other")" "^hello$"
holds "$(<"$SCRATCH/out/vault")" "Operation not permitted"
! grep -q " 203.0.113.1$" "$SERVED" || fail "it got out: $(<"$SERVED")"
