// SPDX-License-Identifier: BSD-2-Clause
#include "gate/netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/if.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "gate/netns.h"

static void free_sockp(struct nl_sock **sock)
{
	nl_socket_free(*sock);
}

static void free_cachep(struct nl_cache **cache)
{
	if (*cache)
		nl_cache_free(*cache);
}

static void free_msgp(struct nl_msg **msg)
{
	nlmsg_free(*msg);
}

/* struct search - two network namespaces: the process's (inside) and kvgate's own */
struct search {
	pid_t pid;
	int pidfd;
	int netns;
	int own_netns;
	struct nl_sock *inside;
	struct nl_sock *own;
	struct nl_cache *inside_links;
	struct nl_cache *own_links;
	int own_id; /* of kvgate's namespace, as seen from inside */
	struct kvg_netdev *found;
	size_t count;
};

static void search_done(struct search *search)
{
	kvg_closep(&search->pidfd);
	kvg_closep(&search->netns);
	kvg_closep(&search->own_netns);
	free_cachep(&search->inside_links);
	free_cachep(&search->own_links);
	free_sockp(&search->inside);
	free_sockp(&search->own);
	free(search->found);
}

static int refuse_process(const struct search *search, int error, struct kvg_diag *reterr_diag)
{
	if (error == -ENOENT || error == -ESRCH)
		return kvg_diag_set(reterr_diag, -ESRCH,
				    "process %d is not there (any more): nothing was changed",
				    search->pid);
	return kvg_diag_set(reterr_diag, error,
			    "the network namespace of process %d cannot be entered: %s",
			    search->pid, strerror(-error));
}

/* The pidfd says in the end whether all that was read was of one and the same process. */
static int open_namespaces(struct search *search, struct kvg_diag *reterr_diag)
{
	struct stat inside, own;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", search->pid);
	search->pidfd = syscall(SYS_pidfd_open, search->pid, 0);
	if (search->pidfd < 0)
		return refuse_process(search, -errno, reterr_diag);
	search->netns = open(path, O_RDONLY | O_CLOEXEC);
	if (search->netns < 0)
		return refuse_process(search, -errno, reterr_diag);
	search->own_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (search->own_netns < 0 || fstat(search->own_netns, &own) < 0 ||
	    fstat(search->netns, &inside) < 0)
		return kvg_diag_set(reterr_diag, -errno, "kvgate's own network namespace: %s",
				    strerror(errno));
	if (own.st_ino == inside.st_ino && own.st_dev == inside.st_dev)
		return kvg_diag_set(
			reterr_diag, -EOPNOTSUPP,
			"process %d shares the network namespace that kvgate runs in, so that no "
			"interface is its own: gate its cgroup alone, without --pid (and name its "
			"nameservers with --resolver)",
			search->pid);
	return 0;
}

static int connect_own(struct nl_sock **ret)
{
	KVG_CLEANUP(free_sockp) struct nl_sock *sock = nl_socket_alloc();

	if (!sock)
		return -ENOMEM;
	if (nl_connect(sock, NETLINK_ROUTE) < 0)
		return -EPROTONOSUPPORT;
	*ret = KVG_TAKE_PTR(sock);
	return 0;
}

static int read_links(struct nl_sock *sock, struct nl_cache **ret)
{
	return rtnl_link_alloc_cache(sock, AF_UNSPEC, ret) < 0 ? -EIO : 0;
}

static int keep_id(struct nl_msg *msg, void *data)
{
	struct nlattr *attrs[NETNSA_MAX + 1] = {0};

	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(struct rtgenmsg), attrs, NETNSA_MAX, NULL) == 0 &&
	    attrs[NETNSA_NSID])
		*(int *)data = nla_get_s32(attrs[NETNSA_NSID]);
	return NL_OK;
}

/* The id that the namespace of @sock has for the one behind @netns; negative if it has none. */
static int read_netns_id(struct nl_sock *sock, int netns, int *ret)
{
	KVG_CLEANUP(free_msgp) struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETNSID, 0);
	struct rtgenmsg head = {.rtgen_family = AF_UNSPEC};

	*ret = -1;
	if (!msg || nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0 ||
	    nla_put_u32(msg, NETNSA_FD, netns) < 0)
		return -ENOMEM;
	nl_socket_disable_auto_ack(sock);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, keep_id, ret);
	return nl_send_auto(sock, msg) < 0 || nl_recvmsgs_default(sock) < 0 ? -EIO : 0;
}

