// SPDX-License-Identifier: BSD-2-Clause
#include "gate/set.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "gate/dns.h"
#include "gate/lsm.h"
#include "gate/own.h"
#include "gate/pins.h"
#include "gate/ports.h"
#include "gate/probe.h"
#include "kvg_event.h"
#include "kvg_policy.h"

#include "bpf/cgroup.skel.h" /* needs kvg_event.h and kvg_policy.h */

struct kvg_set {
	char *name;
	char *path;
	struct kvg_cgroup_bpf *skel; /* NULL in a set that was opened */
	int maps[KVG_MAP_COUNT];
	int programs[KVG_PROGRAM_COUNT];
};

static const char *const map_names[] = {
#define X(name, map) #map,
	KVG_MAPS(X)
#undef X
};

static const struct kvg_program_row programs[] = {
#define X(name, program, type, label, required) {#program, type, label, required},
	KVG_PROGRAMS(X)
#undef X
};

const struct kvg_program_row *kvg_programs(void)
{
	return programs;
}

static struct kvg_set *new_set(const char *bpffs_dir, const char *name)
{
	struct kvg_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	for (size_t i = 0; i < KVG_MAP_COUNT; i++)
		set->maps[i] = -1;
	for (size_t i = 0; i < KVG_PROGRAM_COUNT; i++)
		set->programs[i] = -1;
	set->name = strdup(name);
	if (!set->name || asprintf(&set->path, "%s/%s", bpffs_dir, name) < 0)
		return kvg_set_close(set);
	return set;
}

struct kvg_set *kvg_set_close(struct kvg_set *set)
{
	if (!set)
		return NULL;
	for (size_t i = 0; i < KVG_MAP_COUNT; i++)
		kvg_closep(&set->maps[i]);
	for (size_t i = 0; i < KVG_PROGRAM_COUNT; i++)
		kvg_closep(&set->programs[i]);
	kvg_cgroup_bpf__destroy(set->skel);
	free(set->name);
	free(set->path);
	free(set);
	return NULL;
}

void kvg_set_closep(struct kvg_set **set)
{
	*set = kvg_set_close(*set);
}

const char *kvg_set_name(const struct kvg_set *set)
{
	return set->name;
}

const char *kvg_set_path(const struct kvg_set *set)
{
	return set->path;
}

int kvg_set_map(const struct kvg_set *set, enum kvg_map map)
{
	return set->maps[map];
}

int kvg_set_program(const struct kvg_set *set, enum kvg_program program)
{
	return set->programs[program];
}

/* What the last load said; the verifier's complaint is the only thing that tells a bug from a lack. */
static char load_log[512];

static int keep_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !load_log[0])
		vsnprintf(load_log, sizeof(load_log), format, args);
	return 0;
}

static int refuse_load(int error, struct kvg_diag *reterr_diag)
{
	if (error == -EPERM)
		return kvg_diag_set(
			reterr_diag, error,
			"the kernel refuses the BPF programs: CAP_BPF and CAP_NET_ADMIN (before "
			"Linux 5.8 CAP_SYS_ADMIN) are needed; run as root");
	return kvg_diag_set(reterr_diag, error, "the kernel refuses the BPF programs: %s (%s)",
			    strerror(-error), load_log);
}

static int open_skeleton(struct kvg_set *set, struct kvg_diag *reterr_diag)
{
	load_log[0] = '\0';
	libbpf_set_print(keep_warning);
	set->skel = kvg_cgroup_bpf__open();
	if (!set->skel)
		return kvg_diag_set(reterr_diag, -errno, "cannot open the BPF programs: %s",
				    strerror(errno));

	set->skel->rodata->kvg_cfg_packet_pid = kvg_probe_packet_pid();
	set->skel->rodata->kvg_cfg_packet_comm = kvg_probe_packet_comm();
	return 0;
}

/* @shared: a set whose maps are used; NULL: they are made */
static int load(struct kvg_set *set, const struct kvg_set *shared, struct kvg_diag *reterr_diag)
{
	int r = set->skel ? 0 : open_skeleton(set, reterr_diag);

	if (r < 0)
		return r;
	if (shared)
		r = kvg_set_share(shared, set->skel->obj);
	if (r == 0)
		r = kvg_cgroup_bpf__load(set->skel);
	if (r < 0)
		return refuse_load(r, reterr_diag);
	return 0;
}

static int take_descriptors(struct kvg_set *set, const struct bpf_object *object)
{
	for (size_t i = 0; i < KVG_MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, map_names[i]);

		set->maps[i] = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3);
		if (set->maps[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < KVG_PROGRAM_COUNT; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, programs[i].program);

		if (!program && !programs[i].required)
			continue;
		set->programs[i] = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 3);
		if (set->programs[i] < 0)
			return -errno;
	}
	return 0;
}

