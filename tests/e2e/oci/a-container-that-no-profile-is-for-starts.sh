#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A container that no profile is for starts and gets no gate: with an agent, without one, and also where
# no policy is to be had.
. "$(dirname "$0")/lib.sh"
need_runtime runc
configure < <(profile_for 'labels: { who: "vault" }')

start_box other
first_was reached
remove_box
[[ ! -e $SCRATCH/bpf/agent ]] || fail "something was put into the kernel"

keep_policy
start_box other
first_was reached
remove_box

start_agent
start_box other
first_was reached
is_open "$INSIDE" || fail "it is gated: $(gates)"
stop_agent
