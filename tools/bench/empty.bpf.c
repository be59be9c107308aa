// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program on a cgroup that lets everything pass: what the hook itself costs. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("cgroup_skb/egress")
int kvg_empty(struct __sk_buff *skb)
{
	(void)skb;
	return 1;
}
