/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What kvg_decide() is asked about. */
#ifndef KVG_FLOW_H
#define KVG_FLOW_H

#include <linux/types.h>

/**
 * struct kvg_flow - what is known of a flow when it is judged
 * @daddr:    destination, network order; IPv4 as ::ffff:a.b.c.d
 * @dport:    destination port, network order; 0 if the protocol has none
 * @protocol: IPPROTO_*
 * @family:   AF_INET (2) or AF_INET6 (10) as it goes on the wire: picks the trie
 * @fault:    enum kvg_reason: what kept the hook from understanding it; KVG_REASON_ALLOWED if nothing
 * @loopback: it does not leave the network namespace
 * @link:     it keeps the link going and goes no further: neighbour discovery, ARP
 */
struct kvg_flow {
	__u8 daddr[16] __attribute__((aligned(8))); /* copied as words, not as bytes */
	__be16 dport;
	__u16 protocol;
	__u8 family;
	__u8 fault;
	__u8 loopback;
	__u8 link;
};

/**
 * enum kvg_claim - what a socket says of a flow that no prefix holds
 * @KVG_CLAIM_NONE:   no socket may send it, or the hook cannot know
 * @KVG_CLAIM_REPLY:  the client's answer on a connection that others opened to it
 * @KVG_CLAIM_OTHERS: a connection of the client's network namespace that is not behind the gate
 */
enum kvg_claim { KVG_CLAIM_NONE, KVG_CLAIM_REPLY, KVG_CLAIM_OTHERS };

#endif
