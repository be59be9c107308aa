/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network interfaces of containers, as the host sees them. All that leaves a container's network
 * namespace leaves it by an interface; of a veth the host has the other end, and what comes in there can
 * be judged. Of other kinds there is no such place, and a container that has one is refused as a whole.
 */
#ifndef KVG_GATE_NETDEV_H
#define KVG_GATE_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"
#include "kvg_port.h"

/**
 * struct kvg_netdev - the host side of a container's veth
 * @ifindex:    in the network namespace that kvgate runs in
 * @peer_netns: id of the container's namespace, as seen from there
 * @name:       of the host side
 */
struct kvg_netdev {
	unsigned int ifindex;
	int peer_netns;
	char name[KVG_PORT_NAME_LEN];
};

/**
 * kvg_netdev_find() - the host sides of every way out of a process's network namespace
 * @pid:         the process
 * @ret:         what was found, freed by the caller; untouched on failure
 * @ret_count:   how many, at least one
 * @reterr_diag: which interface cannot be gated, and why
 *
 * Left out is what leads out only by way of another interface of the same namespace: bridges, VLANs,
 * tunnels, and veths with both ends inside.
 *
 * Return: 0, -ESRCH the process is not there, or not any more; -EOPNOTSUPP it has an interface that
 * cannot be gated, or shares kvgate's namespace; -ENODEV it has none yet; or another negative errno
 */
int kvg_netdev_find(pid_t pid, struct kvg_netdev **ret, size_t *ret_count,
		    struct kvg_diag *reterr_diag);

/**
 * kvg_netdev_open() - the host side of a container's veth, by name
 * @name:        in the network namespace that kvgate runs in
 * @ret:         the interface; untouched on failure
 * @reterr_diag: why not
 *
 * Return: 0, -ENODEV no such interface, -EOPNOTSUPP it leads into no other namespace, ...
 */
int kvg_netdev_open(const char *name, struct kvg_netdev *ret, struct kvg_diag *reterr_diag);

/** kvg_netdev_netns_exists() - does a process or a name keep the namespace of that inode number? */
bool kvg_netdev_netns_exists(__u64 inode);

/** kvg_netdev_netns() - inode number of the network namespace that kvgate runs in; 0 if it is not known */
__u64 kvg_netdev_netns(void);

#endif
