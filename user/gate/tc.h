/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on an interface of the network namespace that kvgate runs in, in front of all others and
 * without displacing one. Linux 6.6 has links for that (tcx), held by their pins; before that a filter of
 * a clsact qdisc has to be removed by hand.
 */
#ifndef KVG_GATE_TC_H
#define KVG_GATE_TC_H

#include <linux/types.h>
#include <stdbool.h>

#include "base/diag.h"
#include "kvg_port.h"

/** enum kvg_tc_way - which packets, as the interface's own namespace sees them */
enum kvg_tc_way { KVG_TC_IN, KVG_TC_OUT };

/**
 * struct kvg_tc_place - where a program is, or shall be
 * @ifindex: the interface
 * @way:     which of its packets
 * @hook:    what holds the program there
 * @handle:  of its filter; 0 with tcx
 */
struct kvg_tc_place {
	unsigned int ifindex;
	enum kvg_tc_way way;
	enum kvg_port_hook hook;
	__u32 handle;
};

/** kvg_tc_has_links() - can the kernel hold programs on an interface by links (tcx)? */
bool kvg_tc_has_links(void);

/**
 * kvg_tc_attach_link() - put a program in front, by tcx
 * @place:    its hook is not looked at
 * @program:  descriptor
 * @ret_link: descriptor of the link, owned by the caller; the program is gone with it unless it is pinned
 *
 * Return: 0, -EOPNOTSUPP if this kernel has no tcx, -ENODEV, -EPERM, ...
 */
int kvg_tc_attach_link(const struct kvg_tc_place *place, int program, int *ret_link);

/** kvg_tc_make_qdisc() - the interface gets a clsact qdisc; @ret_made: it had none. 0 or -errno */
int kvg_tc_make_qdisc(unsigned int ifindex, bool *ret_made);

/** kvg_tc_remove_qdisc() - remove it again, unless somebody's filter is there. 0 or -errno */
int kvg_tc_remove_qdisc(unsigned int ifindex);

/**
 * kvg_tc_attach_filter() - put a program in front, as a filter of the clsact qdisc
 * @place:   its handle is set
 * @program: descriptor
 *
 * Return: 0, -ENODEV, -EPERM, ...
 */
int kvg_tc_attach_filter(struct kvg_tc_place *place, int program);

/**
 * kvg_tc_replace_filter() - have a filter hold another program, in one step
 * @place:   of the filter
 * @program: descriptor
 *
 * Return: 1, 0 if it holds that one already or is gone, or a negative errno
 */
int kvg_tc_replace_filter(const struct kvg_tc_place *place, int program);

/** kvg_tc_detach_filter() - Return: 0, also if filter or interface is gone, or a negative errno */
int kvg_tc_detach_filter(const struct kvg_tc_place *place);

/**
 * kvg_tc_check() - does a program run, and before all others?
 * @place:       where it should be
 * @id:          of the program; 0: it is not there yet, the question is whether it could be first
 * @is_own:      is this one of kvgate's? It may run before.
 * @data:        first argument of @is_own
 * @reterr_diag: what runs before it, or that it does not run at all
 *
 * Return: 0, -EBUSY another is in front of it, -ENOENT it is not there, or another negative errno
 */
int kvg_tc_check(const struct kvg_tc_place *place, __u32 id, bool (*is_own)(void *data, __u32 id),
		 void *data, struct kvg_diag *reterr_diag);

#endif
