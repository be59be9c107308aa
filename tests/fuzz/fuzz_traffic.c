// SPDX-License-Identifier: BSD-2-Clause
/*
 * Captures and lists of flows. Claims, on any bytes:
 *   - whoever reads them, what was read is sound: each end has the family that it says, faults are reasons,
 *     each direction is there once, and there are not more of them than records;
 *   - it is judged to the end, each flow once, allowed or refused;
 *   - a refusal has one of the documented errors and says why in one line; so does what was unreadable.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "simulate/input.h"
#include "simulate/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
	if (!kept)
		abort();
}

static void check_diag(const struct kvg_diag *diag)
{
	check(diag->msg[0] && strlen(diag->msg) < sizeof(diag->msg));
	check(!strpbrk(diag->msg, "\r\n"));
}

struct walk {
	const struct kvg_traffic *traffic;
	size_t count;
};

static void check_seen(void *data, const struct kvg_seen *seen)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const struct kvg_flow *flow = &seen->key.flow;
	struct walk *walk = data;

	walk->count++;
	check(flow->family == AF_INET || flow->family == AF_INET6 ||
	      flow->fault == KVG_REASON_MALFORMED);
	check(flow->fault < KVG_REASON_COUNT && seen->key.sent <= KVG_SENT_IN);
	check(flow->family != AF_INET || memcmp(flow->daddr, mapped, sizeof(mapped)) == 0);
	check(!flow->link || flow->family == AF_INET6);
	check(kvg_traffic_find(walk->traffic, &seen->key, false) == seen);
	check(strlen(seen->process) < sizeof(seen->process));
}

static void check_judgement(const struct kvg_traffic *traffic, const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_judgement_done) struct kvg_judgement judgement = {.policy = policy};
	KVG_CLEANUP(kvg_freep) const struct kvg_outcome **outcomes = NULL;
	struct kvg_clients clients;
	struct kvg_diag diag = {0};
	uint64_t flows = 0;
	long judged;

	if (kvg_clients_guess(traffic, &clients, &diag) < 0) {
		check_diag(&diag);
		return;
	}
	judged = kvg_judgement_add(&judgement, traffic, &clients);
	check(judged >= 0 && (size_t)judged <= traffic->count);
	check(judgement.allowed.flows + judgement.refused.flows == (uint64_t)judged);
	outcomes = kvg_judgement_list(&judgement);
	for (size_t i = 0; i < judgement.count; i++) {
		check(i == 0 || outcomes[i - 1]->key.reason != KVG_REASON_ALLOWED ||
		      outcomes[i]->key.reason == KVG_REASON_ALLOWED);
		flows += outcomes[i]->flows;
	}
	check(flows == (uint64_t)judged);
}

static void check_format(const uint8_t *data, size_t size, enum kvg_input_format format,
			 const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_traffic_done) struct kvg_traffic traffic = {0};
	struct walk walk = {.traffic = &traffic};
	enum kvg_input_format found = format;
	struct kvg_diag diag = {0};
	int r = kvg_input_read_bytes((const char *)data, size, &found, &traffic, &diag);

	check(r == 0 || r == -EINVAL || r == -EPROTONOSUPPORT);
	check(format == KVG_INPUT_AUTO || found == format);
	if (r < 0)
		check_diag(&diag);
	if (traffic.cut || traffic.unreadable)
		check_diag(&traffic.fault);
	check(traffic.count <= traffic.records && traffic.denied <= traffic.records);
	kvg_traffic_walk(&traffic, check_seen, &walk);
	check(walk.count == traffic.count);
	check_judgement(&traffic, policy);
}

static struct kvg_policy *make_policy(void)
{
	static const struct kvg_permit permits[] = {
		{{AF_INET, 24, {192, 0, 2}}, {0xbb01, 6, 0}, "a"},
		{{AF_INET6, 32, {0x20, 0x01, 0x0d, 0xb8}}, {0xbb01, 6, 0}, "b"},
		{{AF_INET, 32, {203, 0, 113, 53}}, {0x3500, 17, 0}, "c"},
	};
	struct kvg_policy *policy = NULL;

	check(kvg_policy_new("fuzz", KVG_CLOUD_PUBLIC, &policy) == 0);
	check(kvg_policy_set_permits(policy, permits, KVG_ARRAY_SIZE(permits), NULL) == 0);
	return policy;
}

/* Read as what it looks like; the readers of text also as whatever it is not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kvg_policy *policy;
	char *text = malloc(size + 1);

	check(text);
	memcpy(text, data, size);
	text[size] = '\0';
	if (!policy)
		policy = make_policy();
	check_format((const uint8_t *)text, size, KVG_INPUT_AUTO, policy);
	check_format((const uint8_t *)text, size, KVG_INPUT_SS, policy);
	check_format((const uint8_t *)text, size, KVG_INPUT_AWS, policy);
	check_format((const uint8_t *)text, size, KVG_INPUT_VNET, policy);
	free(text);
	return 0;
}
