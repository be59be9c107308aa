/* SPDX-License-Identifier: BSD-2-Clause */
/* The links of a gate: is each one's program the set's, and on the cgroup? What is not is made so. */
#ifndef KVG_GATE_MEND_H
#define KVG_GATE_MEND_H

#include "base/diag.h"
#include "gate/cgroup.h"
#include "gate/set.h"

/**
 * kvg_mend() - look at each link of a gate
 * @set:         the gate's set
 * @cgroup:      the gate's cgroup
 * @reterr_diag: the first that could not be mended
 *
 * A link that holds another program gets the set's in one step. One that is gone, or was detached, is made
 * anew, and takes the old one's place when it is in force.
 *
 * Return: how many were mended, or a negative errno; all others were looked at all the same
 */
int kvg_mend(struct kvg_set *set, const struct kvg_cgroup *cgroup, struct kvg_diag *reterr_diag);

#endif
