/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prefixes that the newest documents do not publish any more, but the ones before them did: a profile
 * keeps them until the grace period is over (ranges.grace), counted from the day when the document
 * that held them was replaced.
 */
#ifndef KVG_POLICY_GRACE_H
#define KVG_POLICY_GRACE_H

#include <stddef.h>
#include <time.h>

#include "policy/profile.h"
#include "ranges/library.h"

/**
 * struct kvg_grace - replaced documents whose grace period is not over
 * @documents: owned
 * @until:     of each: when it is over
 * @count:     how many
 */
struct kvg_grace {
	struct kvg_document **documents;
	time_t *until;
	size_t count;
};

/**
 * kvg_grace_load() - read the replaced documents
 * @directory: where the documents are; the replaced ones are in its folder "previous"
 * @grace_s:   seconds; 0: there are none
 * @now:       of the wall clock; a document that was "replaced" later counts as replaced now
 * @ret:       zeroed before; done by the caller
 *
 * What cannot be read is passed over: it only ever adds to a policy.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_grace_load(const char *directory, unsigned long grace_s, time_t now, struct kvg_grace *ret);

/**
 * kvg_grace_add() - give a profile what it may keep
 * @grace:   loaded
 * @library: the newest documents: what they publish is not kept twice
 * @profile: gains kept prefixes, see kvg_profile_add_kept(), each from "TAG (until YYYY-MM-DD)"
 *
 * Call it once on a fresh profile, before kvg_compile().
 *
 * Return: 0, or -ENOMEM
 */
int kvg_grace_add(const struct kvg_grace *grace, const struct kvg_library *library,
		  struct kvg_profile *profile);

/** kvg_grace_next() - when the first of them is over, and a new plan is due; 0 if there are none */
time_t kvg_grace_next(const struct kvg_grace *grace);

/** kvg_grace_done() - free what it holds */
void kvg_grace_done(struct kvg_grace *grace);

#endif