static int pin_all(struct kvg_set *set, struct kvg_diag *reterr_diag)
{
	int r;

	r = kvg_pins_make_folders(set->path);
	for (size_t i = 0; r == 0 && i < KVG_MAP_COUNT; i++)
		r = kvg_pins_put(set->path, "maps", map_names[i], set->maps[i]);
	for (size_t i = 0; r == 0 && i < KVG_PROGRAM_COUNT; i++) {
		if (set->programs[i] < 0)
			continue;
		r = kvg_pins_put(set->path, "progs", programs[i].program, set->programs[i]);
	}
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot pin below %s: %s", set->path,
				    strerror(-r));
	return 0;
}

/* A set that has none to go on with is no fault: its half-made like has no gate. */
static int share_marks(struct kvg_set *set, const char *bpffs_dir, const char *other)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_closep) int fd = -1;
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	if (asprintf(&path, "%s/%s", bpffs_dir, other) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = kvg_pins_get(path, "maps", map_names[KVG_MAP_MARKS]);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (info.type != BPF_MAP_TYPE_SK_STORAGE || info.value_size != sizeof(struct kvg_mark))
		return 0;
	return bpf_map__reuse_fd(set->skel->maps.kvg_marks, fd);
}

int kvg_set_create(const char *bpffs_dir, const char *name, struct kvg_set **ret,
		   struct kvg_diag *reterr_diag)
{
	return kvg_set_create_beside(bpffs_dir, name, NULL, ret, reterr_diag);
}

int kvg_set_create_beside(const char *bpffs_dir, const char *name, const char *other,
			  struct kvg_set **ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = NULL;
	int r;

	r = kvg_pins_make_root(bpffs_dir, reterr_diag);
	if (r < 0)
		return r;
	set = new_set(bpffs_dir, name);
	if (!set)
		return -ENOMEM;
	if (access(set->path, F_OK) == 0)
		return kvg_diag_set(reterr_diag, -EEXIST, "%s is there already", set->path);

	r = open_skeleton(set, reterr_diag);
	if (r < 0)
		return r;
	r = other ? share_marks(set, bpffs_dir, other) : 0;
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the marks of %s/%s cannot be had: %s",
				    bpffs_dir, other, strerror(-r));
	r = load(set, NULL, reterr_diag);
	if (r < 0)
		return r;
	r = take_descriptors(set, set->skel->obj);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot keep the BPF programs open: %s",
				    strerror(-r));
	kvg_lsm_load(set, &set->programs[KVG_PROGRAM_SOCKET]); /* where they can be had */
	kvg_dns_load(set, &set->programs[KVG_PROGRAM_INGRESS]);
	r = pin_all(set, reterr_diag);
	if (r < 0) {
		kvg_set_remove(bpffs_dir, name);
		return r;
	}

	*ret = KVG_TAKE_PTR(set);
	return 0;
}

int kvg_set_try(struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = new_set("", "");

	return set ? load(set, NULL, reterr_diag) : -ENOMEM;
}

static int try_with(enum kvg_program which, int (*load_one)(const struct kvg_set *set, int *ret))
{
	KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = new_set("", "");
	int r;

	if (!set)
		return -ENOMEM;
	r = load(set, NULL, NULL);
	if (r == 0)
		r = take_descriptors(set, set->skel->obj);
	return r < 0 ? r : load_one(set, &set->programs[which]);
}

int kvg_set_try_lsm(void)
{
	return try_with(KVG_PROGRAM_SOCKET, kvg_lsm_load);
}

int kvg_set_try_dns(void)
{
	return try_with(KVG_PROGRAM_INGRESS, kvg_dns_load);
}

int kvg_set_adopt(const struct bpf_object *object, struct kvg_set **ret)
{
	KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = new_set("", "");
	int r;

	if (!set)
		return -ENOMEM;
	r = take_descriptors(set, object);
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(set);
	return 0;
}

int kvg_set_share(const struct kvg_set *set, struct bpf_object *object)
{
	for (size_t i = 0; i < KVG_MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, map_names[i]);
		int r = map ? bpf_map__reuse_fd(map, set->maps[i]) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* The infos' value holds the layout's version; its size alone tells most others apart. */
static int check_layout(const struct kvg_set *set, struct kvg_diag *reterr_diag)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	struct kvg_gate_info gate;
	__u64 id;

	if (bpf_obj_get_info_by_fd(set->maps[KVG_MAP_INFOS], &info, &size) < 0)
		return -errno;
	if (info.value_size == sizeof(struct kvg_gate_info) &&
	    (bpf_map_get_next_key(set->maps[KVG_MAP_INFOS], NULL, &id) < 0 ||
	     (bpf_map_lookup_elem(set->maps[KVG_MAP_INFOS], &id, &gate) == 0 &&
	      gate.abi == KVG_ABI)))
		return 0;
	return kvg_diag_set(reterr_diag, -EPROTO,
			    "the gates in %s were made by another version of kvgate", set->path);
}

