#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A connection that is older than the gate gets no further packet out, unless the policy allows its
# destination; the refusal is counted.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/443 udp/53
new_cgroup app && CG=$REPLY

# keep NAME PROTOCOL ADDRESS PORT: a connection that tell() sends a line over
keep() {
	mkfifo "$SCRATCH/$1.in"
	spawn bash -c 'echo 0 >"$1/cgroup.procs"; shift; exec nsenter --net="$1" -- \
		"$2" --stay --timeout 1 "$3" "$4" "$5" <"$6.in" >"$6.out"' \
		keep "$CG" "/run/netns/$CLIENT" "$E2E/probe" "$2" "$3" "$4" "$SCRATCH/$1"
	exec {fd}>"$SCRATCH/$1.in"
	KEPT[$1]=$fd
	wait_for 5 grep -q reached "$SCRATCH/$1.out"
}
tell() {
	echo hello >&"${KEPT[$1]}"
	wait_for 5 test "$(wc -l <"$SCRATCH/$1.out")" -ge "$2"
	wait_for 5 lines "$SCRATCH/$1.out" "$2"
	SAID=$(sed -n "$2p" "$SCRATCH/$1.out")
}
lines() { (($(wc -l <"$1") >= $2)); }
declare -A KEPT

keep bad tcp 203.0.113.9 443
keep good tcp 198.51.100.1 443
keep dgram udp 203.0.113.9 53
tell bad 2 && holds "$SAID" answered
tell good 2 && holds "$SAID" answered
tell dgram 2 && holds "$SAID" answered

kvgate attach --ranges "$RANGES" --resolver none "$CG"

tell bad 3 && holds "$SAID" ETIMEDOUT
tell good 3 && holds "$SAID" answered
tell dgram 3 && holds "$SAID" EPERM

status=$(kvgate status --json)
holds "$status" '"flow": "tcp 203.0.113.9:443"'
