/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's list of TCP and UDP sockets, and the closing of one of them (sock_diag(7)). */
#ifndef KVG_GATE_SOCK_DIAG_H
#define KVG_GATE_SOCK_DIAG_H

#include <linux/inet_diag.h>
#include <linux/types.h>
#include <stdbool.h>

struct nl_sock;

/**
 * struct kvg_sock - a socket that is connected, or is connecting
 * @id:         addresses, ports and cookie; what names it to the kernel
 * @cookie:     as bpf_get_socket_cookie() says it
 * @cgroup_id:  the cgroup that it belongs to; 0 if the kernel does not say
 * @family:     of the socket: an AF_INET6 one may have IPv4-mapped addresses
 * @protocol:   IPPROTO_TCP or IPPROTO_UDP
 * @is_orphan:  no descriptor is left; the kernel only brings it to its end
 * @is_inbound: marked in kvg_marks: others opened it
 */
struct kvg_sock {
	struct inet_diag_sockid id;
	__u64 cookie;
	__u64 cgroup_id;
	__u8 family;
	__u8 protocol;
	bool is_orphan;
	bool is_inbound;
};

/**
 * struct kvg_sock_query - which sockets
 * @family:   AF_INET or AF_INET6
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @marks_fd: descriptor of kvg_marks
 * @visit:    called for each; no use of the netlink socket in it
 * @data:     first argument of @visit
 *
 * Neither listeners nor handshakes of theirs, nor what only waits for stray packets (TIME_WAIT).
 */
struct kvg_sock_query {
	__u8 family;
	__u8 protocol;
	int marks_fd;
	void (*visit)(void *data, const struct kvg_sock *sock);
	void *data;
};

/**
 * kvg_sock_diag_list() - the sockets of a network namespace
 * @diag:  of NETLINK_SOCK_DIAG, inside the namespace
 * @query: which
 *
 * Return: 0, -EOPNOTSUPP if the kernel cannot list them, or another negative errno
 */
int kvg_sock_diag_list(struct nl_sock *diag, const struct kvg_sock_query *query);

/**
 * kvg_sock_diag_close() - end a connection; its owner gets ECONNABORTED, the peer a reset if it may pass
 * @diag: as before
 * @sock: as kvg_sock_diag_list() gave it
 *
 * Return: 0, -ENOENT if it is gone, -EOPNOTSUPP if the kernel has no CONFIG_INET_DIAG_DESTROY, ...
 */
int kvg_sock_diag_close(struct nl_sock *diag, const struct kvg_sock *sock);

/** kvg_sock_diag_can_close() - does this kernel close TCP and UDP sockets, and for this process? */
bool kvg_sock_diag_can_close(void);

#endif