static int look(struct search *search, struct kvg_diag *reterr_diag)
{
	int r = open_namespaces(search, reterr_diag);

	if (r < 0)
		return r;
	r = kvg_netns_connect(search->netns, NETLINK_ROUTE, &search->inside);
	if (r < 0)
		return refuse_process(search, r, reterr_diag);
	r = connect_own(&search->own);
	if (r == 0)
		r = read_links(search->inside, &search->inside_links);
	if (r == 0)
		r = read_links(search->own, &search->own_links);
	if (r == 0)
		r = read_netns_id(search->inside, search->own_netns, &search->own_id);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r,
				    "the interfaces of process %d cannot be listed: %s",
				    search->pid, strerror(-r));
	return 0;
}

/*
 * Kinds whose packets go nowhere, or out by another interface: of the same namespace, unless the kernel
 * names another one beside them (IFLA_LINK_NETNSID).
 */
static bool is_stacked(const char *kind)
{
	static const char *const kinds[] = {
		"dummy",   "bridge", "vlan",   "vrf",       "bond", "team", "ifb",       "macvlan",
		"macvtap", "ipvlan", "vxlan",  "geneve",    "ipip", "sit",  "gre",       "gretap",
		"erspan",  "ip6tnl", "ip6gre", "ip6gretap", "vti",  "vti6", "ip6erspan",
	};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(kinds); i++) {
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	}
	return false;
}

/* Why packets that leave by an interface of this kind cannot be judged on the host. */
static const char *why_unsupported(const char *kind)
{
	static const char *const reasons[][2] = {
		{"macvlan", "its packets go out by a host interface that others share"},
		{"macvtap", "its packets go out by a host interface that others share"},
		{"ipvlan", "its packets go out by a host interface that others share"},
		{"vlan", "its packets go out by a host interface that others share"},
		{"tun", "its packets go to a process that sends them on"},
		{"wireguard", "its packets leave from the namespace that it was made in"},
		{"netkit", "its pair runs other programs than a veth's"},
		{"", "it is a device of its own, without a host side"},
	};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(reasons); i++) {
		if (strcmp(kind, reasons[i][0]) == 0)
			return reasons[i][1];
	}
	return "it has no host side where packets could be judged";
}

static int refuse_link(const struct search *search, struct rtnl_link *link,
		       struct kvg_diag *reterr_diag)
{
	const char *kind = rtnl_link_get_type(link);

	return kvg_diag_set(
		reterr_diag, -EOPNOTSUPP,
		"unsupported: process %d has the interface \"%s\" of kind %s: %s; nothing was "
		"changed",
		search->pid, rtnl_link_get_name(link), kind ? kind : "\"physical\"",
		why_unsupported(kind ? kind : ""));
}

static int add(struct search *search, struct rtnl_link *link, int peer_netns)
{
	struct kvg_netdev *more =
		reallocarray(search->found, search->count + 1, sizeof(*search->found));

	if (!more)
		return -ENOMEM;
	search->found = more;
	more += search->count++;
	*more = (struct kvg_netdev){.ifindex = rtnl_link_get_ifindex(link),
				    .peer_netns = peer_netns};
	snprintf(more->name, sizeof(more->name), "%s", rtnl_link_get_name(link));
	return 0;
}

static bool is_veth(struct rtnl_link *link)
{
	const char *kind = rtnl_link_get_type(link);

	return kind && strcmp(kind, "veth") == 0;
}

/* @netns_id: of the namespace that the other end is in, as seen from inside */
static int add_veth(struct search *search, struct rtnl_link *inside, int netns_id,
		    struct kvg_diag *reterr_diag)
{
	struct rtnl_link *host;
	int peer_netns = -1;
	int r = -EOPNOTSUPP;

	host = netns_id == search->own_id
		       ? rtnl_link_get(search->own_links, rtnl_link_get_link(inside))
		       : NULL;
	if (!host)
		return kvg_diag_set(reterr_diag, r,
				    "unsupported: the other end of \"%s\" of process %d is not in "
				    "the network namespace that kvgate runs in: run it there; "
				    "nothing was changed",
				    rtnl_link_get_name(inside), search->pid);

