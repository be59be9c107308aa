#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Connections that others open towards the client are answered, by socket: an outbound connection
# from the listener's own port is not an answer. `--inbound deny` refuses them with their own reason.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_network
serve tcp/9000
new_cgroup app && CG=$REPLY

# The service inside the gate, and somebody outside who asks it.
listen_inside() {
	spawn bash -c 'echo 0 >"$1/cgroup.procs"; exec nsenter --net="$2" -- "$3" "$4" tcp/443' \
		listen "$CG" "/run/netns/$CLIENT" "$E2E/serve" "$SCRATCH/service"
	wait_for 5 grep -q ready "$SCRATCH/service"
}
ask() { server "$E2E/probe" --timeout 1 tcp "$1" 443; }

kvgate attach --ranges "$RANGES" --resolver none "$CG"
listen_inside
ask 192.0.2.2 || fail "IPv4 was not answered"
ask 2001:db8::2 || fail "IPv6 was not answered"
ask 192.0.2.2 || fail "a second connection was not answered"

# Out of the listener's port, and into a port that others talk to the client from.
said=$(gated "$E2E/probe" --bind 443 tcp 203.0.113.9 9000) && fail "got out: $said"
holds "$said" '^EPERM|^EADDRINUSE'
refused tcp 203.0.113.9 9000

kvgate attach --ranges "$RANGES" --resolver none --inbound deny "$CG"
ask 192.0.2.2 && fail "was answered although the profile denies it"
holds "$(kvgate status)" '\(inbound_denied\)'
