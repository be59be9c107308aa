/* SPDX-License-Identifier: BSD-2-Clause */
/* Is kvgate itself behind a gate? It makes none for itself; but it may be started where one is. */
#ifndef KVG_AGENT_BEHIND_H
#define KVG_AGENT_BEHIND_H

#include "base/diag.h"

/**
 * kvg_behind_look() - does a gate judge what this process sends?
 * @bpffs_dir:   where the sets are, also those that another version of kvgate made
 * @cgroup_root: mount point of the hierarchy
 * @ret_diag:    which gate, if there is one: of this process's cgroup, or else the next above
 *
 * The gate is left as it is: others may be behind it, too.
 *
 * Return: 1 yes, 0 no, or a negative errno
 */
int kvg_behind_look(const char *bpffs_dir, const char *cgroup_root, struct kvg_diag *ret_diag);

#endif
