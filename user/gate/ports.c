// SPDX-License-Identifier: BSD-2-Clause
#include "gate/ports.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/counters.h"
#include "gate/gate.h"
#include "gate/own.h"
#include "gate/pins.h"
#include "gate/ports_maps.h"
#include "gate/ports_place.h"
#include "gate/tc.h"

static void detach_link(const char *set_path, const struct kvg_port *port, enum kvg_tc_way way)
{
	KVG_CLEANUP(kvg_closep) int link = -1;
	char folder[KVG_PORTS_FOLDER_LEN], name[KVG_PORTS_LINK_LEN];

	kvg_ports_folder(port->gate.cgroup_id, folder);
	kvg_ports_link(way, port->ifindex, name);
	link = kvg_pins_get(set_path, folder, name);
	if (link >= 0)
		bpf_link_detach(link); /* fails if the interface is gone, and the link with it */
	kvg_pins_drop(set_path, folder, name);
}

static int detach_filters(const struct kvg_port *port, struct kvg_diag *reterr_diag)
{
	int r = 0;

	if (kvg_ports_is_gone(port))
		return 0;
	if (!kvg_ports_is_here(port))
		return kvg_ports_refuse_elsewhere(port, reterr_diag);
	for (int way = KVG_TC_IN; r == 0 && way <= KVG_TC_OUT; way++) {
		const struct kvg_tc_place place = kvg_ports_place(port, way);

		r = place.handle ? kvg_tc_detach_filter(&place) : 0;
	}
	if (r == 0 && port->own_qdisc)
		r = kvg_tc_remove_qdisc(port->ifindex);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot remove the filters of \"%s\": %s",
				    port->name, strerror(-r));
	return 0;
}

/* The entry goes last: a program that is still there refuses without one. */
static int detach_port(const char *set_path, const struct kvg_ports_maps *maps,
		       const struct kvg_port *port, struct kvg_diag *reterr_diag)
{
	int r = 0;

	if (port->hook == KVG_PORT_HOOK_CLSACT)
		r = detach_filters(port, reterr_diag);
	for (int way = KVG_TC_IN; r == 0 && way <= KVG_TC_OUT; way++)
		detach_link(set_path, port, way);
	if (r == 0)
		kvg_ports_maps_drop(maps, port->ifindex);
	return r;
}

/* struct work - arguments of kvg_ports_attach(), and what they lead to */
struct work {
	struct kvg_set *set;
	const struct kvg_ports_plan *plan;
	struct kvg_ports_maps maps;
	struct kvg_own own;
	char *bpffs_dir;
	struct kvg_port template;
	struct kvg_port *attached; /* by this call */
	size_t attached_count;
	struct kvg_diag *reterr_diag;
};

static void work_done(struct work *work)
{
	kvg_ports_maps_done(&work->maps);
	kvg_own_done(&work->own);
	free(work->bpffs_dir);
	free(work->attached);
}

static int put_link(struct work *work, const struct kvg_port *port, enum kvg_tc_way way)
{
	const struct kvg_tc_place place = kvg_ports_place(port, way);
	char folder[KVG_PORTS_FOLDER_LEN], name[KVG_PORTS_LINK_LEN];
	KVG_CLEANUP(kvg_closep) int link = -1;
	int r = kvg_tc_attach_link(&place, work->maps.programs[way], &link);

	if (r < 0)
		return r;
	kvg_ports_folder(port->gate.cgroup_id, folder);
	kvg_ports_link(way, port->ifindex, name);
	return kvg_pins_put(kvg_set_path(work->set), folder, name, link);
}

static int put_filter(struct work *work, struct kvg_port *port, enum kvg_tc_way way)
{
	struct kvg_tc_place place = kvg_ports_place(port, way);
	int r = kvg_tc_attach_filter(&place, work->maps.programs[way]);

	port->handles[way] = place.handle;
	return r;
}

static bool set_made_qdisc(const char *bpffs_dir, const char *name, __u32 ifindex)
{
	KVG_CLEANUP(kvg_freep) char *set_path = NULL;
	struct kvg_ports_maps maps;
	struct kvg_port port;
	bool made;

	if (asprintf(&set_path, "%s/%s", bpffs_dir, name) < 0) {
		set_path = NULL;
		return false;
	}
	if (kvg_ports_maps_open(set_path, &maps) < 0)
		return false;
	made = kvg_ports_maps_get(&maps, ifindex, &port) == 0 && port.own_qdisc;
	kvg_ports_maps_done(&maps);
	return made;
}

