#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a program says, and what it no longer says because it died, adds up in the last line.

. "$(dirname "$0")/lib.sh"

# script PATH LINE...: an executable
script() {
	mkdir -p "${1%/*}"
	printf '#!/bin/bash\n' >"$1"
	printf '%s\n' "${@:2}" >>"$1"
	chmod +x "$1"
}

cd "$SCRATCH"
mkdir -p tests/unit tests/e2e
cp "$TOP/tests/run" tests/
script bin/make 'exit 0'
export PATH=$SCRATCH/bin:$PATH

# unit NAME LINE...: a cmocka program
unit() {
	touch "tests/unit/test_$1.c"
	script "build-san/tests/unit/test_$1" "${@:2}"
}

expect() {
	local said
	said=$(tests/run --build "$SCRATCH/build" unit e2e) && [[ $1 != *' 0 failed'* ]] &&
		fail "ended with 0"
	[[ $(tail -n 1 <<<"$said") == "$1" ]] || fail "expected '$1' at the end of: $said"
}

# Two builds pass, too.
unit good 'echo 1..2' 'echo ok 1 - a' 'echo ok 2 - b'
script tests/e2e/passes.sh 'exit 0'
expect '5 passed, 0 failed, 0 skipped'

unit skipping 'echo 1..2' 'echo ok 1 - a' 'echo "SKIP: no data"' 'echo "not ok 2 # SKIP b"'
script tests/e2e/skips.sh 'echo "SKIP: no reason to run"' 'exit 77'
expect '6 passed, 0 failed, 2 skipped'

script tests/e2e/skips-in-silence.sh 'exit 77'
expect '6 passed, 1 failed, 2 skipped'

script tests/e2e/fails.sh 'exit 1'
unit failing 'echo 1..2' 'echo ok 1 - a' 'echo not ok 2 - b' 'exit 1'
expect '7 passed, 3 failed, 2 skipped'

unit dying 'echo 1..5' 'echo ok 1 - a' 'kill -SEGV $$'
expect '8 passed, 7 failed, 2 skipped'

unit leaking 'echo 1..1' 'echo ok 1 - a' 'exit 1'
expect '9 passed, 8 failed, 2 skipped'

unit silent 'exit 0'
expect '9 passed, 9 failed, 2 skipped'
