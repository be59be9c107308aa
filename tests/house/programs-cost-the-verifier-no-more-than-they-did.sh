#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# No BPF program has more instructions, or more for the verifier to follow, than tools/bench/costs.json says.

. "$(dirname "$0")/lib.sh"
cd "$TOP"

BUILD=${BUILD:-$TOP/build}
make --no-print-directory O="$BUILD" all "$BUILD/tests/kernels/load" >/dev/null
tools/bench/costs --build "$BUILD" programs
