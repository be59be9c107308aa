/* SPDX-License-Identifier: BSD-2-Clause */
/* What a client gains and loses between two policies. */
#ifndef KVG_POLICY_DIFF_H
#define KVG_POLICY_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"
#include "policy/profile.h"
#include "ranges/library.h"

/**
 * struct kvg_diff_tag - prefixes of one name that came and went
 * @name:    "AzureKeyVault.WestEurope", "resolver", ...; owned
 * @added:   IPv4 and IPv6
 * @removed: the same
 */
struct kvg_diff_tag {
	char *name;
	size_t added[2];
	size_t removed[2];
};

/**
 * struct kvg_diff - the difference
 * @same:          what is enforced is equal (the digests are)
 * @added:         rules of the new policy that the old one has not, or with other services
 * @added_count:   how many
 * @removed:       the other way round
 * @removed_count: how many
 * @tags:          those with changes, sorted by name
 * @tags_count:    how many
 * @gained:        IPv4 addresses that may receive something now, and could not
 * @lost:          the other way round
 *
 * The rules belong to the policies.
 */
struct kvg_diff {
	bool same;
	const struct kvg_rule **added;
	size_t added_count;
	const struct kvg_rule **removed;
	size_t removed_count;
	struct kvg_diff_tag *tags;
	size_t tags_count;
	unsigned long long gained;
	unsigned long long lost;
};

/** kvg_diff_done() - free what it holds; fine on a zeroed one */
void kvg_diff_done(struct kvg_diff *diff);

/**
 * kvg_diff_policies() - compare two policies; tags are counted by the rules' origins
 * @ret: zeroed before, done by the caller
 *
 * Return: 0, or -ENOMEM
 */
int kvg_diff_policies(const struct kvg_policy *old_policy, const struct kvg_policy *new_policy,
		      struct kvg_diff *ret);

/** struct kvg_diff_side - documents, and the policy that they gave */
struct kvg_diff_side {
	const struct kvg_library *library;
	const struct kvg_policy *policy;
};

/**
 * kvg_diff_documents() - compare what documents publish for a profile
 * @profile: both sides were compiled for it
 * @ret:     zeroed before, done by the caller
 *
 * As kvg_diff_policies(), but tags are counted by the prefixes that are published under them, and
 * each is told by its region where it has one: rules merge, and their origins know no region.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_diff_documents(const struct kvg_profile *profile, const struct kvg_diff_side *old_side,
		       const struct kvg_diff_side *new_side, struct kvg_diff *ret);

#endif
