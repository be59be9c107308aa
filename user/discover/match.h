/* SPDX-License-Identifier: BSD-2-Clause */
/* Which profiles a cgroup is for: the config's `select`, held against an identity. */
#ifndef KVG_DISCOVER_MATCH_H
#define KVG_DISCOVER_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "discover/identity.h"
#include "policy/config.h"

/**
 * struct kvg_match - a profile that a cgroup is for
 * @profile: of the config
 * @select:  the entry of @profile that matched; of several the heaviest
 * @weight:  how specific that entry is: the number of things it names first (each label is one), then
 *           the length of what it spells out, then whether it has no wildcard
 */
struct kvg_match {
	const struct kvg_config_profile *profile;
	const struct kvg_select *select;
	unsigned int weight;
};

/**
 * kvg_match_all() - every profile that a cgroup is for, heaviest first
 * @config:    borrowed by the result
 * @identity:  whose cgroup it is
 * @ret:       each profile once; of equal weight the one that stands first in the config; freed by
 *             the caller with free(3), NULL if there is none
 * @ret_count: how many
 *
 * An entry matches if everything that it names does. The root of the hierarchy matches nothing.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_match_all(const struct kvg_config *config, const struct kvg_identity *identity,
		  struct kvg_match **ret, size_t *ret_count);

/**
 * kvg_match_is_covered() - does a cgroup need no gate of its own, for one above it has one?
 * @match: heaviest match of the cgroup
 * @above: match by which a cgroup above it is gated
 *
 * Covered by the same profile, and by one that was more specific. Any other gate above applies in
 * addition: of nested gates, each must let a packet through.
 */
bool kvg_match_is_covered(const struct kvg_match *match, const struct kvg_match *above);

/** kvg_match_is_below() - is @cgroup strictly below @above? */
bool kvg_match_is_below(const char *cgroup, const char *above);

/**
 * kvg_match_pattern() - does a pattern match the whole of a text?
 *
 * '*' stands for any characters but '/', '?' for one that is no '/', two asterisks for any characters;
 * two asterisks between slashes also for nothing at all. Everything else stands for itself.
 */
bool kvg_match_pattern(const char *pattern, const char *text);

#endif
