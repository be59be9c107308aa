// SPDX-License-Identifier: BSD-2-Clause
/*
 * First all that is to be closed is listed, then it is closed: a namespace's list is not disturbed
 * while it is read. Whatever fails here is said and nothing else: the gate is in force already.
 */
#include "gate/sockets.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/ask.h"
#include "gate/gate.h"
#include "gate/netns.h"
#include "gate/sock_diag.h"
#include "gate/tell.h"

/* struct refused - a connection to be closed */
struct refused {
	struct kvg_sock sock;
	struct kvg_destination peer;
	enum kvg_reason reason;
};

/* struct sweep - over all namespaces of a gate */
struct sweep {
	struct kvg_set *set;
	struct kvg_gate gate;
	__u64 *cgroups;
	size_t cgroups_count;
	struct refused *refused; /* of the namespace at hand */
	size_t refused_count;
	struct kvg_tell *tell; /* NULL until there is something to tell */
	size_t closed;
	int error; /* the first one */
};

static void sweep_done(struct sweep *sweep)
{
	kvg_tell_close(sweep->tell);
	free(sweep->cgroups);
	free(sweep->refused);
}

static void keep_error(struct sweep *sweep, int error)
{
	if (error < 0 && !sweep->error)
		sweep->error = error;
}

static void add_cgroup(void *data, int fd, __u64 id)
{
	struct sweep *sweep = data;
	__u64 *more = reallocarray(sweep->cgroups, sweep->cgroups_count + 1, sizeof(*more));

	(void)fd;
	if (!more) {
		keep_error(sweep, -ENOMEM);
		return;
	}
	sweep->cgroups = more;
	more[sweep->cgroups_count++] = id;
}

static bool is_gated(const struct sweep *sweep, __u64 cgroup_id)
{
	for (size_t i = 0; i < sweep->cgroups_count; i++) {
		if (sweep->cgroups[i] == cgroup_id)
			return true;
	}
	return false;
}

/* As the packets show it: what an IPv6 socket sends to an IPv4-mapped address is IPv4. */
static void peer_of(const struct kvg_sock *sock, struct kvg_destination *ret)
{
	const struct in6_addr *addr6 = (const struct in6_addr *)sock->id.idiag_dst;
	bool mapped = sock->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(addr6);
	bool ipv4 = sock->family == AF_INET || mapped;

	*ret = (struct kvg_destination){
		.address = {.family = ipv4 ? AF_INET : AF_INET6, .bits = ipv4 ? 32 : 128},
		.service = {.protocol = sock->protocol, .port = sock->id.idiag_dport},
	};
	memcpy(ret->address.addr, &sock->id.idiag_dst[mapped ? 3 : 0], ipv4 ? 4 : 16);
}

/* As bpf/cgroup.bpf.c: what lo proves to be the client's own, or comes from a loopback address. */
static bool stays_inside(const struct kvg_sock *sock)
{
	const __be32 *from = sock->id.idiag_src;
	bool ipv6 = sock->family == AF_INET6;

	if (memcmp(from, sock->id.idiag_dst, ipv6 ? 16 : 4) == 0)
		return true;
	if (ipv6 && IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)from))
		return true;
	if (ipv6 && !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)from))
		return false;
	return ntohl(from[ipv6 ? 3 : 0]) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

static void judge(void *data, const struct kvg_sock *sock)
{
	struct sweep *sweep = data;
	struct refused refused = {.sock = *sock};
	struct refused *more;
	int r;

	if (sock->is_orphan || stays_inside(sock) || !is_gated(sweep, sock->cgroup_id))
		return;
	peer_of(sock, &refused.peer);
	r = kvg_ask_connection(sweep->set, &sweep->gate, &refused.peer, sock->is_inbound);
	keep_error(sweep, r);
	if (r <= KVG_REASON_ALLOWED)
		return;

	more = reallocarray(sweep->refused, sweep->refused_count + 1, sizeof(*more));
	if (!more) {
		keep_error(sweep, -ENOMEM);
		return;
	}
	refused.reason = r;
	sweep->refused = more;
	more[sweep->refused_count++] = refused;
}

static void map_address(__u8 ret[16], int family, const __be32 *words)
{
	if (family == AF_INET6) {
		memcpy(ret, words, 16);
		return;
	}
	memset(ret, 0, 10);
	memset(ret + 10, 0xff, 2);
	memcpy(ret + 12, words, 4);
}

