#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause

. "$(dirname "$0")/lib.sh"
cd "$TOP"

diff <(make -pnq -s MAKEFLAGS= help 2>/dev/null | sed -n 's/^\.PHONY: //p' | tr ' ' '\n' | sort -u) \
	<(make -s MAKEFLAGS= help | awk '{ print $1 }' | sort) || fail "make help does not fit .PHONY"