/* Another gate of the interface may have made it; who goes last removes it. */
static bool is_qdisc_ours(const char *bpffs_dir, __u32 ifindex)
{
	char **names = NULL;
	bool ours = false;

	if (kvg_set_list(bpffs_dir, &names) < 0)
		return false;
	for (char **name = names; *name && !ours; name++)
		ours = set_made_qdisc(bpffs_dir, *name, ifindex);
	kvg_set_list_free(names);
	return ours;
}

static int make_qdisc(const struct work *work, struct kvg_port *port, struct kvg_diag *reterr_diag)
{
	bool made = false;
	int r = kvg_tc_make_qdisc(port->ifindex, &made);

	port->own_qdisc = made || (r == 0 && is_qdisc_ours(work->bpffs_dir, port->ifindex));
	if (r == -EEXIST)
		return kvg_diag_set(
			reterr_diag, r,
			"\"%s\" has an ingress qdisc, which knows no packets that enter the "
			"container: replace it by clsact; nothing was changed",
			port->name);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r,
				    "\"%s\" gets no clsact qdisc, and this kernel has no tcx: %s; "
				    "nothing was changed",
				    port->name, strerror(-r));
	return 0;
}

static int refuse_interface(const struct kvg_port *port, int error, struct kvg_diag *reterr_diag)
{
	if (error == -ENODEV)
		return kvg_diag_set(reterr_diag, error,
				    "interface \"%s\" is gone: nothing was changed", port->name);
	return kvg_diag_set(reterr_diag, error,
			    "the kernel refuses a program on interface \"%s\": %s; nothing was "
			    "changed",
			    port->name, strerror(-error));
}

/* Could a program be first there? And when it is there: is it? */
static int check_places(struct work *work, const struct kvg_port *port, bool there)
{
	int r = 0;

	for (int way = KVG_TC_IN; r == 0 && way <= KVG_TC_OUT; way++) {
		const struct kvg_tc_place place = kvg_ports_place(port, way);
		__u32 id = there ? kvg_own_program_id(work->maps.programs[way]) : 0;

		r = kvg_tc_check(&place, id, kvg_own_has, &work->own, work->reterr_diag);
	}
	return r;
}

/* Who comes in is witnessed before what goes out is judged. */
static int put_programs(struct work *work, struct kvg_port *port)
{
	int r = -EOPNOTSUPP;

	if (port->hook == KVG_PORT_HOOK_TCX)
		r = put_link(work, port, KVG_TC_OUT);
	if (r == 0)
		r = put_link(work, port, KVG_TC_IN);
	if (r != -EOPNOTSUPP)
		return r < 0 ? refuse_interface(port, r, work->reterr_diag) : 0;

	port->hook = KVG_PORT_HOOK_CLSACT;
	r = check_places(work, port, false);
	if (r == 0)
		r = make_qdisc(work, port, work->reterr_diag);
	if (r < 0)
		return r;
	r = put_filter(work, port, KVG_TC_OUT);
	if (r == 0)
		r = put_filter(work, port, KVG_TC_IN);
	if (r == 0)
		r = kvg_ports_maps_put(&work->maps,
				       port); /* once more: with what it takes to remove it */
	return r < 0 ? refuse_interface(port, r, work->reterr_diag) : 0;
}

static int attach_port(struct work *work, const struct kvg_netdev *netdev)
{
	struct kvg_port *port = &work->attached[work->attached_count];
	int r;

	*port = work->template;
	port->peer_netns = netdev->peer_netns;
	port->ifindex = netdev->ifindex;
	memcpy(port->name, netdev->name, sizeof(port->name));

	r = check_places(work, port, false);
	if (r < 0)
		return r;
	work->attached_count++;
	r = kvg_ports_maps_put(&work->maps, port);
	if (r < 0)
		return kvg_diag_set(work->reterr_diag, r, "no room for another interface: %s",
				    strerror(-r));
	r = put_programs(work, port);
	return r < 0 ? r : check_places(work, port, true);
}

/* What is there already: fine as it is, in the way, or to be made anew. */
static int weigh_known(struct work *work, const struct kvg_netdev *netdev, bool *ret_keep)
{
	struct kvg_port port;
	int r = kvg_ports_maps_get(&work->maps, netdev->ifindex, &port);

	*ret_keep = false;
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (port.gate.cgroup_id != work->template.gate.cgroup_id)
		return kvg_diag_set(work->reterr_diag, -EBUSY,
				    "\"%s\" is gated for another cgroup of the same set already: "
				    "nothing was changed",
				    port.name);
	*ret_keep = kvg_ports_is_here(&port) && port.peer_netns == netdev->peer_netns &&
		    check_places(work, &port, true) == 0;
	return *ret_keep ? 0
			 : detach_port(kvg_set_path(work->set), &work->maps, &port,
				       work->reterr_diag);
}

