#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the agent cannot gate by a policy does not start: an orchestrator tries again, until there is one.
. "$(dirname "$0")/lib.sh"
need_runtime runc
configure < <(profile_for 'labels: { who: "vault" }')
mv "$SCRATCH/state/ranges" "$SCRATCH/away"
start_agent
stays_out vault "container '$BOX' must not start: profile 'vault' is for it and has no policy"
start_box other
first_was reached
remove_box
: >"$SERVED"

mkdir -p "$SCRATCH/state/ranges"
cp "$SCRATCH"/away/*.json "$SCRATCH/state/ranges"
ask reload >/dev/null
start_box vault
first_was refused
stop_agent
