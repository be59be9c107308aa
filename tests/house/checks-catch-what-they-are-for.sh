#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A check that never fails proves nothing: each gets a slip to find.

. "$(dirname "$0")/lib.sh"

# finds CHECK FILE TEXT WORDS: with TEXT at the end of FILE the check fails, and says WORDS
finds() {
	local check=$1 file=$2 text=$3 words=$4 said
	mkdir -p "${file%/*}"
	[[ ! -e $file ]] || cp "$file" "$SCRATCH/before"
	printf '%b\n' "$text" >>"$file"
	said=$("tools/$check" . 2>&1) && fail "$check did not see: $text"
	grep -qF -- "$words" <<<"$said" || fail "$check did not say '$words', but: $said"
	if [[ -e $SCRATCH/before ]]; then mv "$SCRATCH/before" "$file"; else rm "$file"; fi
}

# A tree with nothing in it to find.
cd "$SCRATCH"
mkdir -p include bpf vmlinux user tests/bpf .ci
cp -r "$TOP/tools" tools
rm -rf tools/demo tools/bench
cp "$TOP/Makefile" .
lines() { printf "\\\\t$1;\\\\n%.0s" $(seq "$2"); }

finds check-includes user/base/slip.c '#include "policy/policy.h"' 'stands after user/base'
finds check-includes user/gate/slip.h '#include "cmd/command.h"' 'stands after user/gate'
finds check-includes user/policy/slip.c '#  include <bpf/libbpf.h>' 'is for user/gate alone'
finds check-includes user/cmd/slip.c '#include "bpf/cgroup.skel.h"' 'is for user/gate alone'
finds check-includes user/agent/slip.c '#include <netlink/netlink.h>' 'is for user/gate alone'
finds check-includes include/kvg_slip.h '#include <stdlib.h>' 'is not for a header'
finds check-includes bpf/slip.bpf.h '#include "base/log.h"' 'is user space'

finds check-sizes user/base/slip.c "int slip(void)\n{\n$(lines 'slip()' 79)}" 'slip() has more than 80 lines'
finds check-sizes user/base/slip.c 'int slip(int a, int b, int c, int d, int e, int f)\n{\n}' \
	'slip() has more than 5 parameters'
finds check-sizes user/base/slip.c "$(lines '' 601)" 'more than 600 lines'

finds check-licences user/base/slip.c 'int slip;' 'slip.c: no SPDX line'
finds check-licences bpf/slip.bpf.c '// SPDX-License-Identifier: MIT' 'slip.bpf.c: no SPDX line'

# And what is right passes.
mkdir -p user/policy
printf '%s\n' '/* SPDX-License-Identifier: BSD-2-Clause */' '#include "base/log.h"' \
	'int slip(int a, int (*f)(int, int, int), int b, int c, int d)' '{' '}' >user/policy/slip.c
for check in includes sizes licences; do
	"tools/check-$check" . || fail "check-$check refuses what is right"
done
