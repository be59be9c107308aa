// SPDX-License-Identifier: BSD-2-Clause
/*
 * By libnl's messages and not by its idiag library, which knows neither the cgroup of a socket nor
 * what BPF programs keep with it.
 */
#include "gate/sock_diag.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#include "base/cleanup.h"
#include "kvg_event.h"

/* A dump's messages come in pieces of up to 32 KiB (kernel, netlink_dump()). */
#define BUFFER_BYTES 65536

#define STATES                                                                                    \
	(1U << TCP_ESTABLISHED | 1U << TCP_SYN_SENT | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | \
	 1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK | 1U << TCP_CLOSING)

static void free_msgp(struct nl_msg **msg)
{
	nlmsg_free(*msg);
}

/* libnl keeps error numbers of its own. */
static int to_errno(int nl_error)
{
	switch (nl_error < 0 ? -nl_error : 0) {
	case 0:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_OPNOTSUPP:
	case NLE_PROTO_MISMATCH:
		return -EOPNOTSUPP;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	default:
		return -EIO;
	}
}

static bool is_marked(struct nlattr *storages)
{
	struct nlattr *storage, *part;
	struct kvg_mark mark = {0};
	int rest, rest_of_part;

	nla_for_each_nested(storage, storages, rest) nla_for_each_nested(
		part, storage, rest_of_part) if (nla_type(part) == SK_DIAG_BPF_STORAGE_MAP_VALUE)
		nla_memcpy(&mark, part, sizeof(mark));
	return mark.inbound;
}

static int take_answer(struct nl_msg *msg, void *data)
{
	const struct kvg_sock_query *query = data;
	struct nlattr *attrs[INET_DIAG_MAX + 1] = {0};
	const struct inet_diag_msg *answer;
	struct kvg_sock sock;

	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(*answer), attrs, INET_DIAG_MAX, NULL) < 0)
		return NL_SKIP;
	answer = nlmsg_data(nlmsg_hdr(msg));
	sock = (struct kvg_sock){
		.id = answer->id,
		.cookie = answer->id.idiag_cookie[0] | (__u64)answer->id.idiag_cookie[1] << 32,
		.family = answer->idiag_family,
		.protocol = query->protocol,
		.is_orphan = !answer->idiag_inode,
	};
	if (attrs[INET_DIAG_CGROUP_ID])
		sock.cgroup_id = nla_get_u64(attrs[INET_DIAG_CGROUP_ID]);
	if (attrs[INET_DIAG_SK_BPF_STORAGES])
		sock.is_inbound = is_marked(attrs[INET_DIAG_SK_BPF_STORAGES]);
	query->visit(query->data, &sock);
	return NL_OK;
}

static int ask_for_marks(struct nl_msg *msg, int marks_fd)
{
	struct nlattr *nest = nla_nest_start(msg, INET_DIAG_REQ_SK_BPF_STORAGES);

	if (!nest || nla_put_u32(msg, SK_DIAG_BPF_STORAGE_REQ_MAP_FD, marks_fd) < 0)
		return -ENOMEM;
	return nla_nest_end(msg, nest) < 0 ? -ENOMEM : 0;
}

static int send_request(struct nl_sock *diag, struct nl_msg *msg)
{
	int r;

	if (!msg)
		return -ENOMEM;
	r = nl_send_auto(diag, msg);
	return r < 0 ? to_errno(r) : 0;
}

int kvg_sock_diag_list(struct nl_sock *diag, const struct kvg_sock_query *query)
{
	struct inet_diag_req_v2 request = {
		.sdiag_family = query->family,
		.sdiag_protocol = query->protocol,
		.idiag_states = query->protocol == IPPROTO_UDP ? 1U << TCP_ESTABLISHED : STATES,
	};
	KVG_CLEANUP(free_msgp)
	struct nl_msg *msg = nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
	int r;

	if (!msg || nlmsg_append(msg, &request, sizeof(request), NLMSG_ALIGNTO) < 0)
		return -ENOMEM;
	if (query->protocol == IPPROTO_TCP && ask_for_marks(msg, query->marks_fd) < 0)
		return -ENOMEM;

	nl_socket_set_msg_buf_size(diag, BUFFER_BYTES);
	nl_socket_modify_cb(diag, NL_CB_VALID, NL_CB_CUSTOM, take_answer, (void *)query);
	r = send_request(diag, msg);
	if (r == 0)
		r = to_errno(nl_recvmsgs_default(diag));
	return r == -ENOENT ? -EOPNOTSUPP : r; /* no inet_diag module for the protocol */
}

int kvg_sock_diag_close(struct nl_sock *diag, const struct kvg_sock *sock)
{
	struct inet_diag_req_v2 request = {
		.sdiag_family = sock->family,
		.sdiag_protocol = sock->protocol,
		.id = sock->id,
	};
	KVG_CLEANUP(free_msgp)
	struct nl_msg *msg = nlmsg_alloc_simple(SOCK_DESTROY, NLM_F_ACK);
	int r;

	if (!msg || nlmsg_append(msg, &request, sizeof(request), NLMSG_ALIGNTO) < 0)
		return -ENOMEM;
	r = send_request(diag, msg);
	return r < 0 ? r : to_errno(nl_wait_for_ack(diag));
}

/* A socket that cannot be: a kernel that closes sockets says that there is none. */
bool kvg_sock_diag_can_close(void)
{
	struct kvg_sock nobody = {.family = AF_INET, .protocol = IPPROTO_TCP};
	struct nl_sock *diag = nl_socket_alloc();
	bool can = false;

	if (diag && nl_connect(diag, NETLINK_SOCK_DIAG) == 0) {
		can = kvg_sock_diag_close(diag, &nobody) == -ENOENT;
		nobody.protocol = IPPROTO_UDP;
		can = can && kvg_sock_diag_close(diag, &nobody) == -ENOENT;
	}
	nl_socket_free(diag);
	return can;
}
