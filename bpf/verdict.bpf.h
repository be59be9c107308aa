/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel side knows for include/kvg_decide.h: the tries and the marked sockets. */
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

struct kvg_gate kvg_test_gate; /* see kvg_cfg_test; tests write it through the skeleton */

/* The gate of the cgroup that the running program is attached to. */
static __always_inline const struct kvg_gate *kvg_own_gate(void)
{
	if (kvg_cfg_test)
		return &kvg_test_gate;
	return bpf_get_local_storage(&kvg_gates, 0);
}

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
 * An answer on a connection that others opened: the SYN-ACK of a listener, or a packet of a socket
 * that sockops marked when the handshake of a passive open was over. By socket, never by port: an
 * outbound connection that is bound to a listener's port is not the listener's socket.
 *
 * @ctx: the packet hook's skb; NULL at socket calls, which never are answers
 */
static __always_inline bool kvg_is_reply(const struct kvg_flow *flow, void *ctx)
{
	struct __sk_buff *skb = ctx;
	struct kvg_mark *mark;
	struct bpf_sock *sk;

	if (!skb || flow->protocol != KVG_IPPROTO_TCP)
		return false;

	sk = skb->sk;
	if (!sk)
		return false;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->type != KVG_SOCK_STREAM)
		return false;

	if (sk->state == BPF_TCP_LISTEN)
		return true;
	mark = bpf_sk_storage_get(&kvg_marks, sk, 0, 0);
	return mark && mark->inbound;
}

#endif
