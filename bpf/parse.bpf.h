/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packet -> struct kvg_flow. Ports are read only where they are ports: directly behind an IPv4 header
 * without options or a plain IPv6 header, in the first and only fragment. Whatever else there may be
 * has no place in what a vault client sends; it is not parsed but refused, with its own reason. Only
 * what IPv6 needs to find its neighbours is looked at closely.
 *
 * The version nibble decides the family: skb->protocol is not set in test runs, and with IP_HDRINCL
 * the nibble is what the wire will show. Headers are in the linear part of every packet that the
 * kernel's own sockets make; one that is not counts as malformed.
 */
#ifndef KVG_PARSE_BPF_H
#define KVG_PARSE_BPF_H

#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "config.bpf.h"
#include "kvg_decide.h"

#define KVG_AF_INET  2 /* <sys/socket.h> is libc's; the numbers are the kernel's ABI */
#define KVG_AF_INET6 10

#define KVG_IP_FRAGMENT  0x3fff /* more fragments, or an offset; host order of iphdr.frag_off */
#define KVG_IPPROTO_MH   135    /* mobility header, RFC 6275 */
#define KVG_IPPROTO_HIP  139    /* RFC 7401 */
#define KVG_IPPROTO_SHIM 140    /* RFC 5533 */

/* Neighbour discovery, RFC 4861, and multicast listener discovery, RFC 2710 and 3810. */
#define KVG_ND_ROUTER_SOLICIT    133
#define KVG_ND_NEIGHBOUR_SOLICIT 135
#define KVG_ND_NEIGHBOUR_ADVERT  136
#define KVG_ND_HOP_LIMIT         255 /* nobody can have forwarded it */
#define KVG_MLD_REPORT           131
#define KVG_MLD_DONE             132
#define KVG_MLD2_REPORT          143
#define KVG_MLD_HOP_LIMIT        1

/*
 * From the IPv6 header on: a message of 24 bytes and one option of 8, which is all that the kernel ever
 * sends. More would be room for somebody's data.
 */
#define KVG_ND_MAX 72

/* Reports of 20 bytes for 22 multicast groups; a client has a handful. */
#define KVG_MLD_MAX 496

/* struct kvg_packet - a flow and where it comes from, as the packet shows it */
struct kvg_packet {
	struct kvg_flow flow;
	__u8 saddr[16] __attribute__((aligned(8))); /* network order; IPv4 as ::ffff:a.b.c.d */
	__be16 sport;
	bool routable; /* neighbour discovery, to an address that a router might forward to */
};

/* struct kvg_bytes - a packet from its IP header on: its linear part, and how long all of it is */
struct kvg_bytes {
	void *data;
	void *end;
	__u32 len;
};

/*
 * Always 0, which the verifier cannot know. A number that went through kvg_forget() is any number to
 * it: it follows what comes after once, and not once for every constant that could have come. Added and
 * not or-ed: after an or of 32 bits Linux 5.10's verifier thinks that the upper half may be set.
 */
__u32 kvg_unknown;

static __always_inline __u32 kvg_forget(__u32 number)
{
	return number + kvg_unknown;
}

static __always_inline void kvg_forget_flow(struct kvg_flow *flow)
{
	flow->family = kvg_forget(flow->family);
	flow->protocol = kvg_forget(flow->protocol);
	flow->fault = kvg_forget(flow->fault);
	flow->loopback = kvg_forget(flow->loopback);
	flow->link = kvg_forget(flow->link);
}

static __always_inline void kvg_map_ipv4(__u8 ret[16], __be32 addr)
{
	__u32 *words = (__u32 *)ret;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = addr;
}

static __always_inline void kvg_parse_ports(void *l4, void *end, struct kvg_packet *ret)
{
	/* TCP's and UDP's headers both start with source and destination port. */
	struct udphdr *ports = l4;
	__u64 need = ret->flow.protocol == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(*ports);

	if (ret->flow.protocol != IPPROTO_TCP && ret->flow.protocol != IPPROTO_UDP)
		return;

	if (l4 + sizeof(*ports) > end ||
	    (need > sizeof(*ports) && l4 + sizeof(struct tcphdr) > end)) {
		ret->flow.fault = KVG_REASON_MALFORMED;
		return;
	}
	ret->sport = ports->source;
	ret->flow.dport = ports->dest;
}

static __always_inline void kvg_parse_ipv4(const struct kvg_bytes *bytes, struct kvg_packet *ret)
{
	struct iphdr *ip = bytes->data;

	if (bytes->data + sizeof(*ip) > bytes->end || ip->ihl < 5) {
		ret->flow.fault = KVG_REASON_MALFORMED;
		return;
	}

	ret->flow.family = KVG_AF_INET;
	ret->flow.protocol = ip->protocol;
	kvg_map_ipv4(ret->flow.daddr, ip->daddr);
	kvg_map_ipv4(ret->saddr, ip->saddr);

	if (ip->ihl > 5)
		ret->flow.fault = KVG_REASON_IP_OPTIONS;
	else if (ip->frag_off & bpf_htons(KVG_IP_FRAGMENT))
		ret->flow.fault = KVG_REASON_FRAGMENT;
	else
		kvg_parse_ports(ip + 1, bytes->end, ret);
}

static __always_inline enum kvg_reason kvg_judge_next_header(__u8 nexthdr)
{
	switch (nexthdr) {
	case IPPROTO_FRAGMENT:
		return KVG_REASON_FRAGMENT;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
	case IPPROTO_ESP:
	case KVG_IPPROTO_MH:
	case KVG_IPPROTO_HIP:
	case KVG_IPPROTO_SHIM:
		return KVG_REASON_IPV6_EXTENSION;
	default:
		return KVG_REASON_ALLOWED;
	}
}

