#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The client's own addresses are reached where the kernel routes them through lo, and nobody is there
# means ECONNREFUSED, not EPERM; a listener inside does not open the way to the same port outside.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/8080 udp/8080
new_cgroup app && CG=$REPLY
kvgate attach --ranges "$RANGES" --resolver none "$CG"

spawn bash -c 'echo 0 >"$1/cgroup.procs"; exec nsenter --net="$2" -- "$3" "$4" tcp/8080 udp/8080' \
	listen "$CG" "/run/netns/$CLIENT" "$E2E/serve" "$SCRATCH/service"
wait_for 5 grep -q ready "$SCRATCH/service"

reached tcp 192.0.2.2 8080
reached tcp 2001:db8::2 8080
reached udp 192.0.2.2 8080
said=$(gated "$E2E/probe" tcp 192.0.2.2 8081) && fail "nobody listens there"
holds "$said" '^ECONNREFUSED'

refused tcp 203.0.113.9 8080
said=$(gated "$E2E/probe" --timeout 0.5 udp 203.0.113.9 8080) && fail "got out: $said"
same "what the server saw" ready "$(cat "$SERVED")"
