/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things are on this machine: options that every command about gates shares. */
#ifndef KVG_CMD_PLACES_H
#define KVG_CMD_PLACES_H

#include "cmd/options.h"

/**
 * struct kvg_places - as given by options
 * @bpffs_dir:   --bpffs-dir; where sets are pinned; NULL means KVG_BPFFS_DIR
 * @cgroup_root: --cgroup-root; NULL means found in /proc/self/mountinfo
 */
struct kvg_places {
	const char *bpffs_dir;
	const char *cgroup_root;
};

/* Rows of an option table whose target holds a struct kvg_places at @base. */
#define KVG_PLACES_OPTIONS(base)                                                            \
	{.name = "bpffs-dir",                                                               \
	 .argument = "DIR",                                                                 \
	 .set = kvg_option_set_string,                                                      \
	 .offset = (base) + offsetof(struct kvg_places, bpffs_dir),                         \
	 .help = "where gates are pinned (default /sys/fs/bpf/kvgate)"},                    \
	{                                                                                   \
		.name = "cgroup-root", .argument = "DIR", .set = kvg_option_set_string,     \
		.offset = (base) + offsetof(struct kvg_places, cgroup_root),                \
		.help = "mount point of cgroup v2 (default: found in /proc/self/mountinfo)" \
	}

/** kvg_places_bpffs() - the folder of the sets; belongs to @places or is static */
const char *kvg_places_bpffs(const struct kvg_places *places);

/**
 * kvg_places_cgroup_root() - the mount point of cgroup v2
 * @places: as given
 * @ret:    freed by the caller
 *
 * The fault is printed here.
 *
 * Return: 0, or KVG_EXIT_FAILED
 */
int kvg_places_cgroup_root(const struct kvg_places *places, char **ret);

#endif