/* 1 or 0, without a branch, as all that follows: see kvg_is_zero(). */
static __always_inline __u32 kvg_is_link_local(__be16 head)
{
	return kvg_is_zero((head & bpf_htons(0xffc0)) ^ bpf_htons(0xfe80)) |
	       kvg_is_zero(head ^ bpf_htons(0xff02));
}

/*
 * Solicitations and advertisements, in the form that the kernel sends them. A client that could not
 * answer its router would be cut off. Router advertisements and redirects are not a client's business.
 */
static __always_inline void kvg_parse_nd(const struct kvg_bytes *bytes, struct kvg_packet *ret)
{
	struct ipv6hdr *ip6 = bytes->data;
	struct icmp6hdr *icmp = (void *)(ip6 + 1);
	__u32 on_link, unicast, well_formed, neighbour, router;

	if ((void *)(icmp + 1) > bytes->end || bytes->len > KVG_ND_MAX)
		return;
	well_formed = kvg_is_zero((ip6->hop_limit ^ KVG_ND_HOP_LIMIT) | icmp->icmp6_code);
	neighbour = kvg_is_zero(icmp->icmp6_type ^ KVG_ND_NEIGHBOUR_SOLICIT) |
		    kvg_is_zero(icmp->icmp6_type ^ KVG_ND_NEIGHBOUR_ADVERT);
	router = kvg_is_zero(icmp->icmp6_type ^ KVG_ND_ROUTER_SOLICIT);
	on_link = kvg_is_link_local(*(__be16 *)ret->flow.daddr);
	unicast = kvg_is_zero(ret->flow.daddr[0] ^ 0xff) ^ 1;

	ret->flow.link = well_formed & ((neighbour & (on_link | unicast)) | (router & on_link));
	ret->routable = ret->flow.link & (on_link ^ 1);
}

/* What the kernel puts in front of a report: one option, "router alert", and padding. */
struct kvg_mld {
	__be32 option[2];
	struct icmp6hdr icmp;
};

static __always_inline __u32 kvg_is_mld(const struct kvg_bytes *bytes,
					const struct kvg_packet *packet)
{
	struct ipv6hdr *ip6 = bytes->data;
	struct kvg_mld *mld = (void *)(ip6 + 1);
	__u32 type;

	if ((void *)(mld + 1) > bytes->end || bytes->len > KVG_MLD_MAX)
		return 0;
	type = mld->icmp.icmp6_type;
	return kvg_is_zero((ip6->hop_limit ^ KVG_MLD_HOP_LIMIT) | mld->icmp.icmp6_code |
			   (*(__be16 *)packet->flow.daddr ^ bpf_htons(0xff02)) |
			   (mld->option[0] ^ bpf_htonl(0x3a000502)) |
			   (mld->option[1] ^ bpf_htonl(0x00000100))) &
	       (kvg_is_zero(type ^ KVG_MLD_REPORT) | kvg_is_zero(type ^ KVG_MLD_DONE) |
		kvg_is_zero(type ^ KVG_MLD2_REPORT));
}

static __always_inline void kvg_parse_ipv6(const struct kvg_bytes *bytes, struct kvg_packet *ret)
{
	struct ipv6hdr *ip6 = bytes->data;

	if (bytes->data + sizeof(*ip6) > bytes->end) {
		ret->flow.fault = KVG_REASON_MALFORMED;
		return;
	}

	ret->flow.family = KVG_AF_INET6;
	ret->flow.protocol = ip6->nexthdr;
	__builtin_memcpy(ret->flow.daddr, &ip6->daddr, sizeof(ret->flow.daddr));
	__builtin_memcpy(ret->saddr, &ip6->saddr, sizeof(ret->saddr));

	if (ip6->nexthdr == IPPROTO_HOPOPTS && kvg_is_mld(bytes, ret)) {
		ret->flow.link = true;
		return;
	}
	if (ip6->nexthdr == IPPROTO_ICMPV6) {
		kvg_parse_nd(bytes, ret);
		return;
	}
	ret->flow.fault = kvg_judge_next_header(ip6->nexthdr);
	if (!ret->flow.fault)
		kvg_parse_ports(ip6 + 1, bytes->end, ret);
}

/* @ret zeroed before. Always leaves an answer: what it does not understand has a fault. */
static __always_inline void kvg_parse_ip(const struct kvg_bytes *bytes, struct kvg_packet *ret)
{
	__u8 *version = bytes->data;

	if (bytes->data + sizeof(*version) > bytes->end) {
		ret->flow.fault = KVG_REASON_MALFORMED;
		return;
	}

	switch (*version >> 4) {
	case 4:
		kvg_parse_ipv4(bytes, ret);
		break;
	case 6:
		kvg_parse_ipv6(bytes, ret);
		break;
	default:
		ret->flow.fault = KVG_REASON_MALFORMED;
	}
}

static __always_inline void kvg_parse_packet(struct __sk_buff *skb, struct kvg_packet *ret)
{
	struct kvg_bytes bytes = {
		.data = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
		.len = skb->len,
	};

	if (kvg_cfg_test) {
		bytes.data += kvg_cfg_test_at;
		bytes.len -= kvg_cfg_test_at;
	}
	kvg_parse_ip(&bytes, ret);
}

#endif
