#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/operations.md, followed literally: built and packed as its first section says, then installed,
# configured, killed, upgraded, rolled back and removed in a virtual machine with systemd and podman.
# Two versions are needed: the second one is the same source, compiled to other programs.

# shellcheck source=../kernels/lib.sh
. "$(dirname "$0")/../kernels/lib.sh"

HERE=$(realpath "$(dirname "$0")")
TOP=$(realpath "$HERE/../..")
KERNELS=$TOP/tests/kernels
BUILD=${BUILD:-$TOP/build}
OTHER=$BUILD-other
SECONDS_MAX=1500 # emulated; 3 minutes where nothing else runs

[[ -x $BUILD/kvgate ]] || skip "no $BUILD/kvgate: run make first"
need_programs qemu-system-x86_64 mke2fs make podman crun conmon openssl dnsmasq socat
[[ -e /lib/systemd/systemd && -e /usr/bin/dbus-daemon ]] ||
	skip "needs systemd and dbus on this machine, to copy them (tools/deps test)"

SCRATCH=$(mktemp -d)
QEMU=
leave() {
	[[ -z $QEMU ]] || kill "$QEMU" 2>/dev/null || true
	rm -rf "$SCRATCH"
}
trap leave EXIT
trap 'exit 130' HUP INT TERM

# package BUILD NAME: what the page's section "Build" makes, in a folder that looks like the project's
package() {
	local folder=$SCRATCH/clone-$2 log=$SCRATCH/log
	mkdir "$folder"
	find "$TOP" -mindepth 1 -maxdepth 1 ! -name '.*' ! -name 'build*' -exec ln -s {} "$folder/" \;
	(cd "$folder" && MAKEFLAGS=" -- O=$1" bash -e "$SCRATCH/blocks/Build/01.sh") >"$log" 2>&1 ||
		die "section Build of the page failed: $(tail -n 20 "$log")"
	mv "$folder/kvgate.tar.gz" "$SCRATCH/tree/$2.tar.gz"
}

mkdir -p "$SCRATCH/tree/tests/kernels" "$SCRATCH/tree/docs"
"$HERE/blocks" "$TOP/docs/operations.md" "$SCRATCH/blocks"
make -s -C "$TOP" O="$OTHER" BPF_OPT=-O1 all >"$SCRATCH/log" 2>&1 ||
	die "another version cannot be built: $(tail -n 20 "$SCRATCH/log")"
package "$BUILD" kvgate
package "$OTHER" kvgate-new

cp "$HERE/start" "$SCRATCH/tree/tests/kernels/inside"
cp -r "$HERE" "$TOP/tests/e2e" "$SCRATCH/tree/tests/"
cp "$TOP/docs/operations.md" "$SCRATCH/tree/docs/"

# The last line of what a script prints; a skip is the script's.
get() {
	local said status=0
	said=$("$@") || status=$?
	((status != 77)) || { tail -n 1 <<<"$said"; exit 77; }
	((status == 0)) || die "$1 failed"
	REPLY=$(tail -n 1 <<<"$said")
}
get "$KERNELS/get-kernel" "${KVGATE_VM_KERNEL:-6.1}" && KERNEL=$REPLY
get "$KERNELS/get-root" --for operations --with systemd --with systemd-sysv --with dbus \
	--with auditd --with podman --with libcurl4 --with gzip "$BUILD/kvgate" && ROOT=$REPLY

: >"$SCRATCH/results"
timeout "$SECONDS_MAX" "$KERNELS/boot" "$KERNEL" "$ROOT" "$SCRATCH/tree" "$SCRATCH/results" \
	>"$SCRATCH/console" 2>&1 &
QEMU=$!
wait "$QEMU" || true
QEMU=

cat "$SCRATCH/results"
grep -qx end "$SCRATCH/results" ||
	die "the machine did not come to its end: $(tail -n 20 "$SCRATCH/console")"
