/* SPDX-License-Identifier: BSD-2-Clause */
/* What this kernel, machine and privilege can do for kvgate: found by trying, not by version. */
#ifndef KVG_GATE_FEATURES_H
#define KVG_GATE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct kvg_feature - one thing that was tried
 * @name:     short, for people and JSON
 * @present:  it works here
 * @required: without it kvgate refuses to gate
 * @cost:     what its absence costs, a sentence without period
 * @detail:   what was found; "" if there is nothing to add
 */
struct kvg_feature {
	const char *name;
	bool present;
	bool required;
	const char *cost;
	char detail[256];
};

/**
 * kvg_features_probe() - try everything
 * @bpffs_dir:   where gates would be pinned
 * @cgroup_root: mount point of cgroup v2; NULL if there is none
 * @ret:         the findings, in the order of a table, freed by the caller
 * @ret_count:   how many
 *
 * Loads and forgets programs and maps; leaves nothing behind and changes nothing.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_features_probe(const char *bpffs_dir, const char *cgroup_root, struct kvg_feature **ret,
		       size_t *ret_count);

#endif
