/* SPDX-License-Identifier: BSD-2-Clause */
/* Network namespaces: those that a cgroup's threads are in, and netlink sockets inside them. */
#ifndef KVG_GATE_NETNS_H
#define KVG_GATE_NETNS_H

#include <linux/types.h>
#include <stddef.h>

#include "gate/cgroup.h"

struct nl_sock;

/**
 * struct kvg_netns - network namespaces, each once
 * @fds:   a descriptor each, owned
 * @count: how many
 */
struct kvg_netns {
	int *fds;
	size_t count;
};

/**
 * kvg_netns_find() - the namespaces of all threads in a cgroup and below it
 * @cgroup: an open cgroup
 * @ret:    for kvg_netns_done(), also on failure
 *
 * A thread may be in another namespace than its process. What ends meanwhile is left out.
 *
 * Return: 0, -ESRCH if there are threads of a pid namespace that is not visible here, or another
 * negative errno; those that could be found are in @ret all the same
 */
int kvg_netns_find(const struct kvg_cgroup *cgroup, struct kvg_netns *ret);

/** kvg_netns_done() - close and free */
void kvg_netns_done(struct kvg_netns *netns);

/**
 * kvg_netns_connect() - a netlink socket inside a network namespace
 * @netns_fd: the namespace; the caller stays where it is
 * @protocol: NETLINK_*
 * @ret:      for nl_socket_free(); untouched on failure
 *
 * Return: 0, -EPERM if CAP_SYS_ADMIN is missing, or another negative errno
 */
int kvg_netns_connect(int netns_fd, int protocol, struct nl_sock **ret);

#endif
