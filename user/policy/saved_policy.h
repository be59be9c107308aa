/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies that were put in force, kept below the state folder by their digest: the kernel holds what
 * is enforced, these hold which tags asked for it. Nothing is judged by them.
 */
#ifndef KVG_POLICY_SAVED_POLICY_H
#define KVG_POLICY_SAVED_POLICY_H

#include "base/digest.h"
#include "policy/policy.h"

/** kvg_saved_policy_put() - keep @policy below @state_dir, which is made; Return: 0 or a negative errno */
int kvg_saved_policy_put(const char *state_dir, const struct kvg_policy *policy);

/** kvg_saved_policy_get() - the policy of @digest, freed by the caller; 0, -ENOENT, or another -errno */
int kvg_saved_policy_get(const char *state_dir, const unsigned char digest[KVG_DIGEST_BYTES],
			 struct kvg_policy **ret);

/** kvg_saved_policy_drop() - forget the policy of @digest, which no gate must have in force */
void kvg_saved_policy_drop(const char *state_dir, const unsigned char digest[KVG_DIGEST_BYTES]);

#endif
