/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets to hand to the programs, from the IP header on. Checksums are zero: nobody looks at them. */
#ifndef KVG_TESTS_BPF_PACKET_H
#define KVG_TESTS_BPF_PACKET_H

#include <linux/types.h>
#include <stddef.h>

#define KVG_PACKET_SOURCE4 "203.0.113.1"
#define KVG_PACKET_SOURCE6 "2001:db8:ffff::1"
#define KVG_PACKET_SPORT   40312

/** struct kvg_packet_bytes - a packet and how long it is */
struct kvg_packet_bytes {
	unsigned char bytes[256];
	size_t size;
};

/** kvg_packet_start() - a plain IPv4 or IPv6 header, as @daddr is; any @protocol */
void kvg_packet_start(struct kvg_packet_bytes *packet, const char *daddr, __u8 protocol);

/** kvg_packet_add() - more bytes; the header's length follows */
void kvg_packet_add(struct kvg_packet_bytes *packet, const void *bytes, size_t size);

/** kvg_packet_add_zeros() - @size more bytes */
void kvg_packet_add_zeros(struct kvg_packet_bytes *packet, size_t size);

/** kvg_packet_add_tcp() - a TCP header without options: a SYN */
void kvg_packet_add_tcp(struct kvg_packet_bytes *packet, __u16 dport);

/** kvg_packet_add_udp() - a UDP header */
void kvg_packet_add_udp(struct kvg_packet_bytes *packet, __u16 dport);

/** kvg_packet_tcp() - a whole SYN */
void kvg_packet_tcp(struct kvg_packet_bytes *packet, const char *daddr, __u16 dport);

/** kvg_packet_udp() - a whole datagram without payload */
void kvg_packet_udp(struct kvg_packet_bytes *packet, const char *daddr, __u16 dport);

#endif
