#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Behind cgroup and interface programs a client reaches what the policy holds, in both families, also when
# it has to find its neighbours first; status counts what passed, and an interface refuses nothing of it.
. "$(dirname "$0")/lib.sh"
need_program jq
container tcp/443 udp/9000
gate_by --allow "$GOOD4/32=tcp/443" --allow "$GOOD6/128=tcp/443"

for _ in 1 2 3; do
	client ip neighbour flush all
	reached tcp "$GOOD4" 443
	reached tcp "$GOOD6" 443
	reached udp "$GOOD4" 9000
	reached udp "$GOOD6" 9000
	refused tcp "$OTHER" 443
	refused udp "$OTHER" 9000
done

interface() { kvgate status --json | jq ".gates[0].interfaces[0].$1"; }
same "interface" '"client"' "$(interface name)"
same "refused at the interface" 0 "$(interface refused_packets)"
(($(interface allowed_packets) > 30)) || fail "the interface counted $(interface allowed_packets) packets"
same "healthy" true "$(kvgate status --json | jq '.gates[0].healthy')"

# A long download and a long upload pass in whole: packets that are larger than the link's, too.
server bash -c 'head -c 20000000 /dev/zero | socat -u - tcp4-listen:9999,reuseaddr' &
client_in "$CG" true
attach --allow "192.0.2.1/32=tcp/9999" --pid "$INSIDE" "$CG" >/dev/null
wait_for 5 server bash -c 'ss -Hltn "sport = :9999" | grep -q .'
same "bytes" 20000000 "$(gated socat -u tcp4:192.0.2.1:9999 - | wc -c)"
