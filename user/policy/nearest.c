// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rules are sorted by address. Whatever shares most leading bits with an address is its neighbour there:
 * the last rule before it, or the first behind it. For each service there is a list of the rules that
 * grant it, in the same order.
 */
#include "policy/nearest.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "policy/address.h"

struct kvg_nearest {
	const struct kvg_policy *policy;
	__u32 *rules[KVG_SERVICES_MAX]; /* indexes */
	size_t counts[KVG_SERVICES_MAX];
};

static int list_rules(struct kvg_nearest *nearest, size_t service)
{
	const struct kvg_policy *policy = nearest->policy;
	size_t count = 0;

	for (size_t i = 0; i < policy->rules_count; i++)
		count += policy->rules[i].services >> service & 1;
	nearest->rules[service] = calloc(count + 1, sizeof(*nearest->rules[service]));
	if (!nearest->rules[service])
		return -ENOMEM;

	for (size_t i = 0; i < policy->rules_count; i++) {
		if (policy->rules[i].services >> service & 1)
			nearest->rules[service][nearest->counts[service]++] = (__u32)i;
	}
	return 0;
}

int kvg_nearest_open(const struct kvg_policy *policy, struct kvg_nearest **ret)
{
	KVG_CLEANUP(kvg_nearest_closep) struct kvg_nearest *nearest = calloc(1, sizeof(*nearest));
	int r = nearest ? 0 : -ENOMEM;

	if (r == 0)
		nearest->policy = policy;
	for (size_t i = 0; r == 0 && i < policy->services_count; i++)
		r = list_rules(nearest, i);
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(nearest);
	return 0;
}

/* struct list - rules in order; without @indexes all of the policy's */
struct list {
	const struct kvg_policy *policy;
	const __u32 *indexes;
	size_t count;
};

static const struct kvg_rule *rule_at(const struct list *list, size_t at)
{
	return &list->policy->rules[list->indexes ? list->indexes[at] : at];
}

static struct list find_list(const struct kvg_nearest *nearest, const struct kvg_service *service)
{
	const struct kvg_policy *policy = nearest->policy;

	for (size_t i = 0; i < policy->services_count; i++) {
		if (policy->services[i].protocol == service->protocol &&
		    policy->services[i].port == service->port)
			return (struct list){policy, nearest->rules[i], nearest->counts[i]};
	}
	return (struct list){policy, NULL, policy->rules_count};
}

/* How many of them sort before @address, or equal it. */
static size_t count_before(const struct list *list, const struct kvg_prefix *address)
{
	size_t lo = 0;
	size_t hi = list->count;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (kvg_prefix_compare(&rule_at(list, middle)->prefix, address) <= 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

const struct kvg_rule *kvg_nearest_find(const struct kvg_nearest *nearest,
					const struct kvg_prefix *address,
					const struct kvg_service *service)
{
	const struct list list = find_list(nearest, service);
	size_t before = count_before(&list, address);
	const struct kvg_rule *below = before ? rule_at(&list, before - 1) : NULL;
	const struct kvg_rule *above = before < list.count ? rule_at(&list, before) : NULL;

	if (below && below->prefix.family != address->family)
		below = NULL;
	if (above && above->prefix.family != address->family)
		above = NULL;
	if (!below || !above)
		return below ? below : above;
	return kvg_address_common_bits(&above->prefix, address) >
			       kvg_address_common_bits(&below->prefix, address)
		       ? above
		       : below;
}

struct kvg_nearest *kvg_nearest_close(struct kvg_nearest *nearest)
{
	if (!nearest)
		return NULL;
	for (size_t i = 0; i < KVG_SERVICES_MAX; i++)
		free(nearest->rules[i]);
	free(nearest);
	return NULL;
}

void kvg_nearest_closep(struct kvg_nearest **nearest)
{
	*nearest = kvg_nearest_close(*nearest);
}
