// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Hears what name servers answer a client, so that the record can say which name a refused address was
 * looked up by. It judges nothing: whatever comes in goes on. An object of its own, since a gate does
 * without it where it cannot be loaded or attached.
 *
 * Only those are heard whom the gate's policy lets the client ask (udp/53), by the same decision as at the
 * packet hook. Not what comes over lo: a client may send to itself in anybody's name.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "config.bpf.h"
#include "gate.bpf.h"
#include "kvg_answer.h"
#include "kvg_decide.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "verdict.bpf.h"

#define KVG_LOOPBACK_IFINDEX 1
#define KVG_DNS_PORT         53
#define KVG_DNS_HEADER       12
#define KVG_IPV4_PLAIN       0x45 /* version 4, no options */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Nothing claims a flow here: only what the policy says counts. */
static __always_inline enum kvg_claim kvg_find_claim(const struct kvg_flow *flow, void *ctx)
{
	(void)flow;
	(void)ctx;
	return KVG_CLAIM_NONE;
}

/* struct kvg_heard_packet - what may be an answer: @from is the flow that a question to its sender is */
struct kvg_heard_packet {
	struct kvg_flow from;
	__u32 headers; /* bytes before the message, from the IP header on */
};

static __always_inline bool kvg_is_from_dns(struct udphdr *udp, void *end)
{
	return (void *)(udp + 1) <= end && udp->source == bpf_htons(KVG_DNS_PORT);
}

static __always_inline bool kvg_hear_ipv4(void *data, void *end, struct kvg_heard_packet *ret)
{
	struct iphdr *ip = data;

	if ((void *)(ip + 1) > end || ip->protocol != IPPROTO_UDP)
		return false;
	if (*(__u8 *)data != KVG_IPV4_PLAIN || (ip->frag_off & bpf_htons(KVG_IP_FRAGMENT)) ||
	    !kvg_is_from_dns((struct udphdr *)(ip + 1), end))
		return false;

	ret->headers = sizeof(*ip) + sizeof(struct udphdr);
	ret->from.family = KVG_AF_INET;
	kvg_map_ipv4(ret->from.daddr, ip->saddr);
	return true;
}

static __always_inline bool kvg_hear_ipv6(void *data, void *end, struct kvg_heard_packet *ret)
{
	struct ipv6hdr *ip6 = data;

	if ((void *)(ip6 + 1) > end || ip6->nexthdr != IPPROTO_UDP ||
	    !kvg_is_from_dns((struct udphdr *)(ip6 + 1), end))
		return false;

	ret->headers = sizeof(*ip6) + sizeof(struct udphdr);
	ret->from.family = KVG_AF_INET6;
	__builtin_memcpy(ret->from.daddr, &ip6->saddr, sizeof(ret->from.daddr));
	return true;
}

/* For nearly all packets this is all that happens. */
static __always_inline bool kvg_hear(struct __sk_buff *skb, struct kvg_heard_packet *ret)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;

	if (kvg_cfg_test)
		data += kvg_cfg_test_at;
	if (data + 1 > end)
		return false;
	switch (*(__u8 *)data >> 4) {
	case 4:
		return kvg_hear_ipv4(data, end, ret);
	case 6:
		return kvg_hear_ipv6(data, end, ret);
	default:
		return false;
	}
}

/* No memory for its entry, or too many gates: its answers are not told. */
static __always_inline struct kvg_heard *kvg_heard_by(__u64 cgroup_id)
{
	struct kvg_heard *heard = bpf_map_lookup_elem(&kvg_hearing, &cgroup_id);
	struct kvg_heard fresh = {};

	if (heard)
		return heard;
	bpf_map_update_elem(&kvg_hearing, &cgroup_id, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&kvg_hearing, &cgroup_id);
}

static __always_inline bool kvg_may_tell(__u64 cgroup_id, __u64 now_ns)
{
	__u64 window = now_ns >> KVG_ANSWERS_WINDOW_SHIFT;
	struct kvg_heard *heard = kvg_heard_by(cgroup_id);

	if (!heard)
		return false;
	if (heard->window != window) {
		heard->window = window;
		heard->count = 0;
	}
	if (heard->count >= KVG_ANSWERS_PER_WINDOW)
		return false;
	if (heard->count >= KVG_ANSWERS_FEW &&
	    bpf_ringbuf_query(&kvg_answers, BPF_RB_AVAIL_DATA) >=
		    bpf_ringbuf_query(&kvg_answers, BPF_RB_RING_SIZE) / 2)
		return false;
	__sync_fetch_and_add(&heard->count, 1);
	return true;
}

/* struct kvg_telling - what is put in front of the message, and where that is in the packet */
struct kvg_telling {
	__u64 now_ns;
	__u64 cgroup_id;
	__u32 at;
	__u32 size;
};

/* @room: of the message, a constant: that is what the kernel wants to be sure of. Nobody is woken. */
static __always_inline void kvg_tell_answer(struct __sk_buff *skb, const struct kvg_flow *from,
					    const struct kvg_telling *telling, const __u32 room)
{
	struct kvg_answer *answer;
	__u32 size = telling->size;

	/* The barrier keeps clang from checking one register and using another. */
	__asm__ volatile("" : "+r"(size));
	if (size < KVG_DNS_HEADER || size > room)
		return;
	answer = bpf_ringbuf_reserve(&kvg_answers, sizeof(*answer) + room, 0);
	if (!answer)
		return;
	if (bpf_skb_load_bytes(skb, telling->at, answer->message, size) < 0) {
		bpf_ringbuf_discard(answer, BPF_RB_NO_WAKEUP);
		return;
	}

	answer->time_ns = telling->now_ns;
	answer->cgroup_id = telling->cgroup_id;
	__builtin_memcpy(answer->server, from->daddr, sizeof(answer->server));
	answer->size = size;
	__builtin_memset(answer->pad, 0, sizeof(answer->pad));
	bpf_ringbuf_submit(answer, BPF_RB_NO_WAKEUP);
}

static __always_inline void kvg_listen(struct __sk_buff *skb)
{
	struct kvg_heard_packet packet = {};
	struct kvg_telling telling = {};
	const struct kvg_gate *gate;

	if (!kvg_hear(skb, &packet))
		return;
	if (!kvg_cfg_test && skb->ifindex == KVG_LOOPBACK_IFINDEX)
		return;
	packet.from.protocol = IPPROTO_UDP;
	packet.from.dport = bpf_htons(KVG_DNS_PORT);

	gate = kvg_own_gate();
	if (!gate || !gate->slot ||
	    kvg_judge_destination(gate, &packet.from, NULL) != KVG_REASON_ALLOWED)
		return;

	telling.at = packet.headers + (kvg_cfg_test ? kvg_cfg_test_at : 0);
	if (skb->len < telling.at + KVG_DNS_HEADER || skb->len > telling.at + KVG_ANSWER_MAX)
		return;
	telling.size = skb->len - telling.at;
	telling.now_ns = bpf_ktime_get_boot_ns();
	telling.cgroup_id = gate->cgroup_id;
	if (!kvg_may_tell(gate->cgroup_id, telling.now_ns))
		return;

	if (telling.size <= KVG_ANSWER_SHORT)
		kvg_tell_answer(skb, &packet.from, &telling, KVG_ANSWER_SHORT);
	else
		kvg_tell_answer(skb, &packet.from, &telling, KVG_ANSWER_MAX);
}

/* Never anything but 1: nothing that comes in is ever dropped. */
SEC("cgroup_skb/ingress")
int kvg_ingress(struct __sk_buff *skb)
{
	kvg_listen(skb);
	return 1;
}
