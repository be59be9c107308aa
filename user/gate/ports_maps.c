// SPDX-License-Identifier: BSD-2-Clause
#include "gate/ports_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/counters.h"
#include "gate/own.h"
#include "gate/pins.h"
#include "gate/tc.h"
#include "kvg_event.h"

#include "bpf/tc.skel.h" /* needs kvg_event.h and kvg_port.h */

/* struct pin - a descriptor's place in a set */
struct pin {
	const char *folder;
	const char *name;
	size_t offset; /* in struct kvg_ports_maps */
};

/* The programs by enum kvg_tc_way. The last one is there only if all are. */
static const struct pin pins[] = {
	{"progs", "kvg_tc", offsetof(struct kvg_ports_maps, programs[KVG_TC_IN])},
	{"progs", "kvg_witness", offsetof(struct kvg_ports_maps, programs[KVG_TC_OUT])},
	{"maps", "kvg_port_counts", offsetof(struct kvg_ports_maps, counts)},
	{"maps", "kvg_ports", offsetof(struct kvg_ports_maps, ports)},
};

static int *descriptor(struct kvg_ports_maps *maps, const struct pin *pin)
{
	return (int *)((char *)maps + pin->offset);
}

void kvg_ports_maps_done(struct kvg_ports_maps *maps)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(pins); i++) {
		kvg_closep(descriptor(maps, &pins[i]));
		*descriptor(maps, &pins[i]) = -1;
	}
}

int kvg_ports_maps_open(const char *set_path, struct kvg_ports_maps *ret)
{
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps maps = KVG_PORTS_MAPS_NONE;

	for (size_t i = KVG_ARRAY_SIZE(pins); i-- > 0;) {
		int fd = kvg_pins_get(set_path, pins[i].folder, pins[i].name);

		if (fd < 0)
			return fd;
		*descriptor(&maps, &pins[i]) = fd;
	}
	libbpf_set_print(NULL); /* what it says of filters that are gone is said in other words */
	*ret = maps;
	maps = (struct kvg_ports_maps)KVG_PORTS_MAPS_NONE;
	return 0;
}

static void destroyp(struct kvg_tc_bpf **skel)
{
	kvg_tc_bpf__destroy(*skel);
}

static int take_descriptors(const struct bpf_object *object, struct kvg_ports_maps *ret)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(pins); i++) {
		const char *name = pins[i].name;
		int fd = strcmp(pins[i].folder, "maps") == 0
				 ? bpf_object__find_map_fd_by_name(object, name)
				 : bpf_program__fd(bpf_object__find_program_by_name(object, name));

		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -errno;
		*descriptor(ret, &pins[i]) = fd;
	}
	return 0;
}

/* What an interrupted kvgate pinned of them is of no use to anybody. */
static int pin_all(const struct kvg_set *set, struct kvg_ports_maps *maps)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < KVG_ARRAY_SIZE(pins); i++) {
		r = kvg_pins_drop(kvg_set_path(set), pins[i].folder, pins[i].name);
		if (r == 0)
			r = kvg_pins_put(kvg_set_path(set), pins[i].folder, pins[i].name,
					 *descriptor(maps, &pins[i]));
	}
	return r;
}

static int find_map(int program, const char *name)
{
	__u32 ids[64];
	struct bpf_prog_info info = {.nr_map_ids = KVG_ARRAY_SIZE(ids),
				     .map_ids = (__u64)(long)ids};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &size) < 0)
		return -errno;
	for (__u32 i = 0; i < info.nr_map_ids && i < KVG_ARRAY_SIZE(ids); i++) {
		KVG_CLEANUP(kvg_closep) int map = bpf_map_get_fd_by_id(ids[i]);
		struct bpf_map_info about = {};
		__u32 about_size = sizeof(about);

		if (map >= 0 && bpf_obj_get_info_by_fd(map, &about, &about_size) == 0 &&
		    strcmp(about.name, name) == 0)
			return KVG_TAKE_FD(map);
	}
	return -ENOENT;
}

/* Nobody pins the requests, but both programs have them. Those of another shape are left behind. */
static int share_requests(struct kvg_tc_bpf *skel, const struct kvg_ports_maps *from)
{
	KVG_CLEANUP(kvg_closep)
	int map = find_map(from->programs[KVG_TC_OUT], bpf_map__name(skel->maps.kvg_requests));
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	if (map < 0)
		return map == -ENOENT ? 0 : map;
	if (bpf_obj_get_info_by_fd(map, &info, &size) < 0)
		return -errno;
	if (info.type != bpf_map__type(skel->maps.kvg_requests) ||
	    info.key_size != bpf_map__key_size(skel->maps.kvg_requests) ||
	    info.value_size != bpf_map__value_size(skel->maps.kvg_requests))
		return 0;
	return bpf_map__reuse_fd(skel->maps.kvg_requests, map);
}

static int share_ports(struct kvg_tc_bpf *skel, const struct kvg_ports_maps *from)
{
	int r = bpf_map__reuse_fd(skel->maps.kvg_ports, from->ports);

	return r < 0 ? r : bpf_map__reuse_fd(skel->maps.kvg_port_counts, from->counts);
}

/* @own: the set's, to be renewed; @other: of a set to be left; either may be NULL */
static int load(const struct kvg_set *set, const struct kvg_ports_maps *own,
		const struct kvg_ports_maps *other, struct kvg_ports_maps *ret)
{
	KVG_CLEANUP(destroyp) struct kvg_tc_bpf *skel = NULL;
	int r;

	libbpf_set_print(NULL);
	skel = kvg_tc_bpf__open();
	if (!skel)
		return -errno;
	r = kvg_set_share(set, skel->obj);
	if (r == 0 && own)
		r = share_ports(skel, own);
	if (r == 0 && (own || other))
		r = share_requests(skel, own ? own : other);
	if (r == 0)
		r = kvg_tc_bpf__load(skel);
	return r < 0 ? r : take_descriptors(skel->obj, ret);
}

