// SPDX-License-Identifier: BSD-2-Clause
#include "policy/policy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/address.h"
#include "policy/rules.h"

/**
 * struct kvg_policy_owned - what the rules' names live in
 * @strings: tree of tsearch(3), every name once
 * @names:   what kvg_rule.from points into
 */
struct kvg_policy_owned {
	void *strings;
	const char **names;
};

static int compare_strings(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The policy's own copy of @name, the same pointer for equal names; NULL if there is no memory. */
static const char *intern(struct kvg_policy *policy, const char *name)
{
	KVG_CLEANUP(kvg_freep) char *copy = NULL;
	char **found = tfind(name, &policy->owned->strings, compare_strings);

	if (found)
		return *found;

	copy = strdup(name);
	if (!copy)
		return NULL;
	found = tsearch(copy, &policy->owned->strings, compare_strings);
	if (!found)
		return NULL;
	copy = NULL; /* the tree's */
	return *found;
}

int kvg_policy_new(const char *profile, enum kvg_cloud cloud, struct kvg_policy **ret)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return -ENOMEM;

	policy->cloud = cloud;
	policy->mode = KVG_MODE_ENFORCE;
	policy->inbound = KVG_INBOUND_ALLOW;
	policy->profile = strdup(profile);
	policy->owned = calloc(1, sizeof(*policy->owned));
	if (!policy->profile || !policy->owned)
		return -ENOMEM;

	*ret = KVG_TAKE_PTR(policy);
	return 0;
}

struct kvg_policy *kvg_policy_free(struct kvg_policy *policy)
{
	if (!policy)
		return NULL;

	for (size_t i = 0; i < policy->sources_count; i++)
		free(policy->sources[i].file);
	for (size_t i = 0; i < policy->hosts_count; i++)
		free(policy->hosts[i].name);
	if (policy->owned) {
		tdestroy(policy->owned->strings, free);
		free(policy->owned->names);
	}
	free(policy->owned);
	free(policy->sources);
	free(policy->rules);
	free(policy->hosts);
	free(policy->profile);
	free(policy);
	return NULL;
}

void kvg_policy_freep(struct kvg_policy **policy)
{
	kvg_policy_free(*policy);
}

int kvg_policy_add_source(struct kvg_policy *policy, const struct kvg_source *source)
{
	struct kvg_source *sources;
	char *file = strdup(source->file);

	if (!file)
		return -ENOMEM;

	sources = reallocarray(policy->sources, policy->sources_count + 1, sizeof(*sources));
	if (!sources) {
		free(file);
		return -ENOMEM;
	}
	policy->sources = sources;
	/* The reader takes plain text only, and a file's name may be anything. */
	for (unsigned char *c = (unsigned char *)file; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	sources[policy->sources_count] = *source;
	sources[policy->sources_count++].file = file;
	return 0;
}

int kvg_policy_add_host(struct kvg_policy *policy, const struct kvg_policy_host *host)
{
	struct kvg_policy_host *hosts;
	char *name;

	for (size_t i = 0; i < policy->hosts_count; i++) {
		if (strcmp(policy->hosts[i].name, host->name) == 0 &&
		    policy->hosts[i].service.protocol == host->service.protocol &&
		    policy->hosts[i].service.port == host->service.port)
			return 0;
	}

	name = strdup(host->name);
	if (!name)
		return -ENOMEM;
	hosts = reallocarray(policy->hosts, policy->hosts_count + 1, sizeof(*hosts));
	if (!hosts) {
		free(name);
		return -ENOMEM;
	}
	policy->hosts = hosts;
	hosts[policy->hosts_count] = *host;
	hosts[policy->hosts_count++].name = name;
	return 0;
}

static int compare_services(const struct kvg_service *a, const struct kvg_service *b)
{
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	return (int)ntohs(a->port) - (int)ntohs(b->port);
}

static size_t find_service(const struct kvg_policy *policy, const struct kvg_service *service)
{
	size_t i = 0;

	while (i < policy->services_count && compare_services(&policy->services[i], service) < 0)
		i++;
	return i;
}

static int add_service(struct kvg_policy *policy, const struct kvg_service *service,
		       struct kvg_diag *reterr_diag)
{
	size_t at = find_service(policy, service);

	if (at < policy->services_count && compare_services(&policy->services[at], service) == 0)
		return 0;
	if (policy->services_count == KVG_SERVICES_MAX)
		return kvg_diag_set(
			reterr_diag, -E2BIG,
			"more than %d different services: a policy has no room for more",
			KVG_SERVICES_MAX);

	memmove(&policy->services[at + 1], &policy->services[at],
		(policy->services_count - at) * sizeof(*policy->services));
	policy->services[at] = *service;
	policy->services_count++;
	return 0;
}

static int check_size(const struct kvg_policy *policy, struct kvg_diag *reterr_diag)
{
	size_t ipv4 = 0;
	size_t ipv6;

	while (ipv4 < policy->rules_count && policy->rules[ipv4].prefix.family == AF_INET)
		ipv4++;
	ipv6 = policy->rules_count - ipv4;
	if (ipv4 > KVG_PREFIXES_MAX || ipv6 > KVG_PREFIXES_MAX)
		return kvg_diag_set(reterr_diag, -E2BIG,
				    "%zu IPv4 and %zu IPv6 rules: a gate has room for %d of each",
				    ipv4, ipv6, KVG_PREFIXES_MAX);
	return 0;
}

static int set_digest(struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_freep) unsigned char *bytes = NULL;
	size_t size;
	int r;

	r = kvg_policy_digest_bytes(policy, &bytes, &size);
	if (r == 0)
		kvg_digest(bytes, size, policy->digest);
	return r;
}

