// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The programs on a client's cgroup. A hook only makes a flow of its context; kvg_decide() judges it
 * and kvg_enforce() counts, records and answers.
 *
 * The socket calls refuse at once, with EPERM, so that a client fails fast; the packet hook is the
 * wall: every IP packet of every socket of the cgroup passes it, also of sockets that were opened
 * before the gate came, whichever way the call took.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "config.bpf.h"
#include "gate.bpf.h"
#include "kvg_decide.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "report.bpf.h"
#include "verdict.bpf.h"

#define KVG_LOOPBACK_IFINDEX 1 /* in every network namespace: the kernel makes lo first */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * An answer on a connection that others opened: the SYN-ACK of a listener, or a packet of a socket
 * that sockops marked when the handshake of a passive open was over. By socket, never by port: an
 * outbound connection that is bound to a listener's port is not the listener's socket. An answer goes to
 * who asked: a rule of the client's own netfilter may have sent it elsewhere.
 *
 * @ctx: the packet hook's skb; NULL at socket calls, which never are answers
 */
static __always_inline enum kvg_claim kvg_find_claim(const struct kvg_flow *flow, void *ctx)
{
	struct __sk_buff *skb = ctx;
	struct kvg_mark *mark;
	struct bpf_sock *sk;

	if (!skb || flow->protocol != KVG_IPPROTO_TCP)
		return KVG_CLAIM_NONE;

	sk = skb->sk;
	if (!sk)
		return KVG_CLAIM_NONE;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->type != KVG_SOCK_STREAM)
		return KVG_CLAIM_NONE;

	if (sk->state == BPF_TCP_LISTEN)
		return KVG_CLAIM_REPLY;
	mark = bpf_sk_storage_get(&kvg_marks, sk, 0, 0);
	return mark && mark->inbound && kvg_goes_to_peer(flow, sk) ? KVG_CLAIM_REPLY
								   : KVG_CLAIM_NONE;
}

/* Loopback by address: connect(2) to the unspecified address goes to loopback, too. */
static __always_inline bool kvg_is_loopback4(__be32 addr)
{
	return addr == 0 ||
	       (addr & bpf_htonl(0xff000000)) == bpf_htonl(INADDR_LOOPBACK & 0xff000000);
}

static __always_inline bool kvg_is_loopback6(const __u32 words[4])
{
	return !words[0] && !words[1] && !words[2] && (!words[3] || words[3] == bpf_htonl(1));
}

static __always_inline void kvg_flow_set4(struct kvg_flow *flow, __be32 addr)
{
	flow->family = KVG_AF_INET;
	flow->loopback = kvg_is_loopback4(addr);
	kvg_map_ipv4(flow->daddr, addr);
}

/* An IPv4-mapped address on an IPv6 socket goes out as IPv4, and is judged so. */
static __always_inline void kvg_flow_set6(struct kvg_flow *flow, const __u32 words[4])
{
	if (!words[0] && !words[1] && words[2] == bpf_htonl(0xffff)) {
		kvg_flow_set4(flow, words[3]);
		return;
	}
	flow->family = KVG_AF_INET6;
	flow->loopback = kvg_is_loopback6(words);
	__builtin_memcpy(flow->daddr, words, sizeof(flow->daddr));
}

/*
 * One of the client's own addresses? bpf_bind() asks the kernel: it takes only local ones, and gives
 * the socket the source address that the route to itself would give it anyway. Where it is fooled
 * (ip_nonlocal_bind) the packet hook still sees that the packet does not go through lo.
 */
static __always_inline bool kvg_is_own_address(struct bpf_sock_addr *ctx,
					       const struct kvg_flow *flow)
{
	if (ctx->family == KVG_AF_INET) {
		struct sockaddr_in own = {.sin_family = KVG_AF_INET};

		__builtin_memcpy(&own.sin_addr, &flow->daddr[12], sizeof(own.sin_addr));
		return bpf_bind(ctx, (struct sockaddr *)&own, sizeof(own)) == 0;
	} else {
		struct sockaddr_in6 own = {.sin6_family = KVG_AF_INET6};

		__builtin_memcpy(&own.sin6_addr, flow->daddr, sizeof(own.sin6_addr));
		return bpf_bind(ctx, (struct sockaddr *)&own, sizeof(own)) == 0;
	}
}

