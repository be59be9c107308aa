// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * User space's way into the ring: never attached, run by BPF_PROG_TEST_RUN on a frame that holds the
 * event behind an Ethernet header. A tc program, because test runs of these see their bytes on every
 * kernel, and because loading one takes no other privilege than a gate does.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_helpers.h>

#include "kvg_event.h"
#include "maps.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int kvg_tell(struct __sk_buff *skb)
{
	struct kvg_lost *lost;
	struct kvg_event event;
	__u32 zero = 0;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &event, sizeof(event)) < 0)
		return 1;

	event.time_ns = bpf_ktime_get_boot_ns();
	if (bpf_ringbuf_output(&kvg_ring, &event, sizeof(event), 0) == 0)
		return 0;
	lost = bpf_map_lookup_elem(&kvg_lost, &zero);
	if (lost)
		__sync_fetch_and_add(&lost->flows, 1);
	return 0;
}
