// SPDX-License-Identifier: BSD-2-Clause
#include "gate/ask.h"

#include <errno.h>
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
	int error; /* the trie could not be read */
};

static bool kvg_longest_grant(const struct kvg_gate *gate, const struct kvg_flow *flow, void *ctx,
			      __u32 *ret_services)
{
	struct facts *facts = ctx;
	bool ipv4 = flow->family == AF_INET;
	struct kvg_prefix address = {.family = flow->family, .bits = ipv4 ? 32 : 128};
	int r;

	if (ipv4)
		memcpy(address.addr, &flow->daddr[12], 4);
	else
		memcpy(address.addr, flow->daddr, sizeof(address.addr));

	/* What is not there grants nothing, as in the kernel. */
	r = kvg_slots_read(facts->set, gate->slot, &address, ret_services);
	if (r < 0 && r != -ENOENT)
		facts->error = r;
	return r == 1;
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
	r = kvg_ask_connection(set, ret_gate, destination, false);
	if (r < 0)
		kvg_diag_set(reterr_diag, r, "the gate's prefixes cannot be read: %s",
			     strerror(-r));
	return r;
}

int kvg_ask_connection(struct kvg_set *set, const struct kvg_gate *gate,
		       const struct kvg_destination *peer, bool is_inbound)
{
	struct facts facts = {
		.set = set,
		.claim = is_inbound ? KVG_CLAIM_REPLY : KVG_CLAIM_NONE,
	};
	struct kvg_flow flow;
	int reason;

	kvg_destination_flow(peer, &flow);
	reason = kvg_decide(gate, &flow, &facts);
	return facts.error ? facts.error : reason;
}
