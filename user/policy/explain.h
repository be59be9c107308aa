/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a policy lets a destination through or not, by the same decision as the kernel's. */
#ifndef KVG_POLICY_EXPLAIN_H
#define KVG_POLICY_EXPLAIN_H

#include "base/diag.h"
#include "kvg_event.h"
#include "kvg_flow.h"
#include "policy/policy.h"

/** struct kvg_destination - ADDR:PORT[/tcp|udp] */
struct kvg_destination {
	struct kvg_prefix address; /* a /32 or /128 */
	struct kvg_service service;
};

/** kvg_destination_parse() - "192.0.2.1:443", "[2001:db8::1]:53/udp"; IPv4-mapped becomes IPv4; 0, -EINVAL */
int kvg_destination_parse(const char *text, struct kvg_destination *ret,
			  struct kvg_diag *reterr_diag);

#define KVG_DESTINATION_STRLEN 64

/** kvg_destination_format() - "192.0.2.1:443/tcp" into @ret, which is also returned */
const char *kvg_destination_format(const struct kvg_destination *destination,
				   char ret[KVG_DESTINATION_STRLEN]);

/** kvg_destination_flow() - as the packet hook would see it; loopback addresses are loopback */
void kvg_destination_flow(const struct kvg_destination *destination, struct kvg_flow *ret);

/**
 * struct kvg_explanation - the verdict and its grounds
 * @reason:  KVG_REASON_ALLOWED or why not
 * @rule:    longest rule that holds the address, or NULL; belongs to the policy
 * @nearest: where refused: the rule closest to the address (most common leading bits, same family)
 *           that grants the service, or that grants anything if none grants it; or NULL
 */
struct kvg_explanation {
	enum kvg_reason reason;
	const struct kvg_rule *rule;
	const struct kvg_rule *nearest;
};

/** kvg_explain() - judge @destination by @policy as if a gate enforced it */
void kvg_explain(const struct kvg_policy *policy, const struct kvg_destination *destination,
		 struct kvg_explanation *ret);

/** kvg_explain_reason() - judge any flow, and what a socket says of it; only the verdict, and fast */
enum kvg_reason kvg_explain_reason(const struct kvg_policy *policy, const struct kvg_flow *flow,
				   enum kvg_claim claim);

/** kvg_explain_flow() - the same with its grounds; @nearest only for what has a port */
void kvg_explain_flow(const struct kvg_policy *policy, const struct kvg_flow *flow,
		      enum kvg_claim claim, struct kvg_explanation *ret);

#endif
