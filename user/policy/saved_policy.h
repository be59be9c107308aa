/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies that were put in force, kept below the state folder. By their digest: the kernel holds what
 * is enforced, these hold which tags asked for it; nothing is judged by them. By their profile: the last
 * good one, which is put in force again when the documents are not to be had.
 */
#ifndef KVG_POLICY_SAVED_POLICY_H
#define KVG_POLICY_SAVED_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "policy/policy.h"

/** kvg_saved_policy_put() - keep @policy below @state_dir, which is made; Return: 0 or a negative errno */
int kvg_saved_policy_put(const char *state_dir, const struct kvg_policy *policy);

/** kvg_saved_policy_get() - the policy of @digest, freed by the caller; 0, -ENOENT, or another -errno */
int kvg_saved_policy_get(const char *state_dir, const unsigned char digest[KVG_DIGEST_BYTES],
			 struct kvg_policy **ret);

/** kvg_saved_policy_is_short() - is what would be read for these, as far as it is there, at most @max_bytes? */
bool kvg_saved_policy_is_short(const char *state_dir, const char *profile,
			       const unsigned char digest[KVG_DIGEST_BYTES], size_t max_bytes);

/** kvg_saved_policy_drop() - forget the policy of @digest, which no gate must have in force */
void kvg_saved_policy_drop(const char *state_dir, const unsigned char digest[KVG_DIGEST_BYTES]);

/**
 * kvg_saved_policy_put_last() - keep the last good policy of its profile
 * @state_dir: made if it is missing
 * @policy:    named by its profile
 *
 * On disk when it returns: written beside, synchronised, renamed. One of the same digest is left alone.
 *
 * Return: 0, or a negative errno; the one that was there before is there still
 */
int kvg_saved_policy_put_last(const char *state_dir, const struct kvg_policy *policy);

/**
 * kvg_saved_policy_get_last() - the last good policy of a profile
 * @state_dir: as before
 * @profile:   its name
 * @ret:       freed by the caller; untouched on failure
 *
 * Return: 0, -ENOENT there is none, -EINVAL it is damaged or another profile's, or another -errno
 */
int kvg_saved_policy_get_last(const char *state_dir, const char *profile, struct kvg_policy **ret);

/**
 * kvg_saved_policy_is() - does a file hold @policy? By the digest at its end: the rest of its megabyte is not
 * read, for that is asked at every start of the agent, of every profile
 */
bool kvg_saved_policy_is(const char *path, const struct kvg_policy *policy);

/**
 * kvg_saved_policy_link_last() - give the last good policy of a profile another name, from now on
 * @state_dir: as before
 * @policy:    which the last good one must be
 * @path:      the other name; its time is now
 *
 * Its content was written and synchronised already, and is replaced but never changed.
 *
 * Return: 0; -ENOENT it is another, or has another name already; or another negative errno
 */
int kvg_saved_policy_link_last(const char *state_dir, const struct kvg_policy *policy,
			       const char *path);

#endif
