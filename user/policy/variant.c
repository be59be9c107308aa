// SPDX-License-Identifier: BSD-2-Clause
#include "policy/variant.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define SEPARATOR "@" /* no profile's name has it */

void kvg_variant_tag(const struct kvg_resolvers *resolvers, char ret[KVG_VARIANT_TAG_LEN])
{
	unsigned char bytes[KVG_RESOLVERS_MAX * 17] = {0}, digest[KVG_DIGEST_BYTES];
	char hex[KVG_DIGEST_HEX_LEN];

	for (size_t i = 0; i < resolvers->count; i++) {
		bytes[17 * i] = resolvers->list[i].bits;
		memcpy(&bytes[17 * i + 1], resolvers->list[i].addr, 16);
	}
	kvg_digest(bytes, sizeof(bytes), digest);
	kvg_digest_format(digest, hex);
	memcpy(ret, hex, KVG_VARIANT_TAG_LEN - 1);
	ret[KVG_VARIANT_TAG_LEN - 1] = '\0';
}

const char *kvg_variant_name(const char *profile, const char *tag, char ret[KVG_PROFILE_LEN])
{
	snprintf(ret, KVG_PROFILE_LEN, "%s" SEPARATOR "%s", profile, tag);
	return ret;
}

const char *kvg_variant_tag_of(const char *name)
{
	const char *separator = strstr(name, SEPARATOR);

	return separator ? separator + 1 : NULL;
}

size_t kvg_variant_profile_len(const char *name)
{
	return strcspn(name, SEPARATOR);
}

bool kvg_variant_is_of(const char *name, const char *profile)
{
	size_t len = kvg_variant_profile_len(name);

	return strlen(profile) == len && strncmp(name, profile, len) == 0;
}

static size_t count_permits(const struct kvg_policy *base)
{
	size_t count = 0;

	for (size_t i = 0; i < base->rules_count; i++)
		count += base->services_count * base->rules[i].from_count;
	return count;
}

static size_t add_rule(const struct kvg_policy *base, const struct kvg_rule *rule,
		       struct kvg_permit *permits)
{
	size_t count = 0;

	for (size_t s = 0; s < base->services_count; s++) {
		for (size_t f = 0; rule->services & 1U << s && f < rule->from_count; f++)
			permits[count++] = (struct kvg_permit){
				.prefix = rule->prefix,
				.service = base->services[s],
				.from = rule->from[f],
			};
	}
	return count;
}

static size_t add_resolver(const struct kvg_prefix *address, struct kvg_permit *permits)
{
	const struct kvg_permit permit = {
		.prefix = *address,
		.service = {.port = htons(53), .protocol = IPPROTO_UDP},
		.from = "resolver",
	};

	permits[0] = permits[1] = permit;
	permits[1].service.protocol = IPPROTO_TCP;
	return 2;
}

int kvg_variant_make(const struct kvg_policy *base, const struct kvg_resolvers *resolvers,
		     struct kvg_policy **ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	KVG_CLEANUP(kvg_freep)
	struct kvg_permit *permits =
		calloc(count_permits(base) + 2 * resolvers->count + 1, sizeof(*permits));
	size_t count = 0;
	int r;

	r = permits ? kvg_policy_new(base->profile, base->cloud, &policy) : -ENOMEM;
	if (r < 0)
		return r;
	policy->mode = base->mode;
	policy->inbound = base->inbound;
	for (size_t i = 0; i < base->rules_count; i++)
		count += add_rule(base, &base->rules[i], &permits[count]);
	for (size_t i = 0; i < resolvers->count; i++)
		count += add_resolver(&resolvers->list[i], &permits[count]);
	r = kvg_policy_set_permits(policy, permits, count, reterr_diag);
	if (r < 0)
		return r;
	*ret = KVG_TAKE_PTR(policy);
	return 0;
}
