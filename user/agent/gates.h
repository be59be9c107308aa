/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's gates, all in one set of the kernel (gate/set.h), named "agent". Each profile's policy is in
 * the kernel once, in a slot that all gates of the profile name; a gate whose profile has no policy
 * names slot 0, which refuses everything.
 *
 * What is in force is in the kernel and pinned. An agent that starts adopts it: it looks at every link,
 * mends what is broken, and forgets cgroups that are gone. A set whose programs are others than this
 * binary's keeps its maps, and each link gets the new program in one step. A set with other maps stays in
 * force as it is, beside a new one named "agent-1", "agent-2", ...: each of its gates goes when the same
 * cgroup has one in the new set, and the set itself with its last gate. So a kill at any instant leaves
 * a gate with the old programs, with the new ones, or with both.
 *
 * Every function that changes something takes kvg_set_lock() for as long as it runs.
 */
#ifndef KVG_AGENT_GATES_H
#define KVG_AGENT_GATES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "audit/totals.h"
#include "base/diag.h"
#include "gate/set.h"
#include "policy/policy.h"

struct kvg_gates;

/**
 * struct kvg_gates_options - where
 * @bpffs_dir:   where the set is, or will be
 * @cgroup_root: mount point of cgroup v2
 * @totals:      where what gates let through is added up; must outlive the gates; NULL: nowhere
 * @keep_names:  of gates whose cgroups are gone, until kvg_gates_forget_gone(): the caller records what they
 *               refused
 */
struct kvg_gates_options {
	const char *bpffs_dir;
	const char *cgroup_root;
	struct kvg_totals *totals;
	bool keep_names;
};

/**
 * struct kvg_gates_entry - one gate
 * @cgroup_id:      the cgroup
 * @cgroup:         its path below the root of the hierarchy, "/" first
 * @profile:        by what it is judged; "" if another version made it and does not say
 * @generation:     counts the policies it has had, from 1
 * @digest:         of the policy in force; zeroes if there is none
 * @set:            its set's name; another than kvg_gates_set()'s if another version of kvgate made it
 * @allowed:        packets it has let through, as far as they are in the totals
 * @changed:        its policy is another since kvg_gates_tidy() last looked at its connections
 * @policy_missing: its profile has no policy: everything is refused, or, in a set that another version
 *                  made, that one's policy is still in force
 */
struct kvg_gates_entry {
	__u64 cgroup_id;
	char *cgroup;
	char *profile;
	__u32 generation;
	__u8 digest[32];
	const char *set;
	__u64 allowed;
	bool changed;
	bool policy_missing;
};

/** kvg_gates_is_set() - is a set of that name an agent's? "agent", and with another beside it "agent-1", ... */
bool kvg_gates_is_set(const char *name);

/**
 * kvg_gates_open() - make, adopt or upgrade the agent's set
 * @options:     copied
 * @ret:         the gates, for kvg_gates_close(); untouched on failure
 * @reterr_diag: what is missing: bpffs, a privilege, a kernel feature
 *
 * Gates of cgroups that are gone are removed; every other gate that was in force still is.
 *
 * Return: 0, or a negative errno
 */
int kvg_gates_open(const struct kvg_gates_options *options, struct kvg_gates **ret,
		   struct kvg_diag *reterr_diag);

/** kvg_gates_forget_gone() - the names that were kept; whoever records knows them now; 0 or -errno */
int kvg_gates_forget_gone(struct kvg_gates *gates);

/** kvg_gates_close() - forget them; they stay in force; NULL is fine; Return: NULL */
struct kvg_gates *kvg_gates_close(struct kvg_gates *gates);

/** kvg_gates_closep() - for KVG_CLEANUP */
void kvg_gates_closep(struct kvg_gates **gates);

/**
 * kvg_gates_remove_all() - take all gates and all pins out of the kernel; then only close is allowed
 * @gates:       whose
 * @reterr_diag: what could not be removed
 *
 * Return: 0, or a negative errno
 */
int kvg_gates_remove_all(struct kvg_gates *gates, struct kvg_diag *reterr_diag);

/** kvg_gates_set() - the set, for its record; the gates', and the same one until they are closed */
struct kvg_set *kvg_gates_set(const struct kvg_gates *gates);

/**
 * kvg_gates_set_policy() - put a policy in force on all gates of a profile
 * @gates:       which
 * @profile:     its name
 * @policy:      the policy, free to be freed afterwards; NULL: there is none, everything is refused
 * @reterr_diag: what went wrong
 *
 * The prefixes go into the kernel once, beside the old ones, and then each gate changes in one flip;
 * nothing if the digest is what is in force already. Old prefixes stay until kvg_gates_tidy().
 * Gates of the profile in a set of another version are moved.
 *
 * Return: 0, or a negative errno: gates that could not be changed have their old policy, and the same call
 * again, or kvg_check_round(), takes up where it ended
 */
int kvg_gates_set_policy(struct kvg_gates *gates, const char *profile,
			 const struct kvg_policy *policy, struct kvg_diag *reterr_diag);

/**
 * kvg_gates_forget_profile() - a profile that the configuration has no more
 * @gates:   which
 * @profile: its name
 *
 * Its prefixes go with kvg_gates_tidy(). Gates that still name it stay as they are: move or remove them.
 */
void kvg_gates_forget_profile(struct kvg_gates *gates, const char *profile);

/**
 * kvg_gates_put() - gate a cgroup, or have another profile judge it
 * @gates:       which
 * @cgroup:      path below the root of the hierarchy
 * @profile:     its name; without a policy so far it is judged as other gates of the profile are that were
 *               there already, and if there is none, everything is refused until it has one
 * @reterr_diag: what went wrong
 *
 * Return: 0, also if it is so already; -ENOENT no such cgroup, -ELOOP kvgate itself lives there or it is the
 * canary's, -EPERM refused for safety, or another negative errno
 */
int kvg_gates_put(struct kvg_gates *gates, const char *cgroup, const char *profile,
		  struct kvg_diag *reterr_diag);

/**
 * kvg_gates_remove() - take a gate away
 * @gates:       which
 * @cgroup_id:   the gate; its cgroup may be gone
 * @reterr_diag: what went wrong; the gate is in force then
 *
 * Return: 0, -ENOENT no such gate, or another negative errno
 */
int kvg_gates_remove(struct kvg_gates *gates, __u64 cgroup_id, struct kvg_diag *reterr_diag);

/**
 * kvg_gates_tidy() - what has time
 * @gates: which
 *
 * Ends the connections that a changed policy refuses, forgets gates of cgroups that are gone, and frees
 * prefixes that nobody names: a part of it, for some 10 ms, and without waiting.
 *
 * Return: is there more to do?
 */
bool kvg_gates_tidy(struct kvg_gates *gates);

/**
 * kvg_gates_count() - add to the totals what the gates have let through since the last time
 * @gates: which
 *
 * It is done for a gate before it goes or changes its profile, too. What one lets through between the last
 * time and the end of its cgroup is not counted: the kernel's counters end with it.
 */
void kvg_gates_count(struct kvg_gates *gates);

/**
 * kvg_gates_list() - the gates
 * @gates: whose
 * @ret:   sorted by path, parents before children; the gates', until the next call that changes something
 *
 * Return: how many
 */
size_t kvg_gates_list(const struct kvg_gates *gates, const struct kvg_gates_entry **ret);

#endif
