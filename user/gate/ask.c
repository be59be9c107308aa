// SPDX-License-Identifier: BSD-2-Clause
#include "gate/ask.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "gate/gate.h"
#include "gate/slots.h"
#include "kvg_decide.h"

/* struct facts - what kvg_decide() asks for */
struct facts {
	struct kvg_set *set;
	enum kvg_claim claim;
};

static bool kvg_longest_grant(const struct kvg_gate *gate, const struct kvg_flow *flow, void *ctx,
			      __u32 *ret_services)
{
	const struct facts *facts = ctx;
	bool ipv4 = flow->family == AF_INET;
	struct kvg_prefix address = {.family = flow->family, .bits = ipv4 ? 32 : 128};

	if (ipv4)
		memcpy(address.addr, &flow->daddr[12], 4);
	else
		memcpy(address.addr, flow->daddr, sizeof(address.addr));

	/* What cannot be read grants nothing, as in the kernel. */
	return kvg_slots_read(facts->set, gate->slot, &address, ret_services) == 1;
}

static enum kvg_claim kvg_find_claim(const struct kvg_flow *flow, void *ctx)
{
	const struct facts *facts = ctx;

	(void)flow;
	return facts->claim;
}

int kvg_ask(struct kvg_set *set, __u64 cgroup_id, const struct kvg_destination *destination,
	    struct kvg_gate *ret_gate, struct kvg_diag *reterr_diag)
{
	int r = kvg_gate_read(set, cgroup_id, ret_gate, NULL);

	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the gate's entry cannot be read: %s",
				    strerror(-r));
	return kvg_ask_connection(set, ret_gate, destination, false);
}

enum kvg_reason kvg_ask_connection(struct kvg_set *set, const struct kvg_gate *gate,
				   const struct kvg_destination *peer, bool is_inbound)
{
	struct facts facts = {
		.set = set,
		.claim = is_inbound ? KVG_CLAIM_REPLY : KVG_CLAIM_NONE,
	};
	struct kvg_flow flow;

	kvg_destination_flow(peer, &flow);
	return kvg_decide(gate, &flow, &facts);
}
