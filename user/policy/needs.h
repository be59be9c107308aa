/* SPDX-License-Identifier: BSD-2-Clause */
/* Which tags and sets of a document a profile needs: what a guard of downloads looks at. */
#ifndef KVG_POLICY_NEEDS_H
#define KVG_POLICY_NEEDS_H

#include "policy/profile.h"
#include "ranges/guard.h"

/**
 * kvg_needs_add() - what a profile takes from a document
 * @profile:  of any cloud; one of another cloud needs nothing
 * @document: its kind and cloud, and how it spells the profile's regions
 * @needs:    gains the groups that the catalogue, the regions and the CRL tags name, in the document or not
 *
 * Return: 0, or -ENOMEM
 */
int kvg_needs_add(const struct kvg_profile *profile, const struct kvg_document *document,
		  struct kvg_guard_needs *needs);

#endif
