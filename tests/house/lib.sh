# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What tests of the house are written with: they work on a copy, never in the checkout.

# shellcheck source=../../tools/sandbox.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/sandbox.sh"

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# copy_tree: what a clone would hold, into $COPY; the working directory from now on
copy_tree() {
	COPY=$SCRATCH/tree
	mkdir "$COPY"
	tar -C "$TOP" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$COPY" -xf -
	cd "$COPY"
}
