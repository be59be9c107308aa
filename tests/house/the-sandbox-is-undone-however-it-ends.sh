#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Success or failure: namespaces, cgroups, mounts, processes and files of a sandbox are gone, and its
# exit status is what it should be.

. "$(dirname "$0")/lib.sh"
[[ $EUID == 0 ]] || { echo "SKIP: needs root"; exit 77; }
[[ -n $CGROUPS ]] || { echo "SKIP: no cgroup v2 is mounted"; exit 77; }

cat >"$SCRATCH/scene" <<END
. "$TOP/tools/sandbox.sh"
new_network
new_bpffs
new_cgroup outer
new_cgroup outer/inner
inside_cgroup "\$REPLY" setsid sleep 1000 &
spawn_in "\$CLIENT" sleep 1000
echo "\$SANDBOX" >"$SCRATCH/name"
\$1
END

# left NAME: what bears the name of the sandbox
left() {
	ip netns list | grep -F "$1"
	grep -F "$1" /proc/self/mountinfo
	ls -d "$CGROUPS/$1"* "/tmp/$1."* 2>/dev/null
	pgrep -f "/run/netns/$1"
} || true

# ends EXPECTED ENDING
ends() {
	local status=0
	rm -f "$SCRATCH/name"
	bash "$SCRATCH/scene" "$2" 2>/dev/null || status=$?
	[[ $status == "$1" ]] || fail "$2: ended with $status, not $1"
	[[ -z $(left "$(cat "$SCRATCH/name")") ]] || fail "$2: left $(left "$(cat "$SCRATCH/name")")"
}

ends 0 true
ends 1 false
ends 3 'exit 3'
