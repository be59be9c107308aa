/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies that a profile had in force, the newest last, and the one that a person holds it at:
 *
 *	<state-dir>/history/<profile>/<number>.json   written once; its time is when it came into force
 *	<state-dir>/history/<profile>/held.json       while it is there, this policy is the profile's
 */
#ifndef KVG_POLICY_HISTORY_H
#define KVG_POLICY_HISTORY_H

#include <stddef.h>
#include <time.h>

#include "base/diag.h"
#include "policy/policy.h"

/* Kept of each profile: a month of daily changes is more than ever happened; 200 KB each. */
#define KVG_HISTORY_MAX 20

/**
 * struct kvg_history_entry - a policy of the past
 * @number: counts up from 1
 * @since:  when it came into force
 * @policy: whole, owned; NULL if the file is damaged
 */
struct kvg_history_entry {
	unsigned int number;
	time_t since;
	struct kvg_policy *policy;
};

/**
 * struct kvg_history - of one profile
 * @entries: oldest first; owned
 * @count:   how many
 */
struct kvg_history {
	struct kvg_history_entry *entries;
	size_t count;
};

/**
 * kvg_history_add() - note that a policy of @policy->profile is in force from now on
 * @state_dir:   made where it is missing
 * @policy:      kept if its digest is not that of the newest entry
 * @reterr_diag: which file, and why not
 *
 * The oldest ones above KVG_HISTORY_MAX are removed.
 *
 * Return: 0, or a negative errno; nothing depends on it but `kvgate policy`
 */
int kvg_history_add(const char *state_dir, const struct kvg_policy *policy,
		    struct kvg_diag *reterr_diag);

/** kvg_history_read() - all entries of @profile; @ret zeroed before; 0 also if there are none, or -errno */
int kvg_history_read(const char *state_dir, const char *profile, struct kvg_history *ret);

/** kvg_history_done() - free what it holds */
void kvg_history_done(struct kvg_history *history);

/** kvg_history_hold() - @profile shall have @policy until it is released; 0, or a negative errno */
int kvg_history_hold(const char *state_dir, const char *profile, const struct kvg_policy *policy);

/** kvg_history_release() - it shall follow its documents again; 0, -ENOENT if it is not held, or -errno */
int kvg_history_release(const char *state_dir, const char *profile);

/**
 * kvg_history_held() - the policy that a person holds a profile at
 * @state_dir:   of the agent
 * @profile:     its name
 * @ret:         the policy, freed by the caller; untouched on failure
 * @reterr_diag: what is wrong with the file
 *
 * To be asked before compiling: while it gives a policy, that one is to be in force and no other.
 *
 * Return: 0; -ENOENT the profile is not held; another negative errno: it is held, but the file cannot
 * be read: keep what is in force
 */
int kvg_history_held(const char *state_dir, const char *profile, struct kvg_policy **ret,
		     struct kvg_diag *reterr_diag);

#endif
