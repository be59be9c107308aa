// SPDX-License-Identifier: BSD-2-Clause
#include "gate/tc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/classifier.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/tc.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/effective.h"
#include "gate/own.h"

/* Linux 6.6's, newer than the headers here: <linux/bpf.h> */
#define KVG_BPF_TCX_INGRESS 46
#define KVG_BPF_TCX_EGRESS  47

#define LOOPBACK         1 /* the index of lo, in every network namespace */
#define KVG_BPF_F_BEFORE (1U << 3)

/* The lowest number goes first, and there is nothing below. Filters of one number: newest first. */
#define KVG_TC_PRIORITY 1

static void free_sockp(struct nl_sock **sock)
{
	nl_socket_free(*sock);
}

static void free_cachep(struct nl_cache **cache)
{
	if (*cache)
		nl_cache_free(*cache);
}

static int connect_here(struct nl_sock **ret)
{
	KVG_CLEANUP(free_sockp) struct nl_sock *sock = nl_socket_alloc();

	if (!sock)
		return -ENOMEM;
	if (nl_connect(sock, NETLINK_ROUTE) < 0)
		return -EPROTONOSUPPORT;
	*ret = KVG_TAKE_PTR(sock);
	return 0;
}

static int tcx_type(enum kvg_tc_way way)
{
	return way == KVG_TC_IN ? KVG_BPF_TCX_INGRESS : KVG_BPF_TCX_EGRESS;
}

/* Who does not know the type says so before it looks for the interface. */
bool kvg_tc_has_links(void)
{
	LIBBPF_OPTS(bpf_prog_query_opts, options);

	return bpf_prog_query_opts(LOOPBACK, tcx_type(KVG_TC_IN), &options) == 0 || errno == ENODEV;
}

/* The kernel takes an unknown type of attachment for EINVAL, and nothing else about this call. */
int kvg_tc_attach_link(const struct kvg_tc_place *place, int program, int *ret_link)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = KVG_BPF_F_BEFORE);
	int link = bpf_link_create(program, (int)place->ifindex, tcx_type(place->way), &options);

	if (link < 0)
		return errno == EINVAL ? -EOPNOTSUPP : -errno;
	*ret_link = link;
	return 0;
}

static struct bpf_tc_hook hook_of(const struct kvg_tc_place *place)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = (int)place->ifindex,
		.attach_point = place->way == KVG_TC_IN ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
}

/* "" if there is none; "ingress" is clsact's forerunner, and knows no packets that go out */
static int read_qdisc_kind(unsigned int ifindex, char ret[16])
{
	KVG_CLEANUP(free_sockp) struct nl_sock *sock = NULL;
	KVG_CLEANUP(free_cachep) struct nl_cache *qdiscs = NULL;
	struct rtnl_qdisc *qdisc;
	int r = connect_here(&sock);

	if (r < 0)
		return r;
	if (rtnl_qdisc_alloc_cache(sock, &qdiscs) < 0)
		return -EIO;
	qdisc = rtnl_qdisc_get_by_parent(qdiscs, (int)ifindex, TC_H_CLSACT);
	snprintf(ret, 16, "%s", qdisc ? rtnl_tc_get_kind(TC_CAST(qdisc)) : "");
	if (qdisc)
		rtnl_qdisc_put(qdisc);
	return 0;
}

int kvg_tc_make_qdisc(unsigned int ifindex, bool *ret_made)
{
	const struct kvg_tc_place place = {.ifindex = ifindex, .way = KVG_TC_IN};
	struct bpf_tc_hook hook = hook_of(&place);
	char kind[16];
	int r;

	r = read_qdisc_kind(ifindex, kind);
	if (r < 0)
		return r;
	*ret_made = !kind[0];
	if (kind[0])
		return strcmp(kind, "clsact") == 0 ? 0 : -EEXIST;
	return bpf_tc_hook_create(&hook);
}

