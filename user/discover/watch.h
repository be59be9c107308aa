/* SPDX-License-Identifier: BSD-2-Clause */
/* Cgroups as they come and go: a tree of folders, watched by inotify. At rest it costs nothing. */
#ifndef KVG_DISCOVER_WATCH_H
#define KVG_DISCOVER_WATCH_H

#include <stddef.h>

#include "base/diag.h"

struct kvg_watch;
struct sd_event;

/**
 * struct kvg_watch_ops - what is told; paths are below the root of the hierarchy, which itself is "/"
 * @appeared: a cgroup is there; told of a parent before its children
 * @gone:     it is not any more; told of children before their parent. Of a cgroup that was removed
 *            and made again under the same name both are told, in this order
 * @problem:  from now on not every cgroup is noticed at once, and why; NULL: that is over. May be
 *            NULL if nobody wants to know
 * @data:     handed to each
 *
 * A path is the callee's until it returns. None of them may call kvg_watch_rescan() or
 * kvg_watch_close(). A cgroup that goes before it was looked at is not told of at all.
 */
struct kvg_watch_ops {
	void (*appeared)(void *data, const char *cgroup);
	void (*gone)(void *data, const char *cgroup);
	void (*problem)(void *data, const char *message);
	void *data;
};

/**
 * kvg_watch_open() - tell of every cgroup there is, and from then on of each that comes or goes
 * @cgroup_root: mount point of the hierarchy; any folder will do
 * @event:       loop that waits; kept until kvg_watch_close()
 * @ops:         copied
 * @ret:         the watch, for kvg_watch_close(); untouched on failure
 * @reterr_diag: why not
 *
 * @ops->appeared is called for all that is there before this returns. Where the kernel gives no
 * (more) watches, that is no failure: @ops->problem is told, naming the sysctl, and what has no watch
 * is looked through once a second.
 *
 * Return: 0, or a negative errno: -ENOENT or -ENOTDIR if there is no such folder, -ENOMEM
 */
int kvg_watch_open(const char *cgroup_root, struct sd_event *event, const struct kvg_watch_ops *ops,
		   struct kvg_watch **ret, struct kvg_diag *reterr_diag);

/**
 * kvg_watch_rescan() - look through the whole tree, and tell of what was missed
 *
 * Done by itself when the kernel's queue has overflown.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_watch_rescan(struct kvg_watch *watch);

/** kvg_watch_problem() - why not every cgroup is noticed at once; NULL if each is */
const char *kvg_watch_problem(const struct kvg_watch *watch);

/** kvg_watch_count() - cgroups there are, the root among them */
size_t kvg_watch_count(const struct kvg_watch *watch);

/** kvg_watch_close() - end it; tells of nothing; NULL is fine; Return: NULL */
struct kvg_watch *kvg_watch_close(struct kvg_watch *watch);

/** kvg_watch_closep() - for KVG_CLEANUP */
void kvg_watch_closep(struct kvg_watch **watch);

#endif
