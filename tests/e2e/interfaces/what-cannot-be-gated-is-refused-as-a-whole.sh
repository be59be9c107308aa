#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# If a way out of the container cannot be judged on the host, or what was named is none, nothing is
# attached: the message names the interface or the process, and says why.
. "$(dirname "$0")/lib.sh"
container udp/9000

refuses 'process 1073741824: No such process' attach --pid 1073741824 "$CG"
refuses 'is in cgroup' attach --pid $$ "$CG"

# The host's own network namespace, which kvgate runs in.
spawn_inside "$HOST" "$CG" sleep 1000
wait_for 5 in_cgroup "$REPLY" "$CG" || fail "the process is not in its cgroup"
refuses 'shares the network namespace' attach --pid "$REPLY" "$CG"

refuses 'no interface "none"' attach --interface none "$CG"
refuses '"br0" is not the host side' attach --interface br0 "$CG"
ip -n "$HOST" link add one type veth peer name other
refuses '"one" is not the host side' attach --interface one "$CG"
refuses 'lo" is not the host side' attach --interface lo "$CG"
refuses '--dhcp goes with' attach --dhcp "$CG"

# A tap leads to a process, and that anywhere.
if inside_netns "$CLIENT" ip tuntap add tap7 mode tap 2>/dev/null; then
	refuses '"tap7" of kind tun: its packets go to a process' attach --pid "$INSIDE" "$CG"
	ip -n "$CLIENT" link del tap7
fi
for kind in macvlan ipvlan; do
	if ip -n "$HOST" link add link server name sub7 type "$kind" 2>/dev/null; then
		ip -n "$HOST" link set sub7 netns "$CLIENT"
		refuses "\"sub7\" of kind $kind: its packets go out by a host" attach --pid "$INSIDE" "$CG"
		ip -n "$CLIENT" link del sub7
	else
		echo "note: this kernel has no $kind"
	fi
done

# The other end is in a third namespace.
new_netns third && third=$REPLY
ip -n "$CLIENT" link add eth7 type veth peer name far netns "$third"
refuses 'other end of "eth7".*run it there' attach --pid "$INSIDE" "$CG"
ip -n "$CLIENT" link del eth7

ip -n "$CLIENT" link del eth0
refuses 'no network interface but loopback' attach --pid "$INSIDE" "$CG"
