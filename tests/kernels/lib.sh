# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What the scripts here share: where they keep what they have made, and how they give up. To be
# sourced by bash.

set -euo pipefail
export LC_ALL=C

# Kernels and the root file system are made once; throwing the folder away is always fine.
CACHE=${KVGATE_KERNELS_CACHE:-${XDG_CACHE_HOME:-/var/cache}/kvgate-kernels}

die() {
	echo "$(basename "$0"): $*" >&2
	exit 1
}

# Not a fault of what is tested: the caller reports a skip.
skip() {
	echo "SKIP: $*"
	exit 77
}

need_programs() {
	local name
	for name; do
		command -v "$name" >/dev/null || skip "needs $name (tools/deps test)"
	done
}

# enter_cache: alone in it until this script ends, also if two of them run
enter_cache() {
	mkdir -p "$CACHE"
	cd "$CACHE"
	exec 9>lock
	flock 9
	rm -rf making.* # of somebody who was killed
	WORK=$(mktemp -d "$CACHE/making.XXXXXX")
	trap 'rm -rf "$WORK"' EXIT
	trap 'exit 130' HUP INT TERM
}

# image FOLDER FILE: an ext4 file system of what is in it; nothing is mounted for that
image() {
	local megabytes
	megabytes=$(du -sm "$1" | cut -f1)
	mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$1" "$2.new" "$((megabytes * 11 / 10 + 32))M" >/dev/null
	mv "$2.new" "$2"
}
