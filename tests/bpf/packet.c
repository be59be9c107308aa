// SPDX-License-Identifier: BSD-2-Clause
#include "packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

static void update_length(struct kvg_packet_bytes *packet)
{
	if (packet->bytes[0] >> 4 == 4) {
		struct iphdr *ip = (struct iphdr *)packet->bytes;

		ip->tot_len = htons(packet->size);
	} else {
		struct ip6_hdr *ip6 = (struct ip6_hdr *)packet->bytes;

		ip6->ip6_plen = htons(packet->size - sizeof(*ip6));
	}
}

void kvg_packet_start(struct kvg_packet_bytes *packet, const char *daddr, __u8 protocol)
{
	memset(packet, 0, sizeof(*packet));
	if (!strchr(daddr, ':')) {
		struct iphdr *ip = (struct iphdr *)packet->bytes;

		ip->version = 4;
		ip->ihl = 5;
		ip->ttl = 64;
		ip->protocol = protocol;
		inet_pton(AF_INET, KVG_PACKET_SOURCE4, &ip->saddr);
		inet_pton(AF_INET, daddr, &ip->daddr);
		packet->size = sizeof(*ip);
	} else {
		struct ip6_hdr *ip6 = (struct ip6_hdr *)packet->bytes;

		ip6->ip6_vfc = 0x60;
		ip6->ip6_nxt = protocol;
		ip6->ip6_hlim = 64;
		inet_pton(AF_INET6, KVG_PACKET_SOURCE6, &ip6->ip6_src);
		inet_pton(AF_INET6, daddr, &ip6->ip6_dst);
		packet->size = sizeof(*ip6);
	}
	update_length(packet);
}

void kvg_packet_add(struct kvg_packet_bytes *packet, const void *bytes, size_t size)
{
	memcpy(packet->bytes + packet->size, bytes, size);
	packet->size += size;
	update_length(packet);
}

void kvg_packet_add_zeros(struct kvg_packet_bytes *packet, size_t size)
{
	packet->size += size; /* all zero from the start */
	update_length(packet);
}

void kvg_packet_add_tcp(struct kvg_packet_bytes *packet, __u16 dport)
{
	struct tcphdr tcp = {
		.source = htons(KVG_PACKET_SPORT), .dest = htons(dport), .doff = 5, .syn = 1};

	kvg_packet_add(packet, &tcp, sizeof(tcp));
}

void kvg_packet_add_udp(struct kvg_packet_bytes *packet, __u16 dport)
{
	struct udphdr udp = {
		.source = htons(KVG_PACKET_SPORT), .dest = htons(dport), .len = htons(sizeof(udp))};

	kvg_packet_add(packet, &udp, sizeof(udp));
}

void kvg_packet_tcp(struct kvg_packet_bytes *packet, const char *daddr, __u16 dport)
{
	kvg_packet_start(packet, daddr, IPPROTO_TCP);
	kvg_packet_add_tcp(packet, dport);
}

void kvg_packet_udp(struct kvg_packet_bytes *packet, const char *daddr, __u16 dport)
{
	kvg_packet_start(packet, daddr, IPPROTO_UDP);
	kvg_packet_add_udp(packet, dport);
}
