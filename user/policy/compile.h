/* SPDX-License-Identifier: BSD-2-Clause */
/* Profile + range documents -> policy. */
#ifndef KVG_POLICY_COMPILE_H
#define KVG_POLICY_COMPILE_H

#include "base/diag.h"
#include "policy/policy.h"
#include "policy/profile.h"
#include "ranges/library.h"

/**
 * struct kvg_compile_notes - what the person should know although the policy compiled
 * @lines: one sentence each, owned: prefixes without a region, hosts that nothing resolved, ...
 * @count: how many
 */
struct kvg_compile_notes {
	char **lines;
	size_t count;
};

/** kvg_compile_notes_done() - free what it holds */
void kvg_compile_notes_done(struct kvg_compile_notes *notes);

/**
 * kvg_compile() - the policy of a profile
 * @profile:     what the client needs
 * @library:     the documents; only those of the profile's cloud are looked at
 * @ret:         the policy, freed by the caller; untouched on failure
 * @ret_notes:   zeroed before, done by the caller; NULL if nobody wants them
 * @reterr_diag: what is missing or too much
 *
 * Return: 0, or a negative errno: -ENOENT a required document or tag is absent or empty, -EINVAL an
 * unknown region or tag, -E2BIG too many services or prefixes, -ENOMEM
 */
int kvg_compile(const struct kvg_profile *profile, const struct kvg_library *library,
		struct kvg_policy **ret, struct kvg_compile_notes *ret_notes,
		struct kvg_diag *reterr_diag);

#endif
