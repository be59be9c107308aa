/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What user space tells the programs on the host side of a container's network interface. ABI between
 * bpf/tc.bpf.c and user/gate/: a change means a new KVG_ABI.
 */
#ifndef KVG_PORT_H
#define KVG_PORT_H

#include <linux/types.h>

#include "kvg_policy.h"

/* Interfaces of one set; an interface more is refused. */
#define KVG_PORTS_MAX 4096

#define KVG_PORT_NAME_LEN 16 /* bytes, NUL included: the kernel's IFNAMSIZ */

/* X(enumerator, label): what holds the programs on the interface. */
#define KVG_PORT_HOOKS(X) \
	X(TCX, "tcx")     \
	X(CLSACT, "clsact")

enum kvg_port_hook {
#define X(name, label) KVG_PORT_HOOK_##name,
	KVG_PORT_HOOKS(X)
#undef X
		KVG_PORT_HOOK_COUNT
};

/**
 * struct kvg_port - a gated interface, keyed by its index
 * @gate:       what its packets are judged by; the same as in the storage of the gate's cgroup
 * @netns:      inode number of the network namespace that the interface is in
 * @peer_netns: id, in @netns, of the namespace behind the interface; negative: none, no socket is asked
 * @level:      depth of the gate's cgroup in the hierarchy; the root is 0
 * @ifindex:    of the interface
 * @dhcp:       1: DHCP requests pass
 * @hook:       enum kvg_port_hook; nothing is judged by it
 * @own_qdisc:  1: kvgate made the clsact qdisc; nothing is judged by it
 * @pad:        zero
 * @handles:    of the filters for packets that leave the container and that enter it; 0 with tcx
 * @name:       what the interface was called when it was gated
 *
 * All from @netns on, at the end of the value, and the first 8 bytes, @gate.cgroup_id, are the same in every
 * KVG_ABI: whoever takes over finds the interfaces by them.
 *
 * The outer map's pointer to it is swapped as a whole: no packet is judged by half of one and half of
 * another. An index without an entry refuses everything.
 */
struct kvg_port {
	struct kvg_gate gate;
	__u64 netns;
	__s32 peer_netns;
	__u32 level;
	__u32 ifindex;
	__u8 dhcp;
	__u8 hook;
	__u8 own_qdisc;
	__u8 pad;
	__u32 handles[2];
	char name[KVG_PORT_NAME_LEN];
};
_Static_assert(sizeof(struct kvg_port) == 144, "kvg_port is ABI");

#endif