static int attach_netdev(struct work *work, const struct kvg_netdev *netdev)
{
	bool keep;
	int r = weigh_known(work, netdev, &keep);

	return r < 0 || keep ? r : attach_port(work, netdev);
}

/* Of an interface that was gated already: its entry changes, and no packet goes by unjudged. */
static int put_dhcp(const struct kvg_ports_maps *maps, __u32 ifindex, bool dhcp)
{
	struct kvg_port port;
	int r = kvg_ports_maps_get(maps, ifindex, &port);

	if (r < 0 || port.dhcp == dhcp)
		return r;
	port.dhcp = dhcp;
	return kvg_ports_maps_put(maps, &port);
}

static int put_all_dhcp(struct work *work)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < work->plan->count; i++)
		r = put_dhcp(&work->maps, work->plan->netdevs[i].ifindex, work->plan->dhcp);
	if (r < 0)
		return kvg_diag_set(work->reterr_diag, r, "an interface keeps its old entry: %s",
				    strerror(-r));
	return 0;
}

static int drop_gone(struct work *work)
{
	KVG_CLEANUP(kvg_freep) struct kvg_port *ports = NULL;
	size_t count = 0;
	int r = kvg_ports_maps_list(&work->maps, work->template.gate.cgroup_id, &ports, &count);

	for (size_t i = 0; r == 0 && i < count; i++) {
		if (kvg_ports_is_gone(&ports[i]))
			r = detach_port(kvg_set_path(work->set), &work->maps, &ports[i],
					work->reterr_diag);
		else if (!kvg_ports_is_here(&ports[i]))
			r = kvg_ports_refuse_elsewhere(&ports[i], work->reterr_diag);
	}
	return r;
}

static int prepare(struct work *work, const struct kvg_cgroup *cgroup)
{
	int r;

	work->template = (struct kvg_port){
		.netns = kvg_netdev_netns(),
		.dhcp = work->plan->dhcp,
		.hook = work->plan->hook,
	};
	work->attached = calloc(work->plan->count, sizeof(*work->attached));
	work->bpffs_dir = strdup(kvg_set_path(work->set));
	if (!work->attached || !work->bpffs_dir)
		return -ENOMEM;
	*strrchr(work->bpffs_dir, '/') = '\0';
	r = kvg_cgroup_level(cgroup, &work->template.level);
	if (r < 0)
		return kvg_diag_set(
			work->reterr_diag, r,
			"how deep cgroup \"%s\" is in the hierarchy cannot be seen from here, and "
			"with it whose a packet is: run kvgate in the host's cgroup namespace",
			cgroup->path);
	r = kvg_gate_read(work->set, cgroup->id, &work->template.gate, NULL);
	if (r < 0)
		return kvg_diag_set(work->reterr_diag, r, "the gate cannot be read: %s",
				    strerror(-r));
	r = kvg_ports_maps_load(work->set, NULL, &work->maps, work->reterr_diag);
	if (r < 0)
		return r;
	return kvg_own_read(work->bpffs_dir, &work->own);
}

int kvg_ports_attach(struct kvg_set *set, const struct kvg_cgroup *cgroup,
		     const struct kvg_ports_plan *plan, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(work_done)
	struct work work = {
		.set = set,
		.plan = plan,
		.maps = KVG_PORTS_MAPS_NONE,
		.reterr_diag = reterr_diag,
	};
	KVG_CLEANUP(kvg_freep) struct kvg_port *before = NULL;
	size_t count = 0;
	int r = prepare(&work, cgroup);

	if (r == 0)
		r = drop_gone(&work);
	if (r == 0)
		r = kvg_ports_maps_list(&work.maps, cgroup->id, &before, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < plan->count; i++)
		r = attach_netdev(&work, &plan->netdevs[i]);
	if (r == 0)
		r = put_all_dhcp(&work);
	if (r == 0)
		return 0;
	for (size_t i = 0; i < work.attached_count; i++)
		detach_port(kvg_set_path(set), &work.maps, &work.attached[i], NULL);
	kvg_ports_restore(set, cgroup->id, before, count);
	return r;
}

static const struct kvg_port *find_port(const struct kvg_port *ports, size_t count, __u32 ifindex)
{
	for (size_t i = 0; i < count; i++) {
		if (ports[i].ifindex == ifindex)
			return &ports[i];
	}
	return NULL;
}

