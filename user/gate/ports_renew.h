/* SPDX-License-Identifier: BSD-2-Clause */
/* Gated interfaces when another version of kvgate takes over: none is without a program meanwhile. */
#ifndef KVG_GATE_PORTS_RENEW_H
#define KVG_GATE_PORTS_RENEW_H

#include <linux/types.h>

#include "base/diag.h"
#include "gate/cgroup.h"
#include "gate/set.h"

/**
 * kvg_ports_mend() - look at each program on a gate's interfaces
 * @set:         the gate's set
 * @cgroup_id:   the gate
 * @reterr_diag: the first that could not be mended
 *
 * One that is not the set's is replaced in its link or filter, at once. What is gone stays so: it takes
 * kvg_ports_attach().
 *
 * Return: how many were replaced, or a negative errno; all others were looked at all the same
 */
int kvg_ports_mend(const struct kvg_set *set, __u64 cgroup_id, struct kvg_diag *reterr_diag);

/**
 * kvg_ports_carry() - gate the interfaces of a gate that another version made
 * @set:         has a gate on the same cgroup, in force
 * @cgroup:      the gates' cgroup
 * @other_path:  folder of the other version's set; all of it stays
 * @reterr_diag: why not
 *
 * Held as they were held, and judged by @set's policy; those that are gone are left out. To be called
 * again where it was interrupted.
 *
 * Return: 0, also if there is none; -EXDEV one is in another network namespace, -EPROTO the other's
 * entries cannot be read, or another negative errno
 */
int kvg_ports_carry(struct kvg_set *set, const struct kvg_cgroup *cgroup, const char *other_path,
		    struct kvg_diag *reterr_diag);

#endif
