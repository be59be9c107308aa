/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every cgroup there is, and which profile it shall be gated by. Decides, and touches nothing: what is
 * put in force is user/agent/place.c's business.
 *
 * Of the profiles that match a cgroup the most specific is the one; those that match, too, are kept to
 * be shown. A cgroup below one that is gated already needs no gate of its own where
 * kvg_match_is_covered() says so, once that gate is in force.
 */
#ifndef KVG_AGENT_TARGETS_H
#define KVG_AGENT_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "discover/identity.h"
#include "discover/match.h"
#include "policy/config.h"
#include "policy/resolvers.h"

/**
 * struct kvg_target - a cgroup
 * @cgroup:      its path; owned
 * @matches:     profiles of the config that match, heaviest first; owned
 * @count:       how many; 0: no gate
 * @cover:       path of the cgroup above that makes a gate here needless, or NULL; owned
 * @told:        who it is, as a container runtime's hook said it; NULL if nobody did; owned
 * @bundle:      of the container that it is of, or NULL; owned
 * @resolvers:   what its resolv.conf said when it was read
 * @read:        it was
 * @starting:    a runtime's hook holds it before its first instruction
 * @note:        what is to be said of that, of "its resolv.conf"; empty if nothing is
 * @incomplete:  it is a container's, but the runtime has not told yet whose
 * @tries:       how often that was looked up
 * @due_us:      when to look again, by CLOCK_MONOTONIC
 * @in_force:    it has its gate: those below may do without
 * @problem:     why it is not gated although it should be; empty if it is
 */
struct kvg_target {
	char *cgroup;
	struct kvg_match *matches;
	size_t count;
	char *cover;
	struct kvg_identity *told;
	char *bundle;
	struct kvg_resolvers resolvers;
	bool read;
	bool starting;
	struct kvg_diag note;
	bool incomplete;
	unsigned int tries;
	unsigned long long due_us;
	bool in_force;
	struct kvg_diag problem;
};

/**
 * struct kvg_targets - all of them, sorted by path, so that a parent stands before its children
 * @list:  owned
 * @count: how many
 * @room:  how many there is memory for
 */
struct kvg_targets {
	struct kvg_target **list;
	size_t count;
	size_t room;
};

/** kvg_targets_add() - a cgroup, or the one that is there already; 0, or -ENOMEM */
int kvg_targets_add(struct kvg_targets *targets, const char *cgroup, struct kvg_target **ret);

/** kvg_targets_find() - the cgroup of this path, or NULL */
struct kvg_target *kvg_targets_find(const struct kvg_targets *targets, const char *cgroup);

/** kvg_targets_remove() - the cgroup of this path is gone */
void kvg_targets_remove(struct kvg_targets *targets, const char *cgroup);

/**
 * kvg_targets_decide() - which profile is a cgroup for?
 * @targets: those above @target decided already
 * @target:  one of them
 * @config:  must stay as long as the decision does
 * @roots:   see kvg_identity_read()
 *
 * Return: 0, or -ENOMEM: to be tried again
 */
int kvg_targets_decide(struct kvg_targets *targets, struct kvg_target *target,
		       const struct kvg_config *config, const struct kvg_identity_roots *roots);

/** kvg_target_profile() - name of the profile that @target shall have a gate of; NULL if of none */
const char *kvg_target_profile(const struct kvg_target *target);

/** kvg_targets_done() - free what they hold */
void kvg_targets_done(struct kvg_targets *targets);

#endif
