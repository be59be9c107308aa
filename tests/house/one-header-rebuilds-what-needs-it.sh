#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Touch one header: exactly what includes it is made again. Touch nothing: nothing is.

. "$(dirname "$0")/lib.sh"

FLAGS="-std=gnu11 -D_GNU_SOURCE -Iinclude -Iuser -Ibuild"

# What make makes: "CC user/base/log.o", without the build folder.
made() {
	MAKEFLAGS='' make -j"$(nproc)" O=build all |
		awk '/^  [A-Z]/ { sub("^build/", "", $2); print $1, $2 }' | sort
}

# What ought to be made, as the preprocessor alone sees it.
needing() {
	local source
	for source in bpf/*.bpf.c; do
		clang -target bpf -MM -Iinclude -Ivmlinux -Ibpf "-I/usr/include/$(gcc -print-multiarch)" \
			"$source" | grep -qE "[ ]$1( |\$)" || continue
		source=${source%.bpf.c}
		echo "BPF $source.bpf.o"
		echo "SKEL $source.skel.h"
		grep -lF "\"$source.skel.h\"" user/*/*.c | sed -E 's/^(.*)\.c$/CC \1.o/'
	done
	for source in user/*/*.c; do
		# shellcheck disable=SC2086 # words
		gcc $FLAGS -MM "$source" | grep -qE "[ ]$1( |\$)" && echo "CC ${source%.c}.o"
	done
	echo "LINK kvgate"
}

copy_tree
made >/dev/null
[[ -z $(made) ]] || fail "a second make makes something"

for header in include/kvg_event.h bpf/parse.bpf.h user/policy/policy.h user/cmd/commands.h; do
	[[ -e $header ]] || fail "there is no $header"
	touch "$header"
	expected=$(needing "$header" | sort -u)
	diff <(echo "$expected") <(made | grep -v '^AR ') || fail "after touching $header"
done