int kvg_ports_restore(struct kvg_set *set, __u64 cgroup_id, const struct kvg_port *before,
		      size_t count)
{
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps maps = KVG_PORTS_MAPS_NONE;
	KVG_CLEANUP(kvg_freep) struct kvg_port *ports = NULL;
	size_t ports_count = 0;
	int result = 0;
	int r = kvg_ports_maps_open(kvg_set_path(set), &maps);

	if (r == 0)
		r = kvg_ports_maps_list(&maps, cgroup_id, &ports, &ports_count);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < ports_count; i++) {
		const struct kvg_port *old = find_port(before, count, ports[i].ifindex);

		r = old ? put_dhcp(&maps, old->ifindex, old->dhcp)
			: detach_port(kvg_set_path(set), &maps, &ports[i], NULL);
		if (r < 0)
			result = r;
	}
	return result;
}

static int flip_port(const struct kvg_ports_maps *maps, const struct kvg_port *old,
		     const struct kvg_gate *gate)
{
	struct kvg_port port = *old;

	port.gate = *gate;
	return kvg_ports_maps_put(maps, &port);
}

int kvg_ports_flip(struct kvg_set *set, const struct kvg_gate *gate, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps maps = KVG_PORTS_MAPS_NONE;
	KVG_CLEANUP(kvg_freep) struct kvg_port *ports = NULL;
	size_t count = 0, done = 0;
	int r = kvg_ports_maps_open(kvg_set_path(set), &maps);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = kvg_ports_maps_list(&maps, gate->cgroup_id, &ports, &count);
	while (r == 0 && done < count) {
		r = flip_port(&maps, &ports[done], gate);
		done += r == 0;
	}
	if (r == 0)
		return 0;
	while (done-- > 0)
		flip_port(&maps, &ports[done], &ports[done].gate);
	return kvg_diag_set(reterr_diag, r, "cannot put the policy in force on an interface: %s",
			    strerror(-r));
}

int kvg_ports_detach(const char *set_path, __u64 cgroup_id, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps maps = KVG_PORTS_MAPS_NONE;
	KVG_CLEANUP(kvg_freep) struct kvg_port *ports = NULL;
	size_t count = 0;
	int r = kvg_ports_maps_open(set_path, &maps);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = kvg_ports_maps_list(&maps, cgroup_id, &ports, &count);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = detach_port(set_path, &maps, &ports[i], reterr_diag);
	return r;
}

int kvg_ports_list(const struct kvg_set *set, __u64 cgroup_id, struct kvg_port **ret,
		   size_t *ret_count)
{
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps maps = KVG_PORTS_MAPS_NONE;
	int r = kvg_ports_maps_open(kvg_set_path(set), &maps);

	*ret = NULL;
	*ret_count = 0;
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : kvg_ports_maps_list(&maps, cgroup_id, ret, ret_count);
}

/* The link's pin is what keeps the program there. */
static int check_link(const char *set_path, const struct kvg_port *port, enum kvg_tc_way way,
		      struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_closep) int link = -1;
	char folder[KVG_PORTS_FOLDER_LEN], name[KVG_PORTS_LINK_LEN];

	if (port->hook != KVG_PORT_HOOK_TCX)
		return 0;
	kvg_ports_folder(port->gate.cgroup_id, folder);
	kvg_ports_link(way, port->ifindex, name);
	link = kvg_pins_get(set_path, folder, name);
	if (link < 0)
		return kvg_diag_set(reterr_diag, link, "%s: the pinned link is gone (%s)", name,
				    strerror(-link));
	return 0;
}

int kvg_ports_check(const struct kvg_set *set, const struct kvg_port *port,
		    bool (*is_own)(void *data, __u32 id), void *data, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps maps = KVG_PORTS_MAPS_NONE;
	int r = kvg_ports_maps_open(kvg_set_path(set), &maps);

	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the programs for interfaces are gone: %s",
				    strerror(-r));
	if (kvg_ports_is_gone(port))
		return kvg_diag_set(reterr_diag, -ENODEV,
				    "interface \"%s\" is gone; if the container has another one, "
				    "attach --pid again",
				    port->name);
	if (!kvg_ports_is_here(port))
		return kvg_ports_refuse_elsewhere(port, reterr_diag);
	for (int way = KVG_TC_IN; r == 0 && way <= KVG_TC_OUT; way++) {
		const struct kvg_tc_place place = kvg_ports_place(port, way);

		r = check_link(kvg_set_path(set), port, way, reterr_diag);
		if (r == 0)
			r = kvg_tc_check(&place, kvg_own_program_id(maps.programs[way]), is_own,
					 data, reterr_diag);
	}
	return r;
}

int kvg_ports_read_counters(const struct kvg_set *set, __u32 ifindex, struct kvg_counters *ret)
{
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps maps = KVG_PORTS_MAPS_NONE;
	int r = kvg_ports_maps_open(kvg_set_path(set), &maps);

	return r < 0 ? r : kvg_counters_read(maps.counts, &ifindex, ret);
}
