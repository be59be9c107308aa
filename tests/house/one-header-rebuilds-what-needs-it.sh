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

# "SOURCE HEADER...", as the preprocessor alone sees it
list_headers() {
	local source
	for source in bpf/*.bpf.c; do
		echo "$source $(clang -target bpf -MM -Iinclude -Ivmlinux -Ibpf \
			"-I/usr/include/$(gcc -print-multiarch)" "$source" | tr -d '\\\n')"
	done
	for source in user/*/*.c; do
		# shellcheck disable=SC2086 # words
		echo "$source $(gcc $FLAGS -MM "$source" | tr -d '\\\n')"
	done
}

# What ought to be made.
needing() {
	local source
	grep -E " $1( |\$)" "$SCRATCH/headers" | while read -r source _; do
		case $source in
		bpf/*)
			source=${source%.bpf.c}
			echo "BPF $source.bpf.o"
			echo "SKEL $source.skel.h"
			grep -lF "\"$source.skel.h\"" user/*/*.c | sed -E 's/^(.*)\.c$/CC \1.o/'
			;;
		*) echo "CC ${source%.c}.o" ;;
		esac
	done
	echo "LINK kvgate"
}

copy_tree
made >/dev/null
list_headers >"$SCRATCH/headers"
[[ -z $(made) ]] || fail "a second make makes something"

for header in include/kvg_event.h bpf/parse.bpf.h user/policy/policy.h user/cmd/commands.h; do
	[[ -e $header ]] || fail "there is no $header"
	touch "$header"
	expected=$(needing "$header" | sort -u)
	diff <(echo "$expected") <(made | grep -v '^AR ') || fail "after touching $header"
done
