// SPDX-License-Identifier: BSD-2-Clause
#include "learn/evidence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/lines.h"
#include "base/cleanup.h"

static int compare_flows(const void *a, const void *b)
{
	const struct kvg_evidence_flow *x = a, *y = b;
	int order = kvg_prefix_compare(&x->address, &y->address);

	if (order)
		return order;
	if (x->service.protocol != y->service.protocol)
		return x->service.protocol < y->service.protocol ? -1 : 1;
	return (int)ntohs(x->service.port) - (int)ntohs(y->service.port);
}

static void flow_done(struct kvg_evidence_flow *flow)
{
	free(flow->name);
	free(flow->process);
}

/* What @from knows and @into does not yet. */
static void merge(struct kvg_evidence_flow *into, struct kvg_evidence_flow *from)
{
	into->count += from->count;
	into->refused |= from->refused;
	if (!into->name)
		into->name = KVG_TAKE_PTR(from->name);
	if (!into->process)
		into->process = KVG_TAKE_PTR(from->process);
	flow_done(from);
}

void kvg_evidence_sort(struct kvg_evidence *evidence)
{
	size_t kept = 0;

	if (evidence->sorted || evidence->flows_count == 0)
		return;
	qsort(evidence->flows, evidence->flows_count, sizeof(*evidence->flows), compare_flows);
	for (size_t i = 1; i < evidence->flows_count; i++) {
		if (compare_flows(&evidence->flows[kept], &evidence->flows[i]) == 0)
			merge(&evidence->flows[kept], &evidence->flows[i]);
		else
			evidence->flows[++kept] = evidence->flows[i];
	}
	evidence->flows_count = kept + 1;
	evidence->sorted = true;
}

static int make_room(struct kvg_evidence *evidence)
{
	struct kvg_evidence_flow *flows;
	size_t more;

	if (evidence->flows_count < evidence->flows_allocated)
		return 0;
	kvg_evidence_sort(evidence);
	if (evidence->flows_count < evidence->flows_allocated / 2)
		return 0;
	if (evidence->flows_count >= KVG_EVIDENCE_FLOWS_MAX)
		return -ENOSPC;

	more = 2 * evidence->flows_allocated + 64;
	flows = reallocarray(evidence->flows, more, sizeof(*flows));
	if (!flows)
		return -ENOMEM;
	evidence->flows = flows;
	evidence->flows_allocated = more;
	return 0;
}

static int copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

static int parse_protocol(const char *transport, __u8 *ret)
{
	if (transport && strcmp(transport, "tcp") == 0)
		*ret = IPPROTO_TCP;
	else if (transport && strcmp(transport, "udp") == 0)
		*ret = IPPROTO_UDP;
	else
		return -EINVAL;
	return 0;
}

/* Only what is judged by where it goes can be answered by a profile. */
static bool is_about_destination(const char *reason)
{
	static const char *const reasons[] = {"destination", "port", "port_for_destination",
					      "protocol", "no_policy"};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(reasons); i++) {
		if (strcmp(reason, reasons[i]) == 0)
			return true;
	}
	return false;
}

static int parse_flow(const json_t *line, const char *reason, struct kvg_evidence_flow *ret)
{
	const char *ip = kvg_line_text(line, "destination.ip");
	long long port = kvg_line_number(line, "destination.port", 0);

	if (!is_about_destination(reason) || !ip || port <= 0 || port > 65535)
		return -EINVAL;
	ret->service.port = htons((__u16)port);
	if (parse_protocol(kvg_line_text(line, "network.transport"), &ret->service.protocol) < 0)
		return -EINVAL;
	return kvg_prefix_parse_address(ip, &ret->address, NULL);
}

/* There is no room for another flow. The flows are sorted. */
static void add_to_known(struct kvg_evidence *evidence, const struct kvg_evidence_flow *flow)
{
	struct kvg_evidence_flow *known =
		bsearch(flow, evidence->flows, evidence->flows_count, sizeof(*flow), compare_flows);

	if (!known) {
		evidence->left_out += flow->count;
		return;
	}
	known->count += flow->count;
	known->refused |= flow->refused;
}

static int add_flow(struct kvg_evidence *evidence, const json_t *line,
		    struct kvg_evidence_flow *flow)
{
	int r = make_room(evidence);

	if (r == -ENOSPC) {
		add_to_known(evidence, flow);
		return 0;
	}
	if (r < 0 || copy_text(kvg_line_text(line, "destination.domain"), &flow->name) < 0)
		return -ENOMEM;
	if (copy_text(kvg_line_text(line, "process.name"), &flow->process) < 0) {
		free(flow->name);
		return -ENOMEM;
	}
	evidence->flows[evidence->flows_count++] = *flow;
	evidence->sorted = false;
	return 0;
}

static int add_other(struct kvg_evidence *evidence, const char *reason, __u64 count)
{
	struct kvg_evidence_other *others;

	for (size_t i = 0; i < evidence->others_count; i++) {
		if (strcmp(evidence->others[i].reason, reason) == 0) {
			evidence->others[i].count += count;
			return 0;
		}
	}

	others = reallocarray(evidence->others, evidence->others_count + 1, sizeof(*others));
	if (!others)
		return -ENOMEM;
	evidence->others = others;
	others += evidence->others_count;
	*others = (struct kvg_evidence_other){.reason = strdup(reason), .count = count};
	if (!others->reason)
		return -ENOMEM;
	evidence->others_count++;
	return 0;
}

int kvg_evidence_add(struct kvg_evidence *evidence, const json_t *line)
{
	const char *action = kvg_line_text(line, "event.action");
	const char *reason = kvg_line_text(line, "event.reason");
	struct kvg_evidence_flow flow = {0};
	bool noted = strcmp(action, "egress-would-refuse") == 0;

	if ((!noted && strcmp(action, "egress-refused") != 0) || !reason)
		return 0;
	evidence->records++;
	flow.refused = !noted;
	flow.count = kvg_line_number(line, "kvgate.count", 1);
	if (parse_flow(line, reason, &flow) == 0)
		return add_flow(evidence, line, &flow);
	return add_other(evidence, reason, flow.count);
}

void kvg_evidence_done(struct kvg_evidence *evidence)
{
	for (size_t i = 0; i < evidence->flows_count; i++)
		flow_done(&evidence->flows[i]);
	for (size_t i = 0; i < evidence->others_count; i++)
		free(evidence->others[i].reason);
	free(evidence->flows);
	free(evidence->others);
	*evidence = (struct kvg_evidence){0};
}