int kvg_policy_set_permits(struct kvg_policy *policy, const struct kvg_permit *permits,
			   size_t count, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) struct kvg_claim *claims = calloc(count + 1, sizeof(*claims));
	struct kvg_rule_set set;
	int r = 0;

	if (!claims)
		return -ENOMEM;

	for (size_t i = 0; i < count && r == 0; i++)
		r = add_service(policy, &permits[i].service, reterr_diag);
	if (r < 0)
		return r;

	for (size_t i = 0; i < count; i++) {
		claims[i].prefix = permits[i].prefix;
		claims[i].services = 1U << find_service(policy, &permits[i].service);
		claims[i].from = intern(policy, permits[i].from);
		if (!claims[i].from)
			return -ENOMEM;
	}

	r = kvg_rules_build(claims, count, &set);
	if (r < 0)
		return r;
	free(policy->rules);
	free(policy->owned->names);
	policy->rules = set.rules;
	policy->rules_count = set.count;
	policy->owned->names = set.names;

	r = check_size(policy, reterr_diag);
	return r < 0 ? r : set_digest(policy);
}

/* The last rule that sorts before @key or equals it, or NULL. */
static const struct kvg_rule *find_before(const struct kvg_policy *policy,
					  const struct kvg_prefix *key)
{
	size_t lo = 0;
	size_t hi = policy->rules_count;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (kvg_prefix_compare(&policy->rules[middle].prefix, key) <= 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo ? &policy->rules[lo - 1] : NULL;
}

/*
 * Whatever holds the address sorts before it. If the nearest such rule does not hold it, then whatever
 * does also holds that rule, and so is no longer than what the two have in common: look there.
 */
const struct kvg_rule *kvg_policy_longest(const struct kvg_policy *policy,
					  const struct kvg_prefix *address)
{
	struct kvg_prefix key = *address;
	const struct kvg_rule *rule;

	while ((rule = find_before(policy, &key))) {
		if (rule->prefix.family != key.family)
			return NULL;
		if (kvg_prefix_holds(&rule->prefix, &key))
			return rule;
		key = kvg_address_truncate(&key, kvg_address_common_bits(&rule->prefix, &key));
	}
	return NULL;
}

void kvg_policy_gate(const struct kvg_policy *policy, __u64 cgroup_id, __u32 slot, __u32 generation,
		     struct kvg_gate *ret)
{
	*ret = (struct kvg_gate){
		.cgroup_id = cgroup_id,
		.slot = slot,
		.generation = generation,
		.mode = (__u8)policy->mode,
		.inbound = (__u8)policy->inbound,
		.services_count = (__u8)policy->services_count,
	};

	memcpy(&ret->policy_id, policy->digest, sizeof(ret->policy_id));
	memcpy(ret->services, policy->services, policy->services_count * sizeof(*policy->services));
}
