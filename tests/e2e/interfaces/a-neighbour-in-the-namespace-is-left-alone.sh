#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A process of another cgroup in the same network namespace keeps its connections and opens new ones, TCP
# and UDP, and its services answer, whatever the gate's policy and its mode for inbound connections are.
. "$(dirname "$0")/lib.sh"
container tcp/443 udp/9000
new_cgroup sidecar && SIDECAR=$REPLY
keep old "$CLIENT" "$SIDECAR" tcp "$OTHER" 443
spawn_inside "$CLIENT" "$SIDECAR" "$E2E/serve" "$SCRATCH/inside" tcp/8081
wait_for 5 grep -q '^ready' "$SCRATCH/inside" || fail "the service did not start"

gate_by --inbound deny
tell old
holds "$SAID" answered
for address in "$OTHER" 2001:db8:99::1; do
	sidecar "$E2E/probe" tcp "$address" 443 || fail "TCP to $address does not pass"
	sidecar "$E2E/probe" udp "$address" 9000 || fail "UDP to $address does not pass"
	refused tcp "$address" 443
	refused udp "$address" 9000
done
server "$E2E/probe" tcp 192.0.2.2 8081 || fail "its service does not answer"
server "$E2E/probe" tcp 2001:db8::2 8081 || fail "its service does not answer"

# What it ends is over on the other side, too: the last acknowledgement is the kernel's.
sidecar python3 -c 'import socket, sys, time
sock = socket.create_connection((sys.argv[1], 443))
sock.recv(6)
time.sleep(0.1)
sock.close()' "$OTHER"
last_ack() { server cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == "09"'; }
all_over() { [[ -z $(last_ack) ]]; }
wait_for 2 all_over || fail "still waits for an acknowledgement: $(last_ack)"

# What it has of its own is not the client's: a socket of the same port and destination.
refused tcp "$OTHER" 443
tell old
holds "$SAID" answered
