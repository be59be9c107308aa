// SPDX-License-Identifier: BSD-2-Clause
#include "gate/ask.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "gate/gate.h"
#include "gate/slots.h"
#include "kvg_decide.h"

static bool kvg_longest_grant(const struct kvg_gate *gate, const struct kvg_flow *flow, void *ctx,
			      __u32 *ret_services)
{
	bool ipv4 = flow->family == AF_INET;
	struct kvg_prefix address = {.family = flow->family, .bits = ipv4 ? 32 : 128};

	if (ipv4)
		memcpy(address.addr, &flow->daddr[12], 4);
	else
		memcpy(address.addr, flow->daddr, sizeof(address.addr));

	/* What cannot be read grants nothing, as in the kernel. */
	return kvg_slots_read(ctx, gate->slot, &address, ret_services) == 1;
}

static enum kvg_claim kvg_find_claim(const struct kvg_flow *flow, void *ctx)
{
	(void)flow;
	(void)ctx;
	return KVG_CLAIM_NONE;
}

int kvg_ask(struct kvg_set *set, __u64 cgroup_id, const struct kvg_destination *destination,
	    struct kvg_gate *ret_gate, struct kvg_diag *reterr_diag)
{
	struct kvg_flow flow;
	int r = kvg_gate_read(set, cgroup_id, ret_gate, NULL);

	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the gate's entry cannot be read: %s",
				    strerror(-r));
	kvg_destination_flow(destination, &flow);
	return kvg_decide(ret_gate, &flow, set);
}
