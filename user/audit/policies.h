/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies that have refused something, kept in memory as long as records need them: a few. */
#ifndef KVG_AUDIT_POLICIES_H
#define KVG_AUDIT_POLICIES_H

#include "policy/nearest.h"
#include "policy/policy.h"

/* As many as are in memory at once; a policy of 5,000 prefixes takes some 500 KB. */
#define KVG_POLICIES_MAX 4

/* What is larger is not read while records wait: 40,000 prefixes, in a quarter of a second. */
#define KVG_POLICIES_MAX_BYTES (8UL << 20)

/* One that could not be read is not asked for again for so long. */
#define KVG_POLICIES_RETRY_S 10

struct kvg_policies;

/** struct kvg_policies_row - one of them */
struct kvg_policies_row {
	const struct kvg_policy *policy;
	struct kvg_nearest *nearest;
};

/** kvg_policies_open() - @state_dir: where they are kept, copied; NULL: nowhere; Return: 0 or -ENOMEM */
int kvg_policies_open(const char *state_dir, struct kvg_policies **ret);

/** kvg_policies_know() - one that is in memory anyway, and outlives @policies; 0 or -ENOMEM */
int kvg_policies_know(struct kvg_policies *policies, const struct kvg_policy *policy);

/**
 * kvg_policies_find() - the policy of a record
 * @policies: reads it, and forgets that which was not asked for for the longest time
 * @profile:  its name
 * @digest:   32 bytes
 *
 * Looked for where it is kept by its digest, as the profile's last good one, and as the one that a person
 * holds the profile at.
 *
 * Return: until the next call; NULL if it is not to be had
 */
const struct kvg_policies_row *kvg_policies_find(struct kvg_policies *policies, const char *profile,
						 const unsigned char *digest);

/** kvg_policies_close() - free them; NULL is fine; Return: NULL */
struct kvg_policies *kvg_policies_close(struct kvg_policies *policies);

/** kvg_policies_closep() - for KVG_CLEANUP */
void kvg_policies_closep(struct kvg_policies **policies);

#endif