static void tell(struct sweep *sweep, const struct refused *refused)
{
	const struct kvg_sock *sock = &refused->sock;
	struct kvg_event event = {
		.refusal =
			{
				.cgroup_id = sweep->gate.cgroup_id,
				.generation = sweep->gate.generation,
				.dport = sock->id.idiag_dport,
				.protocol = sock->protocol,
				.family = refused->peer.address.family,
				.reason = refused->reason,
				.hook = KVG_HOOK_SOCK_DESTROY,
				.mode = sweep->gate.mode,
			},
		.sport = sock->id.idiag_sport,
	};

	map_address(event.refusal.daddr, sock->family, sock->id.idiag_dst);
	map_address(event.saddr, sock->family, sock->id.idiag_src);
	bpf_map_lookup_elem(kvg_set_map(sweep->set, KVG_MAP_OWNERS), &sock->cookie, &event.owner);

	if (!sweep->tell)
		keep_error(sweep, kvg_tell_open(sweep->set, &sweep->tell));
	if (sweep->tell)
		keep_error(sweep, kvg_tell_event(sweep->tell, &event));
}

static void close_refused(struct sweep *sweep, struct nl_sock *diag)
{
	for (size_t i = 0; i < sweep->refused_count; i++) {
		const struct refused *refused = &sweep->refused[i];
		int r = kvg_sock_diag_close(diag, &refused->sock);

		if (r == 0) {
			sweep->closed++;
			tell(sweep, refused);
		} else if (r != -ENOENT) {
			keep_error(sweep, r);
		}
	}
	sweep->refused_count = 0;
}

static void list_refused(struct sweep *sweep, struct nl_sock *diag)
{
	static const __u8 families[] = {AF_INET, AF_INET6};
	static const __u8 protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(families); i++) {
		for (size_t j = 0; j < KVG_ARRAY_SIZE(protocols); j++) {
			const struct kvg_sock_query query = {
				.family = families[i],
				.protocol = protocols[j],
				.marks_fd = kvg_set_map(sweep->set, KVG_MAP_MARKS),
				.visit = judge,
				.data = sweep,
			};

			keep_error(sweep, kvg_sock_diag_list(diag, &query));
		}
	}
}

static void free_sockp(struct nl_sock **sock)
{
	nl_socket_free(*sock);
}

static void sweep_netns(struct sweep *sweep, int netns_fd)
{
	KVG_CLEANUP(free_sockp) struct nl_sock *diag = NULL;
	int r = kvg_netns_connect(netns_fd, NETLINK_SOCK_DIAG, &diag);

	if (r < 0) {
		keep_error(sweep, r);
		return;
	}
	list_refused(sweep, diag);
	close_refused(sweep, diag);
}

static const char *why(int error)
{
	switch (error) {
	case -EOPNOTSUPP:
		return "the kernel lacks CONFIG_INET_DIAG, its TCP and UDP parts, or "
		       "CONFIG_INET_DIAG_DESTROY";
	case -ESRCH:
		return "processes of the cgroup cannot be seen from this pid namespace";
	case -EPERM:
		return "CAP_SYS_ADMIN or CAP_NET_ADMIN is missing";
	default:
		return strerror(-error);
	}
}

int kvg_sockets_close(struct kvg_set *set, const struct kvg_cgroup *cgroup, size_t *ret_count,
		      struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_netns_done) struct kvg_netns netns = {0};
	KVG_CLEANUP(sweep_done) struct sweep sweep = {.set = set};

	*ret_count = 0;
	keep_error(&sweep, kvg_gate_read(set, cgroup->id, &sweep.gate, NULL));
	if (!sweep.error && sweep.gate.mode == KVG_MODE_AUDIT)
		return 0;
	if (!sweep.error) {
		keep_error(&sweep, kvg_netns_find(cgroup, &netns));
		kvg_cgroup_visit(cgroup, add_cgroup, &sweep);
		for (size_t i = 0; i < netns.count; i++)
			sweep_netns(&sweep, netns.fds[i]);
	}

	*ret_count = sweep.closed;
	if (sweep.error)
		kvg_diag_set(reterr_diag, sweep.error,
			     "not every connection that is refused now could be closed (%s): its "
			     "packets are refused, and it ends by its own time-out",
			     why(sweep.error));
	return sweep.error;
}
