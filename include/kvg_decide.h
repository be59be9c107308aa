/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The decision: the one function that every hook, `explain` and the tests ask.
 *
 *   allowed <=> gate known and packet understood
 *               and (loopback or link or services(longest prefix) hold (protocol, port)
 *                    or a socket claims it: an inbound reply, or another's connection)
 *
 * The includer says what it knows by two functions of its own, called only when the answer matters:
 *
 *   kvg_longest_grant()  services of the longest prefix that holds flow->daddr; false if none does.
 *                        bpf/ asks the tries, user/ the compiled rules or the same tries by bpf(2).
 *   kvg_find_claim()     which socket, if any, may send the flow whatever the policy's prefixes are?
 *
 * @ctx is handed on to them untouched. Later layers add facts and reasons here, never a second
 * decision.
 */
#ifndef KVG_DECIDE_H
#define KVG_DECIDE_H

#include <linux/types.h>

#include "kvg_event.h"
#include "kvg_flow.h"
#include "kvg_policy.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define KVG_IPPROTO_TCP 6 /* <netinet/in.h> and <linux/in.h> clash; the numbers are IANA's */
#define KVG_IPPROTO_UDP 17

static __always_inline bool kvg_longest_grant(const struct kvg_gate *gate,
					      const struct kvg_flow *flow, void *ctx,
					      __u32 *ret_services);
static __always_inline enum kvg_claim kvg_find_claim(const struct kvg_flow *flow, void *ctx);

/*
 * 1 if @x is 0, else 0, without a branch: a branch in the loop below would have the kernel's verifier
 * follow all that comes after it once for every service. The empty asm keeps the compiler from making
 * it one.
 */
static __always_inline __u32 kvg_is_zero(__u32 x)
{
	__u64 wide = x;

	wide--;
	__asm__ volatile("" : "+r"(wide));
	return wide >> 63;
}

/* The bit of the flow's (protocol, port) among the gate's services, or why it has none. */
static __always_inline enum kvg_reason kvg_find_service(const struct kvg_gate *gate,
							const struct kvg_flow *flow, __u32 *ret_bit)
{
	__u32 knows_protocol = 0;
	__u32 bit = 0;

	for (__u32 i = 0; i < KVG_SERVICES_MAX && i < gate->services_count; i++) {
		const struct kvg_service *service = &gate->services[i];
		__u32 other_protocol = service->protocol ^ flow->protocol;
		__u32 other_port = service->port ^ flow->dport;

		knows_protocol |= kvg_is_zero(other_protocol);
		bit |= kvg_is_zero(other_protocol | other_port) << i;
	}
	*ret_bit = bit;
	if (bit)
		return KVG_REASON_ALLOWED;
	return knows_protocol ? KVG_REASON_PORT : KVG_REASON_PROTOCOL;
}

static __always_inline enum kvg_reason kvg_judge_destination(const struct kvg_gate *gate,
							     const struct kvg_flow *flow, void *ctx)
{
	enum kvg_reason reason;
	__u32 granted = 0;
	__u32 bit = 0;

	if (flow->protocol != KVG_IPPROTO_TCP && flow->protocol != KVG_IPPROTO_UDP)
		return KVG_REASON_PROTOCOL;

	reason = kvg_find_service(gate, flow, &bit);
	if (reason != KVG_REASON_ALLOWED)
		return reason;

	if (!kvg_longest_grant(gate, flow, ctx, &granted))
		return KVG_REASON_DESTINATION;

	return granted & bit ? KVG_REASON_ALLOWED : KVG_REASON_PORT_FOR_DESTINATION;
}

/**
 * kvg_decide() - may this flow leave?
 * @gate: the gate's own entry; NULL or slot 0 means that it was never configured
 * @flow: what the hook made of its context
 * @ctx:  for kvg_longest_grant() and kvg_find_claim()
 *
 * Return: KVG_REASON_ALLOWED, or the one reason against it
 */
static __always_inline enum kvg_reason kvg_decide(const struct kvg_gate *gate,
						  const struct kvg_flow *flow, void *ctx)
{
	enum kvg_reason reason;

	if (!gate || !gate->slot)
		return KVG_REASON_NO_POLICY;
	if (flow->fault)
		return (enum kvg_reason)flow->fault;
	if (flow->loopback || flow->link)
		return KVG_REASON_ALLOWED;

	reason = kvg_judge_destination(gate, flow, ctx);
	if (reason == KVG_REASON_ALLOWED)
		return reason;

	switch (kvg_find_claim(flow, ctx)) {
	case KVG_CLAIM_REPLY:
		return gate->inbound == KVG_INBOUND_ALLOW ? KVG_REASON_ALLOWED
							  : KVG_REASON_INBOUND_DENIED;
	case KVG_CLAIM_OTHERS:
		return KVG_REASON_ALLOWED;
	default:
		return reason;
	}
}

#endif
