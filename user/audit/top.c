// SPDX-License-Identifier: BSD-2-Clause
#include "audit/top.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/words.h"

/* Sorted by nothing: a thousand gates are found in a microsecond, and lines are some thousand a second. */
struct kvg_top {
	struct kvg_top_gate *gates[KVG_TOP_GATES];
	size_t count;
	__u64 clock;
};

const char *kvg_top_format_flow(const struct kvg_refusal *refusal, char ret[KVG_TOP_FLOW_STRLEN])
{
	bool ipv4 = refusal->family == AF_INET;
	char address[INET6_ADDRSTRLEN] = "";
	const char *protocol = kvg_protocol_word(refusal->protocol);
	const char *other =
		ipv4 || refusal->family == AF_INET6 ? NULL : kvg_family_word(refusal->family);
	char number[16];

	snprintf(number, sizeof(number), "ip/%u", refusal->protocol);
	if (!protocol)
		protocol = number;

	if (refusal->folded) {
		snprintf(ret, KVG_TOP_FLOW_STRLEN, "more %s than are told apart",
			 kvg_folded_word(refusal->folded));
		return ret;
	}
	if (refusal->hook == KVG_HOOK_SOCK_CREATE) {
		snprintf(ret, KVG_TOP_FLOW_STRLEN, "%s socket", other ? other : protocol);
		return ret;
	}
	inet_ntop(ipv4 ? AF_INET : AF_INET6, ipv4 ? &refusal->daddr[12] : refusal->daddr, address,
		  sizeof(address));
	snprintf(ret, KVG_TOP_FLOW_STRLEN, ipv4 ? "%s %s:%u" : "%s [%s]:%u", protocol, address,
		 ntohs(refusal->dport));
	return ret;
}

static void flow_done(struct kvg_top_flow *flow)
{
	free(flow->domain);
	*flow = (struct kvg_top_flow){0};
}

static void forget(struct kvg_top_gate *gate)
{
	for (size_t i = 0; i < gate->count; i++)
		flow_done(&gate->flows[i]);
	*gate = (struct kvg_top_gate){0};
}

/* Return: one without flows; NULL without memory */
static struct kvg_top_gate *make_gate(struct kvg_top *top)
{
	struct kvg_top_gate *oldest = NULL;

	if (top->count < KVG_TOP_GATES) {
		oldest = calloc(1, sizeof(*oldest));
		if (oldest)
			top->gates[top->count++] = oldest;
		return oldest;
	}
	for (size_t i = 0; i < top->count; i++) {
		if (!oldest || top->gates[i]->touched < oldest->touched)
			oldest = top->gates[i];
	}
	forget(oldest);
	return oldest;
}

static struct kvg_top_gate *find_gate(struct kvg_top *top, __u64 cgroup_id)
{
	struct kvg_top_gate *gate;

	for (size_t i = 0; i < top->count; i++) {
		if (top->gates[i]->cgroup_id == cgroup_id)
			return top->gates[i];
	}
	gate = make_gate(top);
	if (gate)
		gate->cgroup_id = cgroup_id;
	return gate;
}

/* Neither policy nor hook make another flow of it: the person who reads this thinks of a destination. */
static bool is_same(const struct kvg_refusal *a, const struct kvg_refusal *b)
{
	return memcmp(a->daddr, b->daddr, sizeof(a->daddr)) == 0 && a->dport == b->dport &&
	       a->protocol == b->protocol && a->family == b->family && a->reason == b->reason &&
	       a->mode == b->mode && a->folded == b->folded &&
	       (a->hook == KVG_HOOK_SOCK_CREATE) == (b->hook == KVG_HOOK_SOCK_CREATE);
}

/* Where all are used, the rarest gives way: what is frequent stays, and grows. */
static struct kvg_top_flow *make_flow(struct kvg_top_gate *gate)
{
	struct kvg_top_flow *rarest = &gate->flows[0];

	if (gate->count < KVG_TOP_FLOWS)
		return &gate->flows[gate->count++];
	for (size_t i = 1; i < gate->count; i++) {
		if (gate->flows[i].count < rarest->count)
			rarest = &gate->flows[i];
	}
	gate->others += rarest->count;
	flow_done(rarest);
	return rarest;
}

static struct kvg_top_flow *find_flow(struct kvg_top_gate *gate, const struct kvg_refusal *refusal)
{
	struct kvg_top_flow *flow;

	for (size_t i = 0; i < gate->count; i++) {
		if (is_same(&gate->flows[i].refusal, refusal))
			return &gate->flows[i];
	}
	flow = make_flow(gate);
	flow->refusal = *refusal;
	return flow;
}

static void set_domain(struct kvg_top_flow *flow, const char *domain)
{
	char *copy;

	if (!domain || (flow->domain && strcmp(flow->domain, domain) == 0))
		return;
	copy = strdup(domain);
	if (!copy)
		return;
	free(flow->domain);
	flow->domain = copy;
}

/* A connection that was closed is no packet, and was not refused. */
void kvg_top_add(struct kvg_top *top, const struct kvg_record *record)
{
	struct kvg_top_gate *gate;
	struct kvg_top_flow *flow;

	if (record->refusal.hook == KVG_HOOK_SOCK_DESTROY)
		return;
	gate = find_gate(top, record->refusal.cgroup_id);
	if (!gate)
		return;
	gate->touched = ++top->clock;
	flow = find_flow(gate, &record->refusal);
	flow->count += record->count;
	flow->last_ns = record->last_ns;
	if (record->owner.tgid)
		memcpy(flow->comm, record->owner.comm, sizeof(flow->comm));
	set_domain(flow, record->domain);
}

int kvg_top_open(struct kvg_top **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

size_t kvg_top_list(const struct kvg_top *top, struct kvg_top_gate *const **ret)
{
	*ret = top->gates;
	return top->count;
}

struct kvg_top *kvg_top_close(struct kvg_top *top)
{
	if (!top)
		return NULL;
	for (size_t i = 0; i < top->count; i++) {
		forget(top->gates[i]);
		free(top->gates[i]);
	}
	free(top);
	return NULL;
}

void kvg_top_closep(struct kvg_top **top)
{
	*top = kvg_top_close(*top);
}
