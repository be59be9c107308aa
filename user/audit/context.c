// SPDX-License-Identifier: BSD-2-Clause
#include "audit/context.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "audit/domains.h"
#include "audit/policies.h"
#include "audit/users.h"
#include "base/cleanup.h"
#include "gate/answers.h"

struct kvg_context {
	struct kvg_context_options options;
	struct kvg_policies *policies;
	struct kvg_domains *domains;
	struct kvg_answers *answers;
	struct kvg_users *users;
};

static void on_answer(void *data, const struct kvg_answer *answer)
{
	struct kvg_context *context = data;
	struct kvg_answer_names names;

	if (kvg_answer_parse(answer->message, answer->size, &names) == 0)
		kvg_domains_learn(context->domains, answer->cgroup_id, &names, answer->time_ns);
}

int kvg_context_open(const struct kvg_set *set, const struct kvg_context_options *options,
		     struct kvg_context **ret)
{
	KVG_CLEANUP(kvg_context_closep) struct kvg_context *context = calloc(1, sizeof(*context));
	struct kvg_answers_handler handler = {.answer = on_answer, .data = context};
	int r;

	if (!context)
		return -ENOMEM;
	context->options = *options;
	context->options.state_dir = NULL; /* the policies have a copy */
	r = kvg_policies_open(options->state_dir, &context->policies);
	if (r == 0)
		r = kvg_domains_open(&context->domains);
	if (r == 0)
		r = kvg_users_open("/etc/passwd", &context->users);
	if (r == 0)
		r = kvg_answers_open(set, &handler, &context->answers);
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(context);
	return 0;
}

int kvg_context_know(struct kvg_context *context, const struct kvg_policy *policy)
{
	return kvg_policies_know(context->policies, policy);
}

static struct kvg_prefix address_of(const struct kvg_refusal *refusal)
{
	bool ipv4 = refusal->family == AF_INET;
	struct kvg_prefix ret = {.family = refusal->family, .bits = ipv4 ? 32 : 128};

	memcpy(ret.addr, refusal->daddr + (ipv4 ? 12 : 0), ipv4 ? 4 : 16);
	return ret;
}

static bool has_address(const struct kvg_refusal *refusal)
{
	static const __u8 none[16];

	return (refusal->family == AF_INET || refusal->family == AF_INET6) &&
	       memcmp(refusal->daddr, none, sizeof(none)) != 0;
}

/* Would another destination have been let through? A packet that is refused for its form would not. */
static bool has_nearest(const struct kvg_refusal *refusal)
{
	switch (refusal->reason) {
	case KVG_REASON_DESTINATION:
	case KVG_REASON_PORT:
	case KVG_REASON_PORT_FOR_DESTINATION:
	case KVG_REASON_PROTOCOL:
		return refusal->dport &&
		       (refusal->protocol == IPPROTO_TCP || refusal->protocol == IPPROTO_UDP);
	default:
		return false;
	}
}

static void fill_nearest(const struct kvg_policies_row *policy, const struct kvg_prefix *address,
			 struct kvg_record *record)
{
	const struct kvg_service service = {
		.port = record->refusal.dport,
		.protocol = (__u8)record->refusal.protocol,
	};

	if (has_nearest(&record->refusal))
		record->nearest = kvg_nearest_find(policy->nearest, address, &service);
}

/* What the process looked up itself, for the policy that refused: another's hosts are not the client's. */
static const char *find_resolved(const struct kvg_context *context, const struct kvg_policy *policy,
				 const struct kvg_prefix *address)
{
	if (!context->options.is_resolved)
		return NULL;
	for (size_t i = 0; i < policy->hosts_count; i++) {
		const struct kvg_policy_host *host = &policy->hosts[i];

		if (!host->ranged &&
		    context->options.is_resolved(context->options.data, host->name, address))
			return host->name;
	}
	return NULL;
}

static void fill_destination(struct kvg_context *context, struct kvg_record *record)
{
	const struct kvg_refusal *refusal = &record->refusal;
	struct kvg_prefix address = address_of(refusal);
	const struct kvg_policies_row *policy = NULL;

	/* The answer is in the ring before the client has it. */
	kvg_answers_read(context->answers);
	record->domain = kvg_domains_find(context->domains, refusal->cgroup_id, refusal->daddr,
					  record->last_ns);
	if (record->digest && record->profile)
		policy = kvg_policies_find(context->policies, record->profile, record->digest);
	if (!policy)
		return;
	fill_nearest(policy, &address, record);
	if (!record->domain)
		record->domain = find_resolved(context, policy->policy, &address);
}

void kvg_context_fill(struct kvg_context *context, struct kvg_record *record)
{
	char id[65];

	if (!record->refusal.folded && has_address(&record->refusal))
		fill_destination(context, record);
	if (context->options.identify && record->gate)
		context->options.identify(context->options.data, record);
	/* In a container the same number may be somebody else. */
	if (record->owner.tgid && record->gate && !record->container &&
	    !kvg_record_container_id(record->gate, id))
		record->user = kvg_users_find(context->users, record->owner.uid);
}

void kvg_context_tick(struct kvg_context *context)
{
	kvg_answers_read(context->answers);
	kvg_users_refresh(context->users);
}

struct kvg_context *kvg_context_close(struct kvg_context *context)
{
	if (!context)
		return NULL;
	kvg_answers_close(context->answers);
	kvg_users_close(context->users);
	kvg_domains_close(context->domains);
	kvg_policies_close(context->policies);
	free(context);
	return NULL;
}

void kvg_context_closep(struct kvg_context **context)
{
	*context = kvg_context_close(*context);
}
