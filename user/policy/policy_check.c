// SPDX-License-Identifier: BSD-2-Clause
/* Are the promises of struct kvg_policy kept? Each by the plainest means, for tests and fuzzers. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/policy.h"
#include "policy/rules.h"

static bool services_are_sound(const struct kvg_policy *policy)
{
	__u32 used = 0;

	for (size_t i = 0; i < policy->rules_count; i++)
		used |= policy->rules[i].services;

	for (size_t i = 0; i < policy->services_count; i++) {
		const struct kvg_service *a = &policy->services[i];

		if ((a->protocol != IPPROTO_TCP && a->protocol != IPPROTO_UDP) || !a->port)
			return false;
		if (i > 0 &&
		    (a[-1].protocol > a->protocol ||
		     (a[-1].protocol == a->protocol && ntohs(a[-1].port) >= ntohs(a->port))))
			return false;
	}
	return policy->services_count > 0 && policy->services_count <= KVG_SERVICES_MAX &&
	       used == (__u32)((1ULL << policy->services_count) - 1);
}

static bool rule_is_sound(const struct kvg_rule *rule)
{
	struct kvg_prefix again;
	char text[KVG_PREFIX_STRLEN];

	if (!rule->services || rule->from_count == 0)
		return false;
	for (size_t i = 1; i < rule->from_count; i++) {
		if (strcmp(rule->from[i - 1], rule->from[i]) >= 0)
			return false;
	}
	return kvg_prefix_parse(kvg_prefix_format(&rule->prefix, text), &again, NULL) == 0 &&
	       kvg_prefix_compare(&again, &rule->prefix) == 0;
}

/* Rules that are in their smallest form come out of kvg_rules_build() as they went in. */
static int check_form(const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_freep)
	struct kvg_claim *claims = calloc(policy->rules_count + 1, sizeof(*claims));
	KVG_CLEANUP(kvg_freep) struct kvg_rule *rules = NULL;
	KVG_CLEANUP(kvg_freep) const char **names = NULL;
	struct kvg_rule_set set;
	int r;

	if (!claims)
		return -ENOMEM;

	for (size_t i = 0; i < policy->rules_count; i++) {
		claims[i].prefix = policy->rules[i].prefix;
		claims[i].services = policy->rules[i].services;
		claims[i].from = "";
	}
	r = kvg_rules_build(claims, policy->rules_count, &set);
	if (r < 0)
		return r;

	rules = set.rules;
	names = set.names;
	if (set.count != policy->rules_count)
		return -EINVAL;
	for (size_t i = 0; i < set.count; i++) {
		if (kvg_prefix_compare(&rules[i].prefix, &policy->rules[i].prefix) != 0 ||
		    rules[i].services != policy->rules[i].services)
			return -EINVAL;
	}
	return 0;
}

int kvg_policy_check(const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_freep) unsigned char *bytes = NULL;
	unsigned char digest[KVG_DIGEST_BYTES];
	size_t size;
	int r;

	if (!policy->profile || policy->mode >= KVG_MODE_COUNT ||
	    policy->inbound >= KVG_INBOUND_COUNT || policy->rules_count == 0 ||
	    !services_are_sound(policy))
		return -EINVAL;

	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct kvg_rule *rule = &policy->rules[i];

		if (!rule_is_sound(rule))
			return -EINVAL;
		if (i > 0 && kvg_prefix_compare(&rule[-1].prefix, &rule->prefix) >= 0)
			return -EINVAL;
	}

	r = check_form(policy);
	if (r == 0)
		r = kvg_policy_digest_bytes(policy, &bytes, &size);
	if (r < 0)
		return r;

	kvg_digest(bytes, size, digest);
	return memcmp(digest, policy->digest, sizeof(digest)) == 0 ? 0 : -EINVAL;
}