/*
 * bpf_bind() is for connect only; here a socket of this network namespace that takes it will do, as the
 * packet hook sees whether it goes through lo. What was sent to no address does, with whatever source.
 */
static __always_inline bool kvg_is_own_receiver(struct bpf_sock_addr *ctx, enum kvg_hook hook,
						const struct kvg_flow *flow)
{
	bool ipv4 = flow->family == KVG_AF_INET;
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	__u32 size;

	if (hook == KVG_HOOK_SENDMSG4 && !ctx->user_ip4)
		return false;
	if (ipv4) {
		__builtin_memcpy(&tuple.ipv4.daddr, &flow->daddr[12], sizeof(tuple.ipv4.daddr));
		tuple.ipv4.dport = flow->dport;
		size = sizeof(tuple.ipv4);
	} else {
		__builtin_memcpy(tuple.ipv6.daddr, flow->daddr, sizeof(tuple.ipv6.daddr));
		tuple.ipv6.dport = flow->dport;
		size = sizeof(tuple.ipv6);
	}
	sk = bpf_sk_lookup_udp(ctx, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

static __always_inline int kvg_judge_call(struct bpf_sock_addr *ctx, enum kvg_hook hook,
					  struct kvg_flow *flow)
{
	bool is_connect = hook == KVG_HOOK_CONNECT4 || hook == KVG_HOOK_CONNECT6;
	const struct kvg_gate *gate = kvg_own_gate();
	struct kvg_refused refused = {};
	enum kvg_reason reason;

	flow->dport = (__be16)ctx->user_port;
	flow->protocol = ctx->protocol;
	if (ctx->type == KVG_SOCK_RAW)
		flow->fault = KVG_REASON_SOCKET_TYPE;
	kvg_forget_flow(flow);

	reason = kvg_forget(kvg_decide(gate, flow, NULL));
	if (reason != KVG_REASON_ALLOWED && reason != KVG_REASON_NO_POLICY && !flow->fault &&
	    (is_connect ? kvg_is_own_address(ctx, flow) : kvg_is_own_receiver(ctx, hook, flow)))
		reason = KVG_REASON_ALLOWED;

	kvg_note_flow(&refused, hook, flow);
	if (reason != KVG_REASON_ALLOWED)
		kvg_note_current(&refused.owner);
	return kvg_enforce(gate, kvg_own_counters(), &refused, reason);
}

static __always_inline int kvg_judge_call4(struct bpf_sock_addr *ctx, enum kvg_hook hook,
					   __be32 addr)
{
	struct kvg_flow flow = {};

	kvg_flow_set4(&flow, addr);
	return kvg_judge_call(ctx, hook, &flow);
}

static __always_inline int kvg_judge_call6(struct bpf_sock_addr *ctx, enum kvg_hook hook)
{
	__u32 words[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};
	struct kvg_flow flow = {};

	kvg_flow_set6(&flow, words);
	return kvg_judge_call(ctx, hook, &flow);
}

/* To no address means to the socket's own, if it is bound to one, and to loopback if not. */
SEC("cgroup/connect4")
int kvg_connect4(struct bpf_sock_addr *ctx)
{
	__be32 addr = ctx->user_ip4;

	if (!addr && ctx->sk)
		addr = ctx->sk->src_ip4;
	return kvg_judge_call4(ctx, KVG_HOOK_CONNECT4, addr);
}

SEC("cgroup/connect6")
int kvg_connect6(struct bpf_sock_addr *ctx)
{
	return kvg_judge_call6(ctx, KVG_HOOK_CONNECT6);
}

/* A connected socket comes here without address and port if its message names a source. */
SEC("cgroup/sendmsg4")
int kvg_sendmsg4(struct bpf_sock_addr *ctx)
{
	__be32 addr = ctx->user_ip4;

	if (!addr && ctx->user_port)
		addr = ctx->msg_src_ip4;
	return kvg_judge_call4(ctx, KVG_HOOK_SENDMSG4, addr);
}

SEC("cgroup/sendmsg6")
int kvg_sendmsg6(struct bpf_sock_addr *ctx)
{
	return kvg_judge_call6(ctx, KVG_HOOK_SENDMSG6);
}

/*
 * Who made the packet's socket: as sock_create saw it, or, for a socket that is older than the gate,
 * the current process if it is in the socket's cgroup. In softirq anybody may be current, and only
 * somebody of the same cgroup is worth a name.
 */
static __always_inline void kvg_note_sender(struct __sk_buff *skb, struct kvg_owner *ret)
{
	__u64 cookie = bpf_get_socket_cookie(skb);
	struct kvg_owner *owner;

	owner = bpf_map_lookup_elem(&kvg_owners, &cookie);
	if (owner) {
		*ret = *owner;
		return;
	}
	if (!kvg_cfg_packet_pid || bpf_get_current_cgroup_id() != bpf_skb_cgroup_id(skb))
		return;

	ret->tgid = bpf_get_current_pid_tgid() >> 32;
	ret->uid = bpf_get_current_uid_gid();
	if (kvg_cfg_packet_comm)
		bpf_get_current_comm(ret->comm, sizeof(ret->comm));
}

/*
 * Of a packet on lo: does its answer come back to lo, too? A client may send to itself in the name of
 * somebody outside (IPV6_FREEBIND asks for no privilege, IP_TRANSPARENT for CAP_NET_RAW), and the answer
 * goes there: from a service beside it, from a listener, or from the kernel itself, whose ICMP errors
 * take the data along. The hook cannot ask whether a source is the client's own. It is if it is a
 * loopback address, or the destination, which lo proves to be its own.
 */
static __always_inline bool kvg_is_answered_inside(const struct kvg_packet *packet)
{
	const __u32 *to = (const __u32 *)packet->flow.daddr;
	const __u32 *from = (const __u32 *)packet->saddr;

	if (from[0] == to[0] && from[1] == to[1] && from[2] == to[2] && from[3] == to[3])
		return true;
	return packet->flow.family == KVG_AF_INET ? kvg_is_loopback4(from[3])
						  : kvg_is_loopback6(from);
}

/*
 * Any other packet on lo is judged as if it left, and a TCP packet by what its socket is connected to: one
 * that a netfilter rule redirects to a local proxy comes by here with the proxy's address. Of UDP that
 * would prove nothing, for a connected socket may send elsewhere.
 */
static __always_inline void kvg_take_socket_destination(struct __sk_buff *skb,
							struct kvg_flow *flow)
{
	struct bpf_sock *sk = skb->sk;
	__be32 ipv4;
	__u32 ipv6[4];

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || sk->type != KVG_SOCK_STREAM || !sk->dst_port)
		return;

	/* The barrier keeps clang from choosing between two fields by arithmetic on the pointer. */
	ipv4 = sk->dst_ip4;
	__asm__ volatile("" : "+r"(ipv4));
	ipv6[0] = sk->dst_ip6[0];
	ipv6[1] = sk->dst_ip6[1];
	ipv6[2] = sk->dst_ip6[2];
	ipv6[3] = sk->dst_ip6[3];

	flow->dport = sk->dst_port;
	if (flow->family == KVG_AF_INET)
		kvg_map_ipv4(flow->daddr, ipv4);
	else
		__builtin_memcpy(flow->daddr, ipv6, sizeof(flow->daddr));
}

/*
 * A raw socket, older than the gate: its packets go where the call says, whatever their headers say.
 * Neighbour discovery comes from raw sockets of the kernel.
 */
static __always_inline bool kvg_is_raw(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	return sk && sk->type == KVG_SOCK_RAW;
}

SEC("cgroup_skb/egress")
int kvg_egress(struct __sk_buff *skb)
{
	const struct kvg_gate *gate = kvg_own_gate();
	struct kvg_refused refused = {};
	struct kvg_packet packet = {};
	enum kvg_reason reason;

	kvg_parse_packet(skb, &packet);
	if (!packet.flow.fault && !packet.flow.link && kvg_is_raw(skb))
		packet.flow.fault = KVG_REASON_SOCKET_TYPE;
	if (!kvg_cfg_test && skb->ifindex == KVG_LOOPBACK_IFINDEX) {
		packet.flow.loopback = kvg_is_answered_inside(&packet);
		if (!packet.flow.loopback)
			kvg_take_socket_destination(skb, &packet.flow);
	}
	kvg_forget_flow(&packet.flow);

	reason = kvg_forget(kvg_decide(gate, &packet.flow, skb));
	kvg_note_flow(&refused, KVG_HOOK_EGRESS, &packet.flow);
	if (reason != KVG_REASON_ALLOWED) {
		__builtin_memcpy(refused.saddr, packet.saddr, sizeof(refused.saddr));
		refused.sport = packet.sport;
		refused.bytes = skb->len;
		kvg_note_sender(skb, &refused.owner);
	}
	return kvg_enforce(gate, kvg_own_counters(), &refused, reason);
}

/* TCP and UDP sockets only; 0 lets the kernel choose, and it chooses these two. */
static __always_inline enum kvg_reason kvg_judge_socket(const struct bpf_sock *ctx)
{
	switch (ctx->type) {
	case KVG_SOCK_STREAM:
		return ctx->protocol == IPPROTO_TCP || !ctx->protocol ? KVG_REASON_ALLOWED
								      : KVG_REASON_PROTOCOL;
	case KVG_SOCK_DGRAM:
		return ctx->protocol == IPPROTO_UDP || !ctx->protocol ? KVG_REASON_ALLOWED
								      : KVG_REASON_PROTOCOL;
	default:
		return KVG_REASON_SOCKET_TYPE;
	}
}

/* Without a policy sockets may be made all the same: nothing gets out of them. */
SEC("cgroup/sock_create")
int kvg_sock_create(struct bpf_sock *ctx)
{
	const struct kvg_gate *gate = kvg_own_gate();
	enum kvg_reason reason = kvg_judge_socket(ctx);
	struct kvg_refused refused = {};
	__u64 cookie;

	kvg_note_current(&refused.owner);
	cookie = bpf_get_socket_cookie(ctx);
	bpf_map_update_elem(&kvg_owners, &cookie, &refused.owner, BPF_ANY);

	refused.refusal.family = ctx->family;
	refused.refusal.protocol = ctx->protocol;
	refused.refusal.hook = KVG_HOOK_SOCK_CREATE;
	return kvg_enforce(gate, kvg_own_counters(), &refused, reason);
}

/*
 * Marks the sockets that others opened. A child of a listener has sent nothing yet (its SYN-ACK was
 * the listener's); the kernel calls a simultaneous open passive, too, but that socket has sent a SYN. A
 * socket that is disconnected and opens a connection of its own loses the mark.
 */
SEC("sockops")
int kvg_sockops(struct bpf_sock_ops *ctx)
{
	struct kvg_mark *mark;
	struct bpf_sock *sk;

	sk = ctx->sk;
	if (!sk)
		return 1;
	if (ctx->op == BPF_SOCK_OPS_TCP_CONNECT_CB)
		bpf_sk_storage_delete(&kvg_marks, sk);
	if (ctx->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB || ctx->segs_out)
		return 1;

	mark = bpf_sk_storage_get(&kvg_marks, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (mark)
		mark->inbound = 1;
	return 1;
}
