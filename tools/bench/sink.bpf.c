// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * On the server's interface, where datagrams end that are counted on the way out: what it would cost to
 * receive them is not the question, and would only hide the answer.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int kvg_sink(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data + ETH_HLEN;
	void *end = (void *)(long)skb->data_end;
	struct ipv6hdr *ip6 = data;
	struct iphdr *ip = data;

	if (data + sizeof(*ip) > end)
		return TC_ACT_UNSPEC;
	if (ip->version == 4)
		return ip->protocol == IPPROTO_UDP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
	if (data + sizeof(*ip6) > end)
		return TC_ACT_UNSPEC;
	return ip6->nexthdr == IPPROTO_UDP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}
