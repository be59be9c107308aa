#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause

. "$(dirname "$0")/lib.sh"
cd "$TOP"

MAKEFLAGS='' make -s O="${BUILD:-build}" install DESTDIR="$SCRATCH/root" PREFIX=/opt/kvg

diff - <(cd "$SCRATCH/root" && find . -type f -printf '%m %p\n' | sort -k 2) <<-'END'
	755 ./opt/kvg/sbin/kvgate
	644 ./opt/kvg/share/man/man8/kvgate.8
END
"$SCRATCH/root/opt/kvg/sbin/kvgate" --help >/dev/null || fail "what was installed does not run"