	if (is_veth(host) && rtnl_link_get_link(host) == rtnl_link_get_ifindex(inside) &&
	    rtnl_link_get_link_netnsid(host, &peer_netns) == 0)
		r = add(search, host, peer_netns);
	else
		kvg_diag_set(reterr_diag, r, "\"%s\" and \"%s\" do not agree that they are a pair",
			     rtnl_link_get_name(host), rtnl_link_get_name(inside));
	rtnl_link_put(host);
	return r;
}

static int add_link(struct search *search, struct rtnl_link *link, struct kvg_diag *reterr_diag)
{
	const char *kind = rtnl_link_get_type(link);
	bool elsewhere;
	int netns_id;

	if (rtnl_link_get_flags(link) & IFF_LOOPBACK)
		return 0;
	elsewhere = rtnl_link_get_link_netnsid(link, &netns_id) == 0;
	if (is_veth(link))
		return elsewhere ? add_veth(search, link, netns_id, reterr_diag) : 0;
	return !elsewhere && kind && is_stacked(kind) ? 0 : refuse_link(search, link, reterr_diag);
}

static int add_links(struct search *search, struct kvg_diag *reterr_diag)
{
	for (struct nl_object *object = nl_cache_get_first(search->inside_links); object;
	     object = nl_cache_get_next(object)) {
		int r = add_link(search, (struct rtnl_link *)object, reterr_diag);

		if (r < 0)
			return r;
	}
	if (!search->count)
		return kvg_diag_set(reterr_diag, -ENODEV,
				    "process %d has no network interface but loopback (yet): "
				    "nothing was changed",
				    search->pid);
	return 0;
}

/* Readable: the process has ended. */
static bool is_still_there(const struct search *search)
{
	struct pollfd ended = {.fd = search->pidfd, .events = POLLIN};

	return poll(&ended, 1, 0) == 0;
}

int kvg_netdev_find(pid_t pid, struct kvg_netdev **ret, size_t *ret_count,
		    struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(search_done)
	struct search search = {.pid = pid, .pidfd = -1, .netns = -1, .own_netns = -1};
	int r = look(&search, reterr_diag);

	if (r == 0)
		r = add_links(&search, reterr_diag);
	if (r < 0)
		return r;
	if (!is_still_there(&search))
		return refuse_process(&search, -ESRCH, reterr_diag);

	*ret = KVG_TAKE_PTR(search.found);
	*ret_count = search.count;
	return 0;
}

int kvg_netdev_open(const char *name, struct kvg_netdev *ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(search_done)
	struct search search = {.pidfd = -1, .netns = -1, .own_netns = -1};
	struct rtnl_link *link;
	int peer_netns;
	int r = connect_own(&search.own);

	if (r == 0)
		r = read_links(search.own, &search.own_links);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the interfaces here cannot be listed: %s",
				    strerror(-r));
	link = rtnl_link_get_by_name(search.own_links, name);
	if (!link)
		return kvg_diag_set(reterr_diag, -ENODEV,
				    "no interface \"%s\" here: nothing was changed", name);

	if (is_veth(link) && rtnl_link_get_link_netnsid(link, &peer_netns) == 0)
		r = add(&search, link, peer_netns);
	else
		r = kvg_diag_set(reterr_diag, -EOPNOTSUPP,
				 "unsupported: \"%s\" is not the host side of a container's veth; "
				 "nothing was changed",
				 name);
	rtnl_link_put(link);
	if (r == 0)
		*ret = search.found[0];
	return r;
}

__u64 kvg_netdev_netns(void)
{
	struct stat own;

	return stat("/proc/self/ns/net", &own) < 0 ? 0 : own.st_ino;
}

static bool matches_netns(const char *pattern, __u64 inode)
{
	struct stat netns;
	bool found = false;
	glob_t paths = {0};

	glob(pattern, GLOB_NOSORT, NULL, &paths);
	for (size_t i = 0; i < paths.gl_pathc && !found; i++)
		found = stat(paths.gl_pathv[i], &netns) == 0 && netns.st_ino == inode;
	globfree(&paths);
	return found;
}

bool kvg_netdev_netns_exists(__u64 inode)
{
	return matches_netns("/proc/[0-9]*/ns/net", inode) || matches_netns("/run/netns/*", inode);
}
