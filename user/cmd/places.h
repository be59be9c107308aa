/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things are on this machine: options that every command about gates shares. */
#ifndef KVG_CMD_PLACES_H
#define KVG_CMD_PLACES_H

#include <linux/types.h>
#include <stdbool.h>

#include "cmd/options.h"
#include "kvg_policy.h"

/**
 * struct kvg_places - as given by options
 * @bpffs_dir:   --bpffs-dir; where sets are pinned; NULL means KVG_BPFFS_DIR
 * @cgroup_root: --cgroup-root; NULL means found in /proc/self/mountinfo
 * @run_dir:     --run-dir, of the commands that take it; NULL means KVG_RUN_DIR
 */
struct kvg_places {
	const char *bpffs_dir;
	const char *cgroup_root;
	const char *run_dir;
};

#define KVG_RUN_DIR "/run/kvgate"

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

/* One more row, for commands that leave or end a recorder in the background. */
#define KVG_PLACES_RUN_DIR_OPTION(base)                                             \
	{                                                                           \
		.name = "run-dir", .argument = "DIR", .set = kvg_option_set_string, \
		.offset = (base) + offsetof(struct kvg_places, run_dir),            \
		.help = "locks of running recorders (" KVG_RUN_DIR ")"              \
	}

/** kvg_places_bpffs() - the folder of the sets; belongs to @places or is static */
const char *kvg_places_bpffs(const struct kvg_places *places);

/** kvg_places_run_dir() - the folder of the locks; belongs to @places or is static */
const char *kvg_places_run_dir(const struct kvg_places *places);

#define KVG_PLACES_SET_LEN 32 /* "cgroup-" and a 64-bit number */

/** kvg_places_set_name() - name of the set that `run` and `attach` make for one cgroup */
const char *kvg_places_set_name(__u64 cgroup_id, char ret[KVG_PLACES_SET_LEN]);

/**
 * kvg_places_has_agent() - does an agent run that looks after this set's gates?
 * @places: as given
 * @set:    its name
 * @ret_pid: the agent's process; 0 if it is not known
 */
bool kvg_places_has_agent(const struct kvg_places *places, const char *set, long *ret_pid);

/**
 * kvg_places_refuse_agents() - leave a gate to the agent that runs
 * @places:      as given
 * @set:         name of the gate's set
 * @cgroup:      the gate's
 * @info:        its name
 * @reterr_diag: whose it is
 *
 * Return: 0 if it is no agent's that runs, or -EBUSY
 */
int kvg_places_refuse_agents(const struct kvg_places *places, const char *set, const char *cgroup,
			     const struct kvg_gate_info *info, struct kvg_diag *reterr_diag);

/**
 * kvg_places_refuse_own() - gate no cgroup that holds, directly or below, the agent that runs
 * @places:      as given
 * @cgroup:      path below the root of the hierarchy
 * @reterr_diag: which process that is
 *
 * Return: 0, or -EPERM
 */
int kvg_places_refuse_own(const struct kvg_places *places, const char *cgroup,
			  struct kvg_diag *reterr_diag);

/** kvg_places_log() - print why a gate cannot be made or changed, and what an unprivileged user lacks */
void kvg_places_log(int error, const struct kvg_diag *diag);

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

/**
 * kvg_places_cgroup_path() - what a person calls a cgroup, as a path below the root
 * @root:    mount point of the hierarchy
 * @operand: "/sys/fs/cgroup//a/b/", "a/b", ...
 * @ret:     "/a/b", or "" for the root itself; freed by the caller
 *
 * Return: 0, or -ENOMEM
 */
int kvg_places_cgroup_path(const char *root, const char *operand, char **ret);

#endif
