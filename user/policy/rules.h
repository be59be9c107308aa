/* SPDX-License-Identifier: BSD-2-Clause */
/* From who-asked-for-what to the canonical rules of a policy. */
#ifndef KVG_POLICY_RULES_H
#define KVG_POLICY_RULES_H

#include <stddef.h>

#include "policy/policy.h"

/**
 * struct kvg_claim - one name asks services for a prefix
 * @prefix:   canonical
 * @services: bits of the policy's services; not 0
 * @from:     the name; equal names have equal pointers
 */
struct kvg_claim {
	struct kvg_prefix prefix;
	__u32 services;
	const char *from;
};

/**
 * struct kvg_rule_set - rules and what their names live in
 * @rules: as struct kvg_policy promises
 * @count: how many
 * @names: what rules[].from points into
 */
struct kvg_rule_set {
	struct kvg_rule *rules;
	size_t count;
	const char **names;
};

/**
 * kvg_rules_build() - the smallest self-contained rules that give every address what was claimed
 * @claims: in any order, with repeats; sorted in place
 * @count:  how many
 * @ret:    its arrays are freed by the caller; the strings stay the claims'
 *
 * What an address may receive is the union of the claims that hold it. The rules depend on nothing
 * else: other claims with the same union give the same prefixes and services. A rule names everybody
 * who contributed to its services, but not who asked again inside it.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_rules_build(struct kvg_claim *claims, size_t count, struct kvg_rule_set *ret);

#endif
