// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Gives the packet of a test run another destination each time and hands it on to the program that is
 * measured. What this costs is in the base case, which hands on to an empty program.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "config.bpf.h"
#include "gate.bpf.h"
#include "rotate.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u32 kvg_rotate_to[KVG_ROTATE_COUNT][4];
__u32 kvg_rotate_next;

/* Entry 0 is measured. Cannot be full; empty, the packet is refused, which the bench takes for a failure. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} kvg_rotate_program SEC(".maps");

SEC("tc")
int kvg_rotate(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data + ETH_HLEN;
	void *end = (void *)(long)skb->data_end;
	const __u32 *to = kvg_rotate_to[kvg_rotate_next++ % KVG_ROTATE_COUNT];
	struct ipv6hdr *ip6 = data;
	struct iphdr *ip = data;

	/* The kernel lets programs hand on to each other that know the same cgroup storage, dead code or not. */
	if (!kvg_own_gate() || !kvg_own_counters() || data + sizeof(*ip) > end)
		return TC_ACT_STOLEN;
	if (ip->version == 4)
		ip->daddr = to[3];
	else if (data + sizeof(*ip6) <= end)
		__builtin_memcpy(&ip6->daddr, to, sizeof(ip6->daddr));
	bpf_tail_call(skb, &kvg_rotate_program, 0);
	return TC_ACT_STOLEN;
}
