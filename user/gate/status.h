/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gates as they are in the kernel, whoever made them and whether or not their maker still runs.
 * Pinned is not the same as effective: what counts is which programs the kernel runs for the cgroup.
 */
#ifndef KVG_GATE_STATUS_H
#define KVG_GATE_STATUS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "gate/set.h"
#include "kvg_event.h"
#include "kvg_policy.h"
#include "kvg_port.h"

/** struct kvg_foreign - a program on the gated cgroup that is not kvgate's */
struct kvg_foreign {
	__u32 id;
	const char *hook;
	char name[16]; /* BPF_OBJ_NAME_LEN */
};

/**
 * struct kvg_refused_flow - what was refused since somebody last took the counts
 * @refusal: the flow
 * @count:   how often
 */
struct kvg_refused_flow {
	struct kvg_refusal refusal;
	__u64 count;
};

/**
 * struct kvg_port_status - a gated interface
 * @port:     its entry
 * @counters: since it was gated
 */
struct kvg_port_status {
	struct kvg_port port;
	struct kvg_counters counters;
};

/**
 * struct kvg_gate_status - one gate
 * @set:            name of its set
 * @cgroup_id:      the cgroup that it was put on
 * @cgroup:         where that is now, or where it was if it is gone
 * @info:           its names
 * @gate:           its entry; zero if the kernel has none
 * @counters:       of the cgroup's programs, since it was attached
 * @ports:          its interfaces
 * @ports_count:    how many
 * @lsm:            sockets of families without IP are refused when they are made
 * @problems:       one sentence each; none: healthy
 * @problems_count: how many
 * @foreign:        others' programs on the cgroup
 * @foreign_count:  how many
 * @flows:          refused flows, most often refused first; only what no recorder has taken yet
 * @flows_count:    how many, KVG_STATUS_FLOWS_MAX at most
 *
 * All pointers are owned.
 */
struct kvg_gate_status {
	char *set;
	__u64 cgroup_id;
	char *cgroup;
	struct kvg_gate_info info;
	struct kvg_gate gate;
	struct kvg_counters counters;
	struct kvg_port_status *ports;
	size_t ports_count;
	bool lsm;
	char **problems;
	size_t problems_count;
	struct kvg_foreign *foreign;
	size_t foreign_count;
	struct kvg_refused_flow *flows;
	size_t flows_count;
};

#define KVG_STATUS_FLOWS_MAX 20 /* a person reads no more; the record has all */

/**
 * kvg_status_read() - every gate of every set
 * @bpffs_dir:   where the sets are; missing means that there is no gate
 * @cgroup_root: mount point of cgroup v2
 * @ret:         the gates, for kvg_status_free()
 * @ret_count:   how many
 * @reterr_diag: why they cannot be read
 *
 * A set that cannot be read is a gate with a problem, not an error.
 *
 * Return: 0, or a negative errno
 */
int kvg_status_read(const char *bpffs_dir, const char *cgroup_root, struct kvg_gate_status **ret,
		    size_t *ret_count, struct kvg_diag *reterr_diag);

/** kvg_status_done() - free what one gate holds */
void kvg_status_done(struct kvg_gate_status *gate);

/** kvg_status_free() - free what kvg_status_read() gave; NULL is fine */
void kvg_status_free(struct kvg_gate_status *gates, size_t count);

/**
 * kvg_status_list_foreign() - programs on a cgroup that no set of @bpffs_dir owns
 * @bpffs_dir: where the sets are
 * @cgroup_fd: the cgroup, also one that is not gated
 * @ret:       freed by the caller
 * @ret_count: how many
 *
 * Return: 0, or a negative errno
 */
int kvg_status_list_foreign(const char *bpffs_dir, int cgroup_fd, struct kvg_foreign **ret,
			    size_t *ret_count);

#endif
