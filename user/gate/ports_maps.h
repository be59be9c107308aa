/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs and maps for interfaces: loaded into a set when the first one is gated. */
#ifndef KVG_GATE_PORTS_MAPS_H
#define KVG_GATE_PORTS_MAPS_H

#include <linux/types.h>
#include <stddef.h>

#include "base/diag.h"
#include "gate/set.h"
#include "kvg_port.h"

/**
 * struct kvg_ports_maps - descriptors, owned
 * @ports:    kvg_ports
 * @counts:   kvg_port_counts
 * @programs: by enum kvg_tc_way: kvg_tc, kvg_witness
 */
struct kvg_ports_maps {
	int ports;
	int counts;
	int programs[2];
};

#define KVG_PORTS_MAPS_NONE                                      \
	{                                                        \
		.ports = -1, .counts = -1, .programs = {-1, -1}, \
	}

/** kvg_ports_maps_open() - what is pinned in a set's folder; -ENOENT if no interface was ever gated */
int kvg_ports_maps_open(const char *set_path, struct kvg_ports_maps *ret);

/**
 * kvg_ports_maps_load() - what is pinned in the set, or else loaded and pinned now
 * @set:         whose
 * @other:       of another version's set: who asked for connections there is known here, too; or NULL
 * @ret:         for kvg_ports_maps_done()
 * @reterr_diag: why not
 *
 * Return: 0, or a negative errno
 */
int kvg_ports_maps_load(const struct kvg_set *set, const struct kvg_ports_maps *other,
			struct kvg_ports_maps *ret, struct kvg_diag *reterr_diag);

/**
 * kvg_ports_maps_renew() - pin this binary's programs in place of a set's, where they are others
 * @set:         its maps stay
 * @reterr_diag: why not
 *
 * Interfaces have the old ones until kvg_ports_mend(). Killed meanwhile, the same call does the rest.
 *
 * Return: how many were replaced, 0 also if no interface was ever gated; or a negative errno
 */
int kvg_ports_maps_renew(const struct kvg_set *set, struct kvg_diag *reterr_diag);

/** kvg_ports_maps_done() - close; pins stay */
void kvg_ports_maps_done(struct kvg_ports_maps *maps);

/**
 * kvg_ports_maps_put() - an interface's entry, new or in place of the one that is there
 * @maps: where
 * @port: keyed by its ifindex; its counters start at zero if it is new
 *
 * In force when it returns: no packet is judged by the old one any more. Waits some 10 ms for that.
 *
 * Return: 0, or a negative errno
 */
int kvg_ports_maps_put(const struct kvg_ports_maps *maps, const struct kvg_port *port);

/**
 * kvg_ports_maps_get() - an interface's entry
 * @maps:    where; also another version's
 * @ifindex: the interface
 * @ret:     of another version's only what struct kvg_port promises
 *
 * Return: 0, -ENOENT no such entry, -EPROTO nobody promised what is there, or another negative errno
 */
int kvg_ports_maps_get(const struct kvg_ports_maps *maps, __u32 ifindex, struct kvg_port *ret);

/** kvg_ports_maps_list() - a gate's interfaces, or with 0 all; @ret freed by the caller; 0 or -errno */
int kvg_ports_maps_list(const struct kvg_ports_maps *maps, __u64 cgroup_id, struct kvg_port **ret,
			size_t *ret_count);

/** kvg_ports_maps_drop() - the interface has no entry any more */
void kvg_ports_maps_drop(const struct kvg_ports_maps *maps, __u32 ifindex);

#endif
