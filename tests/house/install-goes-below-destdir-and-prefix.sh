#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause

. "$(dirname "$0")/lib.sh"
cd "$TOP"

MAKEFLAGS='' make -s O="${BUILD:-build}" install DESTDIR="$SCRATCH/root" PREFIX=/opt/kvg

diff - <(cd "$SCRATCH/root" && find . -type f ! -path '*/share/doc/*' -printf '%m %p\n' | sort -k 2) <<-'END'
	644 ./opt/kvg/lib/systemd/system/kvgate.service
	755 ./opt/kvg/sbin/kvgate
	644 ./opt/kvg/share/kvgate/gated-from-the-first-process.conf
	644 ./opt/kvg/share/kvgate/gated.conf
	644 ./opt/kvg/share/kvgate/grafana/kvgate.json
	644 ./opt/kvg/share/kvgate/kvgate.json
	644 ./opt/kvg/share/kvgate/prometheus/kvgate.rules.yml
	644 ./opt/kvg/share/man/man8/kvgate.8
END
diff <(cd docs && ls ./*.md ./*.json) <(cd "$SCRATCH/root/opt/kvg/share/doc/kvgate" && ls ./*)
if left=$(grep -r /usr/local/ "$SCRATCH/root/opt/kvg/lib" "$SCRATCH/root/opt/kvg/share/kvgate"); then
	fail "another prefix is named: $left"
fi
"$SCRATCH/root/opt/kvg/sbin/kvgate" --help >/dev/null || fail "what was installed does not run"