static int refuse_load(int error, struct kvg_diag *reterr_diag)
{
	return kvg_diag_set(reterr_diag, error,
			    "the kernel refuses the BPF programs for interfaces: %s",
			    strerror(-error));
}

int kvg_ports_maps_load(const struct kvg_set *set, const struct kvg_ports_maps *other,
			struct kvg_ports_maps *ret, struct kvg_diag *reterr_diag)
{
	int r = kvg_ports_maps_open(kvg_set_path(set), ret);

	if (r != -ENOENT)
		return r;
	r = load(set, NULL, other, ret);
	if (r < 0)
		return refuse_load(r, reterr_diag);
	r = pin_all(set, ret);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot pin below %s: %s", kvg_set_path(set),
				    strerror(-r));
	return 0;
}

int kvg_ports_maps_renew(const struct kvg_set *set, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps old = KVG_PORTS_MAPS_NONE;
	KVG_CLEANUP(kvg_ports_maps_done) struct kvg_ports_maps fresh = KVG_PORTS_MAPS_NONE;
	int renewed = 0;
	int r = kvg_ports_maps_open(kvg_set_path(set), &old);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = load(set, &old, NULL, &fresh);
	if (r < 0)
		return refuse_load(r, reterr_diag);
	for (int way = KVG_TC_IN; way <= KVG_TC_OUT; way++) {
		if (kvg_own_is_same_program(old.programs[way], fresh.programs[way]))
			continue;
		r = kvg_pins_replace(kvg_set_path(set), "progs", pins[way].name,
				     fresh.programs[way]);
		if (r < 0)
			return kvg_diag_set(reterr_diag, r, "cannot replace the programs of %s: %s",
					    kvg_set_path(set), strerror(-r));
		renewed++;
	}
	return renewed;
}

int kvg_ports_maps_put(const struct kvg_ports_maps *maps, const struct kvg_port *port)
{
	KVG_CLEANUP(kvg_closep) int inner = -1;
	struct kvg_counters counters;
	__u32 zero = 0;
	int r;

	r = kvg_counters_read(maps->counts, &port->ifindex, &counters);
	if (r == -ENOENT)
		r = kvg_counters_clear(maps->counts, &port->ifindex);
	if (r < 0)
		return r;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "kvg_port", sizeof(zero), sizeof(*port), 1,
			       NULL);
	if (inner < 0 || bpf_map_update_elem(inner, &zero, port, BPF_ANY) < 0)
		return -errno;
	return bpf_map_update_elem(maps->ports, &port->ifindex, &inner, BPF_ANY) < 0 ? -errno : 0;
}

/* Another version's: what struct kvg_port promises. */
static int read_promised(int map, __u32 value_size, struct kvg_port *ret)
{
	const size_t rest = sizeof(*ret) - offsetof(struct kvg_port, netns);
	KVG_CLEANUP(kvg_freep) unsigned char *value = NULL;
	__u32 zero = 0;

	if (value_size < sizeof(ret->gate.cgroup_id) + rest)
		return -EPROTO;
	value = malloc(value_size);
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(map, &zero, value) < 0)
		return -errno;
	*ret = (struct kvg_port){0};
	memcpy(&ret->gate.cgroup_id, value, sizeof(ret->gate.cgroup_id));
	memcpy(&ret->netns, value + value_size - rest, rest);
	return 0;
}

int kvg_ports_maps_get(const struct kvg_ports_maps *maps, __u32 ifindex, struct kvg_port *ret)
{
	KVG_CLEANUP(kvg_closep) int inner = -1;
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	__u32 id, zero = 0;

	if (bpf_map_lookup_elem(maps->ports, &ifindex, &id) < 0)
		return -errno;
	inner = bpf_map_get_fd_by_id(id);
	if (inner < 0 || bpf_obj_get_info_by_fd(inner, &info, &size) < 0)
		return -errno;
	if (info.value_size != sizeof(*ret))
		return read_promised(inner, info.value_size, ret);
	return bpf_map_lookup_elem(inner, &zero, ret) < 0 ? -errno : 0;
}

/* @list grows by one, which is not counted yet. */
static int read_next(const struct kvg_ports_maps *maps, __u32 ifindex, struct kvg_port **list,
		     size_t count)
{
	struct kvg_port *more = reallocarray(*list, count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*list = more;
	return kvg_ports_maps_get(maps, ifindex, &more[count]);
}

int kvg_ports_maps_list(const struct kvg_ports_maps *maps, __u64 cgroup_id, struct kvg_port **ret,
			size_t *ret_count)
{
	KVG_CLEANUP(kvg_freep) struct kvg_port *ports = NULL;
	__u32 key, *previous = NULL;
	size_t count = 0;

	while (bpf_map_get_next_key(maps->ports, previous, &key) == 0) {
		int r = read_next(maps, key, &ports, count);

		if (r < 0)
			return r;
		count += !cgroup_id || ports[count].gate.cgroup_id == cgroup_id;
		previous = &key;
	}
	if (errno != ENOENT) /* that it ends here is not what the kernel said */
		return -errno;
	*ret = KVG_TAKE_PTR(ports);
	*ret_count = count;
	return 0;
}

void kvg_ports_maps_drop(const struct kvg_ports_maps *maps, __u32 ifindex)
{
	bpf_map_delete_elem(maps->ports, &ifindex);
	bpf_map_delete_elem(maps->counts, &ifindex);
}
