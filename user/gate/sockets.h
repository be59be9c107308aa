/* SPDX-License-Identifier: BSD-2-Clause */
/* Living connections that a gate does not let through any more. */
#ifndef KVG_GATE_SOCKETS_H
#define KVG_GATE_SOCKETS_H

#include <stddef.h>

#include "base/diag.h"
#include "gate/cgroup.h"
#include "gate/set.h"

/**
 * kvg_sockets_close() - end the connections that a gate refuses
 * @set:         the gate's set
 * @cgroup:      the gate's cgroup
 * @ret_count:   how many were closed, also on failure
 * @reterr_diag: what could not be done, and what happens instead
 *
 * To be called when a policy is in force. The packet hook refuses such connections from their next
 * packet on, and nothing more can be opened that is refused: this only spares the application the wait
 * for its time-out. It gets ECONNABORTED; each connection makes a line in the record. Looked at are TCP
 * and connected UDP sockets of the cgroup and those below it, in every network namespace that one of
 * their threads is in. Loopback, own addresses, what the policy lets through and answers to others'
 * connections stay. In audit mode nothing is closed.
 *
 * Return: 0, or a negative errno; connections that are still open then are refused all the same
 */
int kvg_sockets_close(struct kvg_set *set, const struct kvg_cgroup *cgroup, size_t *ret_count,
		      struct kvg_diag *reterr_diag);

#endif
