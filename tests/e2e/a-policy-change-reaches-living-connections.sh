#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# When a policy loses a destination, its living connections are refused from the next packet on; the
# others never notice the change, and when it comes back it is allowed again.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443
new_cgroup app && CG=$REPLY

gate() { kvgate attach --ranges "$RANGES" --resolver none "$@" "$CG"; }
gate --allow 203.0.113.9/32=tcp/443

mkfifo "$SCRATCH/in"
spawn bash -c 'echo 0 >"$1/cgroup.procs"; exec nsenter --net="$2" -- "$3" --stay --timeout 1 tcp \
	203.0.113.9 443 <"$4/in" >"$4/out"' keep "$CG" "/run/netns/$CLIENT" "$E2E/probe" "$SCRATCH"
exec {fd}>"$SCRATCH/in"
said() { (($(wc -l <"$SCRATCH/out") >= $1)); }
tell() {
	echo hello >&"$fd"
	wait_for 5 said "$1"
	SAID=$(sed -n "$1p" "$SCRATCH/out")
}
wait_for 5 said 1
tell 2 && holds "$SAID" answered

gate
tell 3 && holds "$SAID" ETIMEDOUT
refused tcp 203.0.113.9 443
reached tcp 198.51.100.1 443
holds "$(kvgate status --json)" '"generation": 2'

gate --allow 203.0.113.9/32=tcp/443
reached tcp 203.0.113.9 443
