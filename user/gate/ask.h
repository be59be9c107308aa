/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decision on what the kernel holds, not on a file: for `explain --cgroup`, and for connections
 * that are there already.
 */
#ifndef KVG_GATE_ASK_H
#define KVG_GATE_ASK_H

#include <linux/types.h>
#include <stdbool.h>

#include "base/diag.h"
#include "gate/set.h"
#include "kvg_event.h"
#include "kvg_policy.h"
#include "policy/explain.h"

/**
 * kvg_ask() - what would the gate say to this destination now?
 * @set:         the gate's set
 * @cgroup_id:   the gate
 * @destination: of a flow that the client opens
 * @ret_gate:    the gate's entry that was judged by
 * @reterr_diag: what could not be read
 *
 * Return: enum kvg_reason, or a negative errno
 */
int kvg_ask(struct kvg_set *set, __u64 cgroup_id, const struct kvg_destination *destination,
	    struct kvg_gate *ret_gate, struct kvg_diag *reterr_diag);

/**
 * kvg_ask_connection() - does the gate let a connection's packets through?
 * @set:        the gate's set
 * @gate:       the gate's entry
 * @peer:       the other end; a loopback address is let through
 * @is_inbound: the other end opened it
 *
 * Return: enum kvg_reason, or a negative errno
 */
int kvg_ask_connection(struct kvg_set *set, const struct kvg_gate *gate,
		       const struct kvg_destination *peer, bool is_inbound);

#endif
