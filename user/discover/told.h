/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hooks told of containers that run: <run-dir>/containers/<digest of the cgroup's path>.json, the
 * request "gate" and the cgroup's id. A runtime tells it once, and a bundle may lie anywhere: without
 * these files the next agent could not tell that a gate is still asked for.
 */
#ifndef KVG_DISCOVER_TOLD_H
#define KVG_DISCOVER_TOLD_H

#include "base/diag.h"
#include "discover/oci_state.h"

/**
 * struct kvg_told_places - where
 * @run_dir:     made if it is missing
 * @cgroup_root: mount point of cgroup v2
 */
struct kvg_told_places {
	const char *run_dir;
	const char *cgroup_root;
};

/**
 * kvg_told_keep() - keep what was told of a container
 * @places:      where
 * @state:       its @cgroup found
 * @reterr_diag: why not
 *
 * Return: 0, or a negative errno
 */
int kvg_told_keep(const struct kvg_told_places *places, const struct kvg_oci_state *state,
		  struct kvg_diag *reterr_diag);

/**
 * kvg_told_each() - recall them
 * @places: where
 * @found:  called for each container whose cgroup is still the same one; @state is the caller's to
 *          change, not to free
 * @data:   handed on
 *
 * Files of cgroups that are gone, and what cannot be read, are removed.
 */
void kvg_told_each(const struct kvg_told_places *places,
		   void (*found)(void *data, struct kvg_oci_state *state), void *data);

/** kvg_told_forget() - the cgroup is gone; nothing happens if another of its name was told of already */
void kvg_told_forget(const struct kvg_told_places *places, const char *cgroup);

#endif
