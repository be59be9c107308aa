// SPDX-License-Identifier: BSD-2-Clause
#include "entry.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/policy.h"

static struct kvg_prefix prefix_of(const struct kvg_model_rule *rule)
{
	struct kvg_prefix prefix = {.family = rule->ipv6 ? AF_INET6 : AF_INET, .bits = rule->bits};

	memcpy(prefix.addr, rule->addr, rule->ipv6 ? 16 : 4);
	return prefix;
}

static struct kvg_service service_of(const struct kvg_model_service *service)
{
	return (struct kvg_service){.port = htons(service->port), .protocol = service->protocol};
}

/* The rules as they are, which no compiled policy would have so. */
static int fill_raw(struct kvg_kernel *kernel, const struct kvg_model_policy *model,
		    struct kvg_gate *ret)
{
	struct kvg_rule rules[KVG_MODEL_RULES_MAX] = {};
	struct kvg_policy policy = {.rules = rules, .rules_count = model->rules_count};

	for (size_t i = 0; i < model->rules_count; i++) {
		rules[i].prefix = prefix_of(&model->rules[i]);
		rules[i].services = model->rules[i].services;
	}
	for (size_t i = 0; i < model->services_count; i++)
		policy.services[i] = service_of(&model->services[i]);
	policy.services_count = model->services_count;
	return kvg_kernel_fill(kernel, &policy, ret);
}

/* The rules as permits, compiled. */
static int compile(const struct kvg_model_policy *model, struct kvg_policy **ret)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	struct kvg_permit permits[KVG_MODEL_RULES_MAX * KVG_MODEL_SERVICES_MAX];
	size_t count = 0;
	int r;

	for (size_t i = 0; i < model->rules_count; i++) {
		for (size_t bit = 0; bit < model->services_count; bit++) {
			if (!(model->rules[i].services >> bit & 1))
				continue;
			permits[count++] =
				(struct kvg_permit){.prefix = prefix_of(&model->rules[i]),
						    .service = service_of(&model->services[bit]),
						    .from = "test"};
		}
	}
	r = kvg_policy_new("test", KVG_CLOUD_PUBLIC, &policy);
	if (r == 0)
		r = kvg_policy_set_permits(policy, permits, count, NULL);
	if (r < 0)
		return r;
	*ret = KVG_TAKE_PTR(policy);
	return 0;
}

int kvg_entry_fill(struct kvg_kernel *kernel, struct kvg_entry *entry, __u32 generation)
{
	const struct kvg_model_policy *model = &entry->model;
	int r = 0;

	if (!model->known)
		return 0;
	if (model->unite)
		r = compile(model, &entry->policy);
	if (r < 0)
		return r;
	r = model->unite ? kvg_kernel_fill(kernel, entry->policy, &entry->gate)
			 : fill_raw(kernel, model, &entry->gate);
	entry->gate.mode = model->audit ? KVG_MODE_AUDIT : KVG_MODE_ENFORCE;
	entry->gate.inbound = model->deny_inbound ? KVG_INBOUND_DENY : KVG_INBOUND_ALLOW;
	entry->gate.generation = generation;
	return r;
}
