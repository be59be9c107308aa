/* SPDX-License-Identifier: BSD-2-Clause */
/* Cgroups of the v2 hierarchy: where it is mounted, and one of them opened, safe to gate. */
#ifndef KVG_GATE_CGROUP_H
#define KVG_GATE_CGROUP_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/diag.h"

/**
 * struct kvg_cgroup - an open cgroup v2 directory
 * @fd:   the directory
 * @id:   cgroup id, what bpf_get_current_cgroup_id() says
 * @path: below the root of the hierarchy as mounted here, "/" first; owned
 */
struct kvg_cgroup {
	int fd;
	__u64 id;
	char *path;
};

/**
 * kvg_cgroup_find_root() - where cgroup v2 is mounted
 * @ret:         mount point, freed by the caller; pure layouts have /sys/fs/cgroup, hybrid ones
 *               /sys/fs/cgroup/unified
 * @reterr_diag: why not
 *
 * Return: 0, -ENOENT if it is not mounted, or another negative errno
 */
int kvg_cgroup_find_root(char **ret, struct kvg_diag *reterr_diag);

/**
 * kvg_cgroup_open() - open a cgroup that may be gated
 * @root:        mount point of the hierarchy
 * @path:        below @root ("/payments.slice/app"), or the same with @root in front
 * @ret:         the cgroup, for kvg_cgroup_done(); untouched on failure
 * @reterr_diag: why not
 *
 * Refused, because a slip there cuts off the machine: an empty path, the root of the hierarchy, and
 * a cgroup that holds, directly or below, this process or process 1.
 *
 * Return: 0, -ENOENT no such cgroup, -ELOOP this process lives there, -EPERM otherwise refused for safety,
 * or another negative errno
 */
int kvg_cgroup_open(const char *root, const char *path, struct kvg_cgroup *ret,
		    struct kvg_diag *reterr_diag);

/**
 * kvg_cgroup_open_known() - open a cgroup that is gated already
 * @root: mount point of the hierarchy
 * @path: below @root, "/" first; never the root itself
 * @id:   what it is
 * @ret:  the cgroup, for kvg_cgroup_done(); untouched on failure
 *
 * Return: 0, -ENOENT it is gone, -ESTALE another is in its place, or another negative errno
 */
int kvg_cgroup_open_known(const char *root, const char *path, __u64 id, struct kvg_cgroup *ret);

/** kvg_cgroup_read_id() - id of the cgroup at @path below @root; 0, -ENOENT, or another negative errno */
int kvg_cgroup_read_id(const char *root, const char *path, __u64 *ret);

/**
 * kvg_cgroup_create() - make and open a fresh cgroup
 * @root:        mount point of the hierarchy
 * @parent:      path of an existing cgroup below @root; "/" for the root; NULL for this process's own
 * @name:        the new directory's name
 * @ret:         the cgroup, for kvg_cgroup_done(); untouched on failure
 * @reterr_diag: why not
 *
 * Return: 0, or a negative errno; -EEXIST if there is one of that name
 */
int kvg_cgroup_create(const char *root, const char *parent, const char *name,
		      struct kvg_cgroup *ret, struct kvg_diag *reterr_diag);

/**
 * kvg_cgroup_kill() - kill every process in it and below, and wait until they are gone
 * @cgroup:     an open cgroup
 * @timeout_ms: how long to wait
 *
 * Return: 0 when it is empty, -ETIMEDOUT, or another negative errno
 */
int kvg_cgroup_kill(const struct kvg_cgroup *cgroup, int timeout_ms);

/**
 * kvg_cgroup_visit() - call @visit for a cgroup and each one below it
 * @cgroup: an open cgroup
 * @visit:  @fd is the cgroup's directory, open until it returns; @id its cgroup id
 * @data:   handed on
 *
 * Those that go meanwhile are left out.
 */
void kvg_cgroup_visit(const struct kvg_cgroup *cgroup, void (*visit)(void *data, int fd, __u64 id),
		      void *data);

/** kvg_cgroup_remove() - rmdir it and what is below; Return: 0, -EBUSY if processes are left, ... */
int kvg_cgroup_remove(const char *root, const struct kvg_cgroup *cgroup);

/**
 * kvg_cgroup_level() - how deep a cgroup is in the hierarchy
 * @cgroup: an open cgroup
 * @ret:    0 for the root of all, as the kernel counts
 *
 * Return: 0, or -EOPNOTSUPP where the root of all cannot be seen: in a cgroup namespace or mount of less
 */
int kvg_cgroup_level(const struct kvg_cgroup *cgroup, __u32 *ret);

/**
 * kvg_cgroup_of() - the v2 cgroup of a process
 * @pid:  process id; 0 for this one
 * @ret:  path as in struct kvg_cgroup, freed by the caller
 *
 * Return: 0, -ESRCH if there is no such process, -ENOENT if it has no v2 cgroup
 */
int kvg_cgroup_of(pid_t pid, char **ret);

/**
 * kvg_cgroup_find_by_id() - where a cgroup is now
 * @root: mount point of the hierarchy
 * @id:   cgroup id
 * @ret:  path as in struct kvg_cgroup, freed by the caller
 *
 * Return: 0, -ESTALE if it is gone, or another negative errno
 */
int kvg_cgroup_find_by_id(const char *root, __u64 id, char **ret);

/**
 * kvg_cgroup_is_moved_by_v1() - would cgroup v1's net_cls or net_prio take sockets off their cgroup?
 *
 * Before Linux 5.15 a socket had one pointer for both: a value in net_cls or net_prio replaced its
 * v2 cgroup, and no egress program saw it any more (kernel commit 8520e224f547).
 */
bool kvg_cgroup_is_moved_by_v1(void);

/** kvg_cgroup_done() - close and free */
void kvg_cgroup_done(struct kvg_cgroup *cgroup);

#define KVG_CGROUP_NONE  \
	{                \
		.fd = -1 \
	}

#endif