static __u32 parent_of(enum kvg_tc_way way)
{
	return TC_H_MAKE(TC_H_CLSACT, way == KVG_TC_IN ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

/* In the order in which they run. */
static int read_filters(unsigned int ifindex, enum kvg_tc_way way, struct nl_cache **ret)
{
	KVG_CLEANUP(free_sockp) struct nl_sock *sock = NULL;
	int r = connect_here(&sock);

	if (r < 0)
		return r;
	return rtnl_cls_alloc_cache(sock, (int)ifindex, parent_of(way), ret) < 0 ? -EIO : 0;
}

static int has_filters(unsigned int ifindex, enum kvg_tc_way way, bool *ret)
{
	KVG_CLEANUP(free_cachep) struct nl_cache *filters = NULL;
	int r = read_filters(ifindex, way, &filters);

	if (r == 0)
		*ret = nl_cache_get_first(filters) != NULL;
	return r;
}

int kvg_tc_remove_qdisc(unsigned int ifindex)
{
	const struct kvg_tc_place place = {.ifindex = ifindex, .way = KVG_TC_IN};
	struct bpf_tc_hook hook = hook_of(&place);
	bool in = true, out = true;
	int r;

	r = has_filters(ifindex, KVG_TC_IN, &in);
	if (r == 0)
		r = has_filters(ifindex, KVG_TC_OUT, &out);
	if (r < 0 || in || out)
		return r;
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS; /* libbpf's word for the qdisc itself */
	return bpf_tc_hook_destroy(&hook);
}

int kvg_tc_attach_filter(struct kvg_tc_place *place, int program)
{
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .priority = KVG_TC_PRIORITY);
	struct bpf_tc_hook hook = hook_of(place);
	int r = bpf_tc_attach(&hook, &options);

	if (r == 0)
		place->handle = options.handle;
	return r;
}

int kvg_tc_replace_filter(const struct kvg_tc_place *place, int program)
{
	LIBBPF_OPTS(bpf_tc_opts, there, .handle = place->handle, .priority = KVG_TC_PRIORITY);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = place->handle, .priority = KVG_TC_PRIORITY,
		    .prog_fd = program, .flags = BPF_TC_F_REPLACE);
	struct bpf_tc_hook hook = hook_of(place);
	int r = bpf_tc_query(&hook, &there);

	if (r < 0)
		return r == -ENOENT || r == -ENODEV || r == -EINVAL ? 0 : r;
	if (there.prog_id == kvg_own_program_id(program))
		return 0;
	r = bpf_tc_attach(&hook, &options);
	return r < 0 ? r : 1;
}

int kvg_tc_detach_filter(const struct kvg_tc_place *place)
{
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = place->handle, .priority = KVG_TC_PRIORITY);
	struct bpf_tc_hook hook = hook_of(place);
	int r = bpf_tc_detach(&hook, &options);

	return r == -ENOENT || r == -ENODEV || r == -EINVAL ? 0 : r;
}

/* struct check - arguments of kvg_tc_check() on their way down */
struct check {
	const struct kvg_tc_place *place;
	__u32 id;
	bool (*is_own)(void *data, __u32 id);
	void *data;
	struct kvg_diag *reterr_diag;
};

static int say_in_front(const struct check *check, const char *what, __u32 id)
{
	char interface[IF_NAMESIZE] = "?", name[16];

	if_indextoname(check->place->ifindex, interface);
	kvg_effective_program_name(id, name);
	return kvg_diag_set(check->reterr_diag, -EBUSY,
			    "on interface \"%s\" program %u \"%s\" (%s) runs before kvgate's, and "
			    "may send packets past it",
			    interface, id, name, what);
}

static int say_absent(const struct check *check)
{
	char interface[IF_NAMESIZE] = "?";

	if_indextoname(check->place->ifindex, interface);
	return kvg_diag_set(check->reterr_diag, -ENOENT,
			    "on interface \"%s\" kvgate's program for packets that %s the "
			    "container is not in force",
			    interface, check->place->way == KVG_TC_IN ? "leave" : "enter");
}

