#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each pattern of tests/kernels/quick fits a test: one that was renamed would be left out unseen.

. "$(dirname "$0")/lib.sh"
cd "$TOP"

mapfile -t names < <(find tests/bpf tests/e2e \( -name 'test_*.c' -o -name '*.sh' \) -printf '%f\n')
while read -r pattern; do
	[[ -n $pattern && $pattern != \#* ]] || continue
	for name in "${names[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ ${name%.*} != $pattern ]] || continue 2
	done
	fail "no test fits '$pattern'"
done <tests/kernels/quick
