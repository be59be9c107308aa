#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The kernel's own sockets of a network namespace are in the cgroup of the process that made it, which
# for runc is the container's. Their neighbour discovery passes the gate.
. "$(dirname "$0")/lib.sh"
need_kvgate
new_cgroup app && CG=$REPLY
new_netns server && SERVER=$REPLY

spawn bash -c 'echo 0 >"$1/cgroup.procs" && exec unshare -n sleep 1000' maker "$CG"
maker=$REPLY
made() {
	local own
	own=$(readlink "/proc/$maker/ns/net") && [[ -n $own && $own != "$(readlink /proc/self/ns/net)" ]]
}
wait_for 5 made || fail "no namespace was made"
inside() { nsenter -t "$maker" -n -- "$@"; }
ip -n "$SERVER" link add eth0 type veth peer name eth0 netns "$maker"
inside ip address add 2001:db8::2/64 dev eth0 nodad
ip -n "$SERVER" address add 2001:db8::1/64 dev eth0 nodad
ip -n "$SERVER" link set eth0 up
inside ip link set eth0 up
wait_for 5 no_tentative "$SERVER"
spawn_in "$SERVER" "$E2E/serve" "$SCRATCH/served" tcp/443
wait_for 5 grep -q '^ready' "$SCRATCH/served" || fail "the server did not start"

kvgate attach --allow 2001:db8::/64=tcp/443 --ranges "$RANGES" --resolver none --crl-hosts none "$CG"
inside ip neighbour flush all
inside_cgroup "$CG" nsenter -t "$maker" -n -- "$E2E/probe" tcp 2001:db8::1 443 ||
	fail "the neighbour is not found"
# And the other way round: the server asks, the client's kernel answers.
inside ip neighbour flush all
ip -n "$SERVER" neighbour flush all
asked() {
	server timeout 1 bash -c 'echo >/dev/tcp/2001:db8::2/9' || true
	ip -n "$SERVER" neighbour show 2001:db8::2 | grep -q lladdr
}
wait_for 5 asked || fail "the client's kernel does not answer its neighbour"
