/* SPDX-License-Identifier: BSD-2-Clause */
/* Which prefix of a policy is closest to an address that it refuses: as kvg_explain() says it, but at once. */
#ifndef KVG_POLICY_NEAREST_H
#define KVG_POLICY_NEAREST_H

#include "policy/policy.h"

struct kvg_nearest;

/**
 * kvg_nearest_open() - make it ready to be asked
 * @policy: must outlive it
 * @ret:    for kvg_nearest_close(); untouched on failure
 *
 * Takes 4 bytes per rule and service of the policy.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_nearest_open(const struct kvg_policy *policy, struct kvg_nearest **ret);

/**
 * kvg_nearest_find() - the rule with the most leading bits in common with an address
 * @nearest: of which policy
 * @address: a /32 or /128
 * @service: only rules that grant it count; all do if none grants it
 *
 * Two binary searches at most, however large the policy is.
 *
 * Return: the policy's rule, of the address's family; or NULL if there is none
 */
const struct kvg_rule *kvg_nearest_find(const struct kvg_nearest *nearest,
					const struct kvg_prefix *address,
					const struct kvg_service *service);

/** kvg_nearest_close() - free it; the policy stays; NULL is fine; Return: NULL */
struct kvg_nearest *kvg_nearest_close(struct kvg_nearest *nearest);

/** kvg_nearest_closep() - for KVG_CLEANUP */
void kvg_nearest_closep(struct kvg_nearest **nearest);

#endif