/* 1: ours comes, 0: nobody that matters, or -EBUSY. Who enters the container may be seen by others first. */
static int weigh(const struct check *check, const char *what, __u32 id)
{
	if (check->id && id == check->id)
		return 1;
	if (check->place->way == KVG_TC_OUT)
		return 0;
	return check->is_own(check->data, id) ? 0 : say_in_front(check, what, id);
}

/* Kernels without tcx have no such programs. @ret: ours was among them */
static int check_tcx(const struct check *check, bool *ret)
{
	struct kvg_effective effective = {0};
	LIBBPF_OPTS(bpf_prog_query_opts, options, .prog_ids = effective.ids,
		    .prog_cnt = KVG_EFFECTIVE_MAX);
	bool is_filter = check->place->hook == KVG_PORT_HOOK_CLSACT;

	*ret = false;
	if (!is_filter && !check->id)
		return 0; /* a link can always be put in front */
	if (bpf_prog_query_opts((int)check->place->ifindex, tcx_type(check->place->way), &options) <
	    0)
		return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	for (__u32 i = 0; i < options.prog_cnt && !*ret; i++) {
		int r = weigh(check, "tcx", effective.ids[i]);

		if (r < 0)
			return r;
		*ret = r;
	}
	return 0;
}

static int say_taken(const struct check *check, struct rtnl_tc *filter)
{
	char interface[IF_NAMESIZE] = "?";

	if_indextoname(check->place->ifindex, interface);
	return kvg_diag_set(check->reterr_diag, -EBUSY,
			    "on interface \"%s\" a filter of kind %s has priority %d, where "
			    "kvgate's has to be to run first: give that one a higher number",
			    interface, rtnl_tc_get_kind(filter), KVG_TC_PRIORITY);
}

/* As weigh(). What is no program is of nobody here. */
static int weigh_filter(const struct check *check, struct rtnl_tc *filter)
{
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = rtnl_tc_get_handle(filter),
		    .priority = KVG_TC_PRIORITY);
	struct bpf_tc_hook hook = hook_of(check->place);

	if (bpf_tc_query(&hook, &options) < 0)
		return say_taken(check, filter);
	if (check->id || check->place->way == KVG_TC_OUT ||
	    check->is_own(check->data, options.prog_id))
		return weigh(check, "filter", options.prog_id);
	return say_taken(check, filter);
}

static int check_filters(const struct check *check, bool *ret)
{
	KVG_CLEANUP(free_cachep) struct nl_cache *filters = NULL;
	int r = read_filters(check->place->ifindex, check->place->way, &filters);

	*ret = false;
	if (r < 0)
		return r;
	for (struct nl_object *object = nl_cache_get_first(filters); object && !*ret;
	     object = nl_cache_get_next(object)) {
		/* What has no handle stands for all filters of a priority. */
		if (rtnl_cls_get_prio((struct rtnl_cls *)object) != KVG_TC_PRIORITY ||
		    !rtnl_tc_get_handle(TC_CAST(object)))
			continue;
		r = weigh_filter(check, TC_CAST(object));
		if (r < 0)
			return r;
		*ret = r;
	}
	return 0;
}

/* It sees packets before any program here does, and can send them elsewhere. */
static int check_xdp(const struct check *check)
{
	__u32 id = 0;

	if (check->place->way == KVG_TC_OUT ||
	    bpf_xdp_query_id((int)check->place->ifindex, 0, &id) < 0 || !id)
		return 0;
	return say_in_front(check, "xdp", id);
}

int kvg_tc_check(const struct kvg_tc_place *place, __u32 id, bool (*is_own)(void *data, __u32 id),
		 void *data, struct kvg_diag *reterr_diag)
{
	const struct check check = {place, id, is_own, data, reterr_diag};
	bool found = false;
	int r;

	r = check_xdp(&check);
	if (r == 0)
		r = check_tcx(&check, &found);
	if (r == 0 && place->hook == KVG_PORT_HOOK_CLSACT)
		r = check_filters(&check, &found);
	if (r == 0 && id && !found)
		r = say_absent(&check);
	return r;
}
