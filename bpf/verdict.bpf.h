/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel side knows for include/kvg_decide.h: the tries. */
#ifndef KVG_VERDICT_BPF_H
#define KVG_VERDICT_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "config.bpf.h"
#include "kvg_decide.h"
#include "maps.bpf.h"
#include "parse.bpf.h"

#define KVG_SOCK_STREAM 1
#define KVG_SOCK_DGRAM  2
#define KVG_SOCK_RAW    3

static __always_inline bool kvg_longest_grant(const struct kvg_gate *gate,
					      const struct kvg_flow *flow, void *ctx,
					      __u32 *ret_services)
{
	bool ipv4 = flow->family == KVG_AF_INET;
	const struct kvg_grant *grant;
	__u32 slot = gate->slot;
	void *trie;

	(void)ctx;
	trie = ipv4 ? bpf_map_lookup_elem(&kvg_tries4, &slot)
		    : bpf_map_lookup_elem(&kvg_tries6, &slot);
	if (!trie)
		return false;

	if (ipv4) {
		struct kvg_lpm4_key key = {.prefixlen = 32};

		__builtin_memcpy(&key.addr, &flow->daddr[12], sizeof(key.addr));
		grant = bpf_map_lookup_elem(trie, &key);
	} else {
		struct kvg_lpm6_key key = {.prefixlen = 128};

		__builtin_memcpy(key.addr, flow->daddr, sizeof(key.addr));
		grant = bpf_map_lookup_elem(trie, &key);
	}
	if (!grant)
		return false;

	*ret_services = grant->services;
	return true;
}

/*
 * Does the packet go to the other end of its connected socket, or has somebody made another packet of
 * it: a translation, a tunnel?
 */
static __always_inline bool kvg_goes_to_peer(const struct kvg_flow *flow, struct bpf_sock *sk)
{
	const __u32 *to = (const __u32 *)flow->daddr;
	__u32 ipv4, other;

	if (sk->dst_port != flow->dport)
		return false;

	/* The barrier keeps clang from choosing between two fields by arithmetic on the pointer. */
	ipv4 = sk->dst_ip4;
	__asm__ volatile("" : "+r"(ipv4));
	other = (sk->dst_ip6[0] ^ to[0]) | (sk->dst_ip6[1] ^ to[1]) | (sk->dst_ip6[2] ^ to[2]) |
		(sk->dst_ip6[3] ^ to[3]);
	__asm__ volatile("" : "+r"(other));
	return flow->family == KVG_AF_INET ? ipv4 == to[3] : !other;
}

#endif
