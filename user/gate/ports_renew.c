// SPDX-License-Identifier: BSD-2-Clause
#include "gate/ports_renew.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/netdev.h"
#include "gate/own.h"
#include "gate/pins.h"
#include "gate/ports.h"
#include "gate/ports_maps.h"
#include "gate/ports_place.h"
#include "gate/tc.h"

/* Return: 1 replaced, 0 nothing to do, or a negative errno */
static int mend_link(const char *set_path, const struct kvg_port *port, enum kvg_tc_way way,
		     int program)
{
	char folder[KVG_PORTS_FOLDER_LEN], name[KVG_PORTS_LINK_LEN];
	KVG_CLEANUP(kvg_closep) int link = -1;
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	kvg_ports_folder(port->gate.cgroup_id, folder);
	kvg_ports_link(way, port->ifindex, name);
	link = kvg_pins_get(set_path, folder, name);
	if (link < 0)
		return link == -ENOENT ? 0 : link;
	if (bpf_obj_get_info_by_fd(link, &info, &size) < 0)
		return -errno;
	if (info.prog_id == kvg_own_program_id(program))
		return 0;
	return bpf_link_update(link, program, NULL) < 0 ? -errno : 1;
}

static int mend_port(const char *set_path, const struct kvg_ports_maps *maps,
		     const struct kvg_port *port, struct kvg_diag *reterr_diag)
{
	int mended = 0;

	if (kvg_ports_is_gone(port))
		return 0;
	if (port->hook == KVG_PORT_HOOK_CLSACT && !kvg_ports_is_here(port))
		return kvg_ports_refuse_elsewhere(port, reterr_diag);
	for (int way = KVG_TC_IN; way <= KVG_TC_OUT; way++) {
		const struct kvg_tc_place place = kvg_ports_place(port, way);
		int r = port->hook == KVG_PORT_HOOK_CLSACT
				? kvg_tc_replace_filter(&place, maps->programs[way])
				: mend_link(set_path, port, way, maps->programs[way]);

		if (r < 0)
			return kvg_diag_set(
				reterr_diag, r,
				"the program on interface \"%s\" cannot be replaced: %s",
				port->name, strerror(-r));
		mended += r;
	}
	return mended;
}

int kvg_ports_mend(const struct kvg_set *set, __u64 cgroup_id, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps maps = KVG_PORTS_MAPS_NONE;
	KVG_CLEANUP(kvg_freep) struct kvg_port *ports = NULL;
	int mended = 0, error = 0;
	size_t count = 0;
	int r = kvg_ports_maps_open(kvg_set_path(set), &maps);

	if (r == 0)
		r = kvg_ports_maps_list(&maps, cgroup_id, &ports, &count);
	if (r < 0)
		return r == -ENOENT ? 0
				    : kvg_diag_set(reterr_diag, r,
						   "the gate's interfaces cannot be read: %s",
						   strerror(-r));
	for (size_t i = 0; i < count; i++) {
		r = mend_port(kvg_set_path(set), &maps, &ports[i], error ? NULL : reterr_diag);
		if (r >= 0)
			mended += r;
		else if (!error)
			error = r;
	}
	return error ? error : mended;
}

static int carry_port(struct kvg_set *set, const struct kvg_cgroup *cgroup,
		      const struct kvg_port *port, struct kvg_diag *reterr_diag)
{
	struct kvg_netdev netdev;
	const struct kvg_ports_plan plan = {
		.netdevs = &netdev,
		.count = 1,
		.dhcp = port->dhcp,
		.hook = port->hook,
	};
	char name[IF_NAMESIZE];
	int r;

	if (kvg_ports_is_gone(port))
		return 0;
	if (!kvg_ports_is_here(port))
		return kvg_ports_refuse_elsewhere(port, reterr_diag);
	if (!if_indextoname(port->ifindex, name))
		return 0;
	r = kvg_netdev_open(name, &netdev, reterr_diag);
	if (r == -ENODEV)
		return 0;
	return r < 0 ? r : kvg_ports_attach(set, cgroup, &plan, reterr_diag);
}

int kvg_ports_carry(struct kvg_set *set, const struct kvg_cgroup *cgroup, const char *other_path,
		    struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps other = KVG_PORTS_MAPS_NONE;
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps ours = KVG_PORTS_MAPS_NONE;
	KVG_CLEANUP(kvg_freep) struct kvg_port *ports = NULL;
	size_t count = 0;
	int r = kvg_ports_maps_open(other_path, &other);

	if (r == 0)
		r = kvg_ports_maps_list(&other, cgroup->id, &ports, &count);
	if (r < 0)
		return r == -ENOENT ? 0
				    : kvg_diag_set(reterr_diag, r,
						   "the interfaces in %s cannot be read: %s",
						   other_path, strerror(-r));
	if (count)
		r = kvg_ports_maps_load(set, &other, &ours, reterr_diag);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = carry_port(set, cgroup, &ports[i], reterr_diag);
	return r;
}
