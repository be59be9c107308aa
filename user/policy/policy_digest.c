// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/policy.h"

#define HEAD          "kvgate-policy 1\n"
#define SERVICE_BYTES 3
#define RULE_BYTES    (1 + 1 + 16 + 4) /* the longest */

static unsigned char *put_head(unsigned char *at, const struct kvg_policy *policy)
{
	memcpy(at, HEAD, strlen(HEAD));
	at += strlen(HEAD);
	*at++ = (unsigned char)policy->mode;
	*at++ = (unsigned char)policy->inbound;
	*at++ = (unsigned char)policy->services_count;

	for (size_t i = 0; i < policy->services_count; i++) {
		*at++ = policy->services[i].protocol;
		memcpy(at, &policy->services[i].port, sizeof(policy->services[i].port));
		at += sizeof(policy->services[i].port);
	}
	return at;
}

static unsigned char *put_rule(unsigned char *at, const struct kvg_rule *rule)
{
	bool ipv4 = rule->prefix.family == AF_INET;
	size_t length = ipv4 ? 4 : 16;

	*at++ = ipv4 ? 4 : 6;
	*at++ = rule->prefix.bits;
	memcpy(at, rule->prefix.addr, length);
	at += length;
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (unsigned char)(rule->services >> shift);
	return at;
}

int kvg_policy_digest_bytes(const struct kvg_policy *policy, unsigned char **ret, size_t *ret_size)
{
	size_t room = strlen(HEAD) + 3 + policy->services_count * SERVICE_BYTES +
		      policy->rules_count * RULE_BYTES;
	unsigned char *bytes = malloc(room);
	unsigned char *at = bytes;

	if (!bytes)
		return -ENOMEM;

	at = put_head(at, policy);
	for (size_t i = 0; i < policy->rules_count; i++)
		at = put_rule(at, &policy->rules[i]);

	*ret = bytes;
	*ret_size = (size_t)(at - bytes);
	return 0;
}
