/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packet -> struct kvg_flow. Ports are read only where they are ports: directly behind an IPv4 header
 * without options or a plain IPv6 header, in the first and only fragment. Whatever else there may be
 * has no place in what a vault client sends; it is not parsed but refused, with its own reason.
 *
 * The version nibble decides the family: skb->protocol is not set in test runs, and with IP_HDRINCL
 * the nibble is what the wire will show. Headers are in the linear part of every packet that the
 * kernel's own sockets make; one that is not counts as malformed.
 */
#ifndef KVG_PARSE_BPF_H
#define KVG_PARSE_BPF_H

#include <linux/bpf.h>
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

/* struct kvg_packet - a flow and where it comes from, as the packet shows it */
struct kvg_packet {
	struct kvg_flow flow;
	__u8 saddr[16]; /* network order; IPv4 as ::ffff:a.b.c.d */
	__be16 sport;
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

static __always_inline void kvg_parse_ipv4(void *data, void *end, struct kvg_packet *ret)
{
	struct iphdr *ip = data;

	if (data + sizeof(*ip) > end || ip->ihl < 5) {
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
		kvg_parse_ports(ip + 1, end, ret);
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

static __always_inline void kvg_parse_ipv6(void *data, void *end, struct kvg_packet *ret)
{
	struct ipv6hdr *ip6 = data;

	if (data + sizeof(*ip6) > end) {
		ret->flow.fault = KVG_REASON_MALFORMED;
		return;
	}

	ret->flow.family = KVG_AF_INET6;
	ret->flow.protocol = ip6->nexthdr;
	__builtin_memcpy(ret->flow.daddr, &ip6->daddr, sizeof(ret->flow.daddr));
	__builtin_memcpy(ret->saddr, &ip6->saddr, sizeof(ret->saddr));

	ret->flow.fault = kvg_judge_next_header(ip6->nexthdr);
	if (!ret->flow.fault)
		kvg_parse_ports(ip6 + 1, end, ret);
}

/* @ret zeroed before. Always leaves an answer: what it does not understand has a fault. */
static __always_inline void kvg_parse_packet(struct __sk_buff *skb, struct kvg_packet *ret)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u8 *version;

	if (kvg_cfg_test)
		data += kvg_cfg_test_at;
	version = data;
	if (data + sizeof(*version) > end) {
		ret->flow.fault = KVG_REASON_MALFORMED;
		return;
	}

	switch (*version >> 4) {
	case 4:
		kvg_parse_ipv4(data, end, ret);
		break;
	case 6:
		kvg_parse_ipv6(data, end, ret);
		break;
	default:
		ret->flow.fault = KVG_REASON_MALFORMED;
	}
}

#endif
