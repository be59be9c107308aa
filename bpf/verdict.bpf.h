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

#endif
