/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gated interfaces of a set. Its programs for interfaces are loaded with the first of them, and pinned
 * beside the others:
 *
 *   <bpffs-dir>/<set>/maps/kvg_ports, kvg_port_counts
 *   <bpffs-dir>/<set>/progs/kvg_tc, kvg_witness
 *   <bpffs-dir>/<set>/links/<cgroup id>/tcx-<ifindex>, witness-<ifindex>
 */
#ifndef KVG_GATE_PORTS_H
#define KVG_GATE_PORTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "gate/cgroup.h"
#include "gate/netdev.h"
#include "gate/set.h"
#include "kvg_event.h"
#include "kvg_port.h"

/**
 * struct kvg_ports_plan - interfaces to gate
 * @netdevs: host sides
 * @count:   how many
 * @dhcp:    requests to the DHCP servers of the link pass
 * @hook:    KVG_PORT_HOOK_TCX falls back to a filter where the kernel has no tcx
 */
struct kvg_ports_plan {
	const struct kvg_netdev *netdevs;
	size_t count;
	bool dhcp;
	enum kvg_port_hook hook;
};

/**
 * kvg_ports_attach() - gate interfaces by the policy of a gate that is in force
 * @set:         the gate's set
 * @cgroup:      the gate's cgroup
 * @plan:        which interfaces, and how
 * @reterr_diag: what went wrong
 *
 * All of them or none. One that is gated already is looked at again, and mended; those of the gate that
 * are gone are forgotten. One that holds is never without its program, also where @plan->dhcp is new. From the moment that a program is on an interface it judges by the policy.
 *
 * Return: 0, or a negative errno: -EBUSY another program runs before ours would, -EXDEV the gate has
 * interfaces in another network namespace, -EOPNOTSUPP the gate's depth in the hierarchy is not known
 */
int kvg_ports_attach(struct kvg_set *set, const struct kvg_cgroup *cgroup,
		     const struct kvg_ports_plan *plan, struct kvg_diag *reterr_diag);

/**
 * kvg_ports_restore() - undo kvg_ports_attach(), where what should follow it has failed
 * @set:       the gate's set
 * @cgroup_id: the gate
 * @before:    as kvg_ports_list() gave them before
 * @count:     how many
 *
 * Return: 0, or a negative errno: then an interface that was not gated before still is
 */
int kvg_ports_restore(struct kvg_set *set, __u64 cgroup_id, const struct kvg_port *before,
		      size_t count);

/**
 * kvg_ports_flip() - have all interfaces of a gate judge by another policy
 * @set:         the gate's set
 * @gate:        the gate's new entry
 * @reterr_diag: what went wrong; each interface judges by the old policy then
 *
 * Each changes at once. Waits for a grace period for each, some 10 ms.
 *
 * Return: 0, also if there is none, or a negative errno
 */
int kvg_ports_flip(struct kvg_set *set, const struct kvg_gate *gate, struct kvg_diag *reterr_diag);

/**
 * kvg_ports_detach() - take a gate off its interfaces
 * @set_path:    folder of the set, which need not be whole
 * @cgroup_id:   the gate; 0 for all gates of the set
 * @reterr_diag: what cannot be removed from here
 *
 * Return: 0, also if there is none, -EXDEV a filter is in another network namespace, ...
 */
int kvg_ports_detach(const char *set_path, __u64 cgroup_id, struct kvg_diag *reterr_diag);

/**
 * kvg_ports_list() - the interfaces of a gate
 * @set:       the gate's set
 * @cgroup_id: the gate
 * @ret:       freed by the caller; NULL if there is none
 * @ret_count: how many
 *
 * Return: 0, or a negative errno
 */
int kvg_ports_list(const struct kvg_set *set, __u64 cgroup_id, struct kvg_port **ret,
		   size_t *ret_count);

/**
 * kvg_ports_check() - is an interface still gated, and by nobody before us?
 * @set:         the port's set
 * @port:        as kvg_ports_list() gave it
 * @is_own:      is this program one of kvgate's?
 * @data:        first argument of @is_own
 * @reterr_diag: what is wrong
 *
 * Return: 0, -ENODEV the interface is gone, -EXDEV it is in another network namespace, or another
 * negative errno
 */
int kvg_ports_check(const struct kvg_set *set, const struct kvg_port *port,
		    bool (*is_own)(void *data, __u32 id), void *data, struct kvg_diag *reterr_diag);

/** kvg_ports_read_counters() - summed over the CPUs; Return: 0, or a negative errno */
int kvg_ports_read_counters(const struct kvg_set *set, __u32 ifindex, struct kvg_counters *ret);

#endif