int kvg_set_open(const char *bpffs_dir, const char *name, struct kvg_set **ret,
		 struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = new_set(bpffs_dir, name);
	int r;

	if (!set)
		return -ENOMEM;
	if (access(set->path, F_OK) < 0)
		return kvg_diag_set(reterr_diag, -errno, "%s: %s", set->path, strerror(errno));

	for (size_t i = 0; i < KVG_MAP_COUNT; i++) {
		set->maps[i] = kvg_pins_get(set->path, "maps", map_names[i]);
		if (set->maps[i] < 0)
			return kvg_diag_set(reterr_diag, set->maps[i], "%s/maps/%s: %s", set->path,
					    map_names[i], strerror(-set->maps[i]));
	}
	for (size_t i = 0; i < KVG_PROGRAM_COUNT; i++) {
		set->programs[i] = kvg_pins_get(set->path, "progs", programs[i].program);
		if (set->programs[i] == -ENOENT && !programs[i].required)
			set->programs[i] = -1;
		else if (set->programs[i] < 0)
			return kvg_diag_set(reterr_diag, set->programs[i], "%s/progs/%s: %s",
					    set->path, programs[i].program,
					    strerror(-set->programs[i]));
	}
	r = check_layout(set, reterr_diag);
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(set);
	return 0;
}

int kvg_set_renew(struct kvg_set *set, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_set_closep) struct kvg_set *fresh = new_set("", "");
	int renewed = 0;
	int r;

	if (!fresh)
		return -ENOMEM;
	r = load(fresh, set, reterr_diag);
	if (r < 0)
		return r;
	r = take_descriptors(fresh, fresh->skel->obj);
	if (r == 0) {
		kvg_lsm_load(set, &fresh->programs[KVG_PROGRAM_SOCKET]);
		kvg_dns_load(set, &fresh->programs[KVG_PROGRAM_INGRESS]);
	}
	for (size_t i = 0; r == 0 && i < KVG_PROGRAM_COUNT; i++) {
		if (fresh->programs[i] < 0 ||
		    kvg_own_is_same_program(set->programs[i], fresh->programs[i]))
			continue;
		r = kvg_pins_replace(set->path, "progs", programs[i].program, fresh->programs[i]);
		if (r < 0)
			break;
		kvg_closep(&set->programs[i]);
		set->programs[i] = KVG_TAKE_FD(fresh->programs[i]);
		renewed++;
	}
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot replace the programs of %s: %s",
				    set->path, strerror(-r));
	return renewed;
}

static void detach_gates(const char *set_path)
{
	KVG_CLEANUP(kvg_freep) char *links = NULL;
	char **gates = NULL;

	if (asprintf(&links, "%s/links", set_path) < 0 || kvg_pins_list_folders(links, &gates) < 0)
		return;
	for (char **gate = gates; *gate; gate++) {
		char folder[64];

		snprintf(folder, sizeof(folder), "links/%s", *gate);
		kvg_pins_detach_links(set_path, folder);
	}
	kvg_set_list_free(gates);
}

int kvg_set_remove(const char *bpffs_dir, const char *name)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	int r = 0;

	if (asprintf(&path, "%s/%s", bpffs_dir, name) < 0)
		return -ENOMEM;
	/* Before Linux 5.19 who has no privilege is told EPERM of what is not there. */
	if (access(path, F_OK) == 0)
		r = kvg_ports_detach(path, 0, NULL);
	if (r < 0 && r != -EPROTO) /* another version's: what is pinned goes below */
		return r;
	detach_gates(path);
	r = kvg_pins_remove_tree(path);
	rmdir(bpffs_dir); /* not empty: others' sets are there */
	return r;
}

int kvg_set_remove_unused(const char *bpffs_dir, const char *name, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *links = NULL;
	char **gates = NULL;
	bool used;
	int r;

	if (asprintf(&links, "%s/%s/links", bpffs_dir, name) < 0)
		return -ENOMEM;
	r = kvg_pins_list_folders(links, &gates);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "%s: %s", links, strerror(-r));
	used = gates[0] != NULL;
	kvg_set_list_free(gates);
	if (used)
		return kvg_diag_set(
			reterr_diag, -EBUSY,
			"%s/%s cannot be read, and a gate hangs on it: kvgate detach it "
			"first",
			bpffs_dir, name);

	r = kvg_set_remove(bpffs_dir, name);
	return r == -ENOENT ? 0 : r;
}

int kvg_set_list(const char *bpffs_dir, char ***ret)
{
	return kvg_pins_list_folders(bpffs_dir, ret);
}

void kvg_set_list_free(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

int kvg_set_lock(const char *bpffs_dir, int *ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_closep) int fd = -1;
	struct stat locked, now;
	int r;

	/* Whoever removes the last set removes the folder: then the lock is on a ghost, once more. */
	do {
		kvg_closep(&fd);
		r = kvg_pins_make_root(bpffs_dir, reterr_diag);
		if (r < 0)
			return r;
		fd = open(bpffs_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &locked) < 0)
			return kvg_diag_set(reterr_diag, -errno, "cannot lock %s: %s", bpffs_dir,
					    strerror(errno));
	} while (fd < 0 || stat(bpffs_dir, &now) < 0 || now.st_ino != locked.st_ino);

	*ret = KVG_TAKE_FD(fd);
	return 0;
}
