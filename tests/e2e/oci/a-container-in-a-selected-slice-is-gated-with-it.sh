#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A profile that is for a cgroup above the container's gates that one, once, and so holds the container
# before its first packet; what is below another profile's as well is held by both.
. "$(dirname "$0")/lib.sh"
need_runtime runc
configure < <(
	profile_for "cgroup: \"/$SANDBOX-app\"" | sed 's/name: vault/name: slice/'
	profile_for "cgroup: \"/$SANDBOX-app/**\", labels: { who: \"vault\" }"
)
keep_policy
start_box other
same "gates" "slice 1 ${CG#"$CGROUPS"}" "$(gates)"
holds "$(<"$SCRATCH/out/other")" "Operation not permitted"
remove_box

start_box vault
first_was refused
is_gated "$CG" slice || fail "the slice is not gated: $(gates)"
is_gated "$INSIDE" vault || fail "the container is not gated: $(gates)"
