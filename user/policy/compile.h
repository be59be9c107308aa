/* SPDX-License-Identifier: BSD-2-Clause */
/* Profile + range documents -> policy. */
#ifndef KVG_POLICY_COMPILE_H
#define KVG_POLICY_COMPILE_H

#include "base/diag.h"
#include "policy/notes.h"
#include "policy/policy.h"
#include "policy/profile.h"
#include "ranges/library.h"

/**
 * kvg_compile() - the policy of a profile
 * @profile:     what the client needs
 * @library:     the documents; only those of the profile's cloud are looked at
 * @ret:         the policy, freed by the caller; untouched on failure
 * @ret_notes:   zeroed before, done by the caller, also after a failure; NULL if nobody wants them:
 *               prefixes without a region, hosts that nothing resolved, the regions there are, ...
 * @reterr_diag: what is missing or too much
 *
 * Looks at nothing but its arguments: nameservers and resolved names are in the profile by now.
 *
 * Return: 0, or a negative errno: -ENOENT a required document or tag is absent or empty, -EINVAL an
 * unknown region or tag, or a profile that contradicts itself, -ERANGE a rule that would open the
 * gate, -E2BIG too many services or prefixes, -ENOMEM
 */
int kvg_compile(const struct kvg_profile *profile, const struct kvg_library *library,
		struct kvg_policy **ret, struct kvg_notes *ret_notes, struct kvg_diag *reterr_diag);

#endif
