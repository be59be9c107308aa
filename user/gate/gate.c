// SPDX-License-Identifier: BSD-2-Clause
#include "gate/gate.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/counters.h"
#include "gate/intake.h"
#include "gate/mend.h"
#include "gate/pins.h"
#include "gate/ports.h"
#include "gate/slots.h"
#include "kvg_policy.h"

#define LINKS_FOLDER_LEN 40 /* "links/" and a 64-bit number */

static void links_folder(__u64 cgroup_id, char ret[LINKS_FOLDER_LEN])
{
	snprintf(ret, LINKS_FOLDER_LEN, "links/%llu", (unsigned long long)cgroup_id);
}

/*
 * Detached first: when a pin goes, the kernel frees its link some time later, and a program that is
 * still in force when the command has ended surprises whoever ran it.
 */
void kvg_gate_remove_links(const char *set_path, __u64 cgroup_id)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	char folder[LINKS_FOLDER_LEN];

	links_folder(cgroup_id, folder);
	kvg_pins_detach_links(set_path, folder);
	if (asprintf(&path, "%s/%s", set_path, folder) >= 0)
		kvg_pins_remove_tree(path);
}

static int refuse_attach(int error, const char *label, const struct kvg_cgroup *cgroup,
			 struct kvg_diag *reterr_diag)
{
	if (error == -EPERM)
		return kvg_diag_set(
			reterr_diag, error,
			"the kernel refuses the %s program on cgroup \"%s\": CAP_NET_ADMIN is "
			"missing, or another program there allows none beside it (bpftool cgroup "
			"show); nothing is attached",
			label, cgroup->path);
	return kvg_diag_set(
		reterr_diag, error,
		"the kernel refuses the %s program on cgroup \"%s\": %s; nothing is attached",
		label, cgroup->path, strerror(-error));
}

static int attach_program(struct kvg_set *set, const struct kvg_cgroup *cgroup,
			  enum kvg_program which, struct kvg_diag *reterr_diag)
{
	const struct kvg_program_row *row = &kvg_programs()[which];
	KVG_CLEANUP(kvg_closep) int link = -1;
	char folder[LINKS_FOLDER_LEN];
	int r;

	link = bpf_link_create(kvg_set_program(set, which), cgroup->fd, row->type, NULL);
	if (link < 0 && !row->required)
		return 0; /* this kernel has none of it, or no place left; status says so */
	if (link < 0)
		return refuse_attach(-errno, row->label, cgroup, reterr_diag);

	links_folder(cgroup->id, folder);
	r = kvg_pins_put(kvg_set_path(set), folder, row->label, link);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot pin %s/%s/%s: %s", kvg_set_path(set),
				    folder, row->label, strerror(-r));
	return 0;
}

bool kvg_gate_has(const struct kvg_set *set, __u64 cgroup_id, enum kvg_program which)
{
	KVG_CLEANUP(kvg_closep) int link = -1;
	char folder[LINKS_FOLDER_LEN];

	links_folder(cgroup_id, folder);
	link = kvg_pins_get(kvg_set_path(set), folder, kvg_programs()[which].label);
	return link >= 0;
}

static void set_info(const struct kvg_policy *policy, struct kvg_gate_info *ret)
{
	memcpy(ret->digest, policy->digest, sizeof(ret->digest));
	memset(ret->profile, 0, sizeof(ret->profile));
	snprintf(ret->profile, sizeof(ret->profile), "%s", policy->profile);
}

static int put_info(struct kvg_set *set, __u64 cgroup_id, const struct kvg_gate_info *info)
{
	return bpf_map_update_elem(kvg_set_map(set, KVG_MAP_INFOS), &cgroup_id, info, BPF_ANY) < 0
		       ? -errno
		       : 0;
}

int kvg_gate_tell(struct kvg_set *set, const struct kvg_gate *gate)
{
	return bpf_map_update_elem(kvg_set_map(set, KVG_MAP_GATES), &gate->cgroup_id, gate,
				   BPF_ANY) < 0
		       ? -errno
		       : 0;
}

/*
 * The first program brings the storage into being, as zeroes, and then it can be told. A cgroup that was
 * gated before has it still, with what it was told last.
 */
static int attach_all(struct kvg_set *set, const struct kvg_cgroup *cgroup,
		      const struct kvg_gate *gate, struct kvg_diag *reterr_diag)
{
	int r = kvg_gate_tell(set, gate);
	bool is_told = r == 0;

	if (r == -ENOENT)
		r = 0;
	for (int i = 0; r == 0 && i < KVG_PROGRAM_COUNT; i++) {
		r = attach_program(set, cgroup, i, reterr_diag);
		if (r < 0)
			return r;
		if (!is_told)
			r = kvg_gate_tell(set, gate);
		is_told = true;
	}
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot put the policy in force: %s",
				    strerror(-r));
	return 0;
}

static void *count_flows(void *set)
{
	return (void *)(long)kvg_intake_count(set);
}

/* The policy's tries and the table of counts: each waits for a grace period, so side by side. */
static int fill(struct kvg_set *set, const struct kvg_policy *policy, __u32 *ret_slot,
		struct kvg_diag *reterr_diag)
{
	void *counted = NULL;
	pthread_t thread;
	int r;

	if (pthread_create(&thread, NULL, count_flows, set) != 0)
		return kvg_diag_set(reterr_diag, -EAGAIN, "cannot start a thread");
	r = kvg_slots_fill(set, policy, ret_slot, reterr_diag);
	pthread_join(thread, &counted);
	if (r == 0 && counted)
		return kvg_diag_set(reterr_diag, (int)(long)counted,
				    "refused flows cannot be counted: %s",
				    strerror(-(int)(long)counted));
	return r;
}

static int check_kernel(struct kvg_diag *reterr_diag)
{
	if (kvg_cgroup_is_moved_by_v1())
		return kvg_diag_set(
			reterr_diag, -EOPNOTSUPP,
			"cgroup v1's net_cls or net_prio is mounted, and before Linux 5.15 they "
			"take sockets out of their v2 cgroup: a gate would not hold them");
	return 0;
}

int kvg_gate_attach_by(struct kvg_set *set, const struct kvg_cgroup *cgroup,
		       const struct kvg_gate *gate, struct kvg_gate_info *info,
		       struct kvg_diag *reterr_diag)
{
	int r = check_kernel(reterr_diag);

	if (r < 0)
		return r;
	info->abi = KVG_ABI;
	memset(info->cgroup, 0, sizeof(info->cgroup));
	snprintf(info->cgroup, sizeof(info->cgroup), "%s", cgroup->path);
	r = put_info(set, cgroup->id, info);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "no room for another gate: %s", strerror(-r));
	r = attach_all(set, cgroup, gate, reterr_diag);
	if (r < 0) {
		kvg_gate_remove_links(kvg_set_path(set), cgroup->id);
		bpf_map_delete_elem(kvg_set_map(set, KVG_MAP_INFOS), &cgroup->id);
	}
	return r;
}

int kvg_gate_attach(struct kvg_set *set, const struct kvg_cgroup *cgroup,
		    const struct kvg_policy *policy, __u32 run_pid, struct kvg_diag *reterr_diag)
{
	struct kvg_gate_info info = {.run_pid = run_pid};
	struct kvg_gate gate;
	__u32 slot = 0;
	int r = check_kernel(reterr_diag);

	if (r == 0)
		r = fill(set, policy, &slot, reterr_diag);
	if (r == 0) {
		set_info(policy, &info);
		kvg_policy_gate(policy, cgroup->id, slot, 1, &gate);
		r = kvg_gate_attach_by(set, cgroup, &gate, &info, reterr_diag);
	}
	if (r < 0 && slot)
		kvg_slots_clear(set, slot);
	return r;
}

/* The cgroup's entry comes last: a generation that was in force is never used for another policy. */
int kvg_gate_flip(struct kvg_set *set, const struct kvg_gate *gate,
		  const struct kvg_gate_info *info, struct kvg_diag *reterr_diag)
{
	struct kvg_gate_info old_info;
	struct kvg_gate old;
	int r = kvg_gate_read(set, gate->cgroup_id, &old, &old_info);

	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the gate cannot be read: %s", strerror(-r));
	r = kvg_ports_flip(set, gate, reterr_diag);
	if (r < 0)
		return r;
	r = put_info(set, gate->cgroup_id, info);
	if (r == 0)
		r = kvg_gate_tell(set, gate);
	if (r == 0)
		return 0;
	kvg_ports_flip(set, &old, NULL);
	put_info(set, gate->cgroup_id, &old_info);
	return kvg_diag_set(reterr_diag, r, "cannot put the policy in force: %s", strerror(-r));
}

int kvg_gate_restore(struct kvg_set *set, const struct kvg_cgroup *cgroup,
		     const struct kvg_gate *gate, const struct kvg_gate_info *info,
		     struct kvg_diag *reterr_diag)
{
	int r = put_info(set, cgroup->id, info);

	if (r == 0)
		r = kvg_gate_tell(set, gate);
	if (r < 0 && r != -ENOENT)
		return kvg_diag_set(reterr_diag, r, "no room for another gate: %s", strerror(-r));
	r = kvg_mend(set, cgroup, reterr_diag);
	if (r >= 0)
		r = kvg_gate_tell(set, gate);
	return r;
}

int kvg_gate_replace(struct kvg_set *set, __u64 cgroup_id, const struct kvg_policy *policy,
		     struct kvg_diag *reterr_diag)
{
	struct kvg_gate_info info;
	struct kvg_gate old, gate;
	__u32 slot;
	int r;

	r = kvg_gate_read(set, cgroup_id, &old, &info);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the gate cannot be read: %s", strerror(-r));
	r = kvg_slots_fill(set, policy, &slot, reterr_diag);
	if (r < 0)
		return r;

	kvg_policy_gate(policy, cgroup_id, slot, old.generation + 1, &gate);
	set_info(policy, &info);
	r = kvg_gate_flip(set, &gate, &info, reterr_diag);
	if (r < 0)
		kvg_slots_clear(set, slot);
	return r;
}

int kvg_gate_retire(struct kvg_set *set, __u64 cgroup_id, struct kvg_diag *reterr_diag)
{
	const struct kvg_gate nothing = {.cgroup_id = cgroup_id};
	int r = kvg_ports_detach(kvg_set_path(set), cgroup_id, reterr_diag);

	if (r < 0)
		return r;
	kvg_gate_remove_links(kvg_set_path(set), cgroup_id);
	kvg_gate_tell(set, &nothing); /* the storage lives as long as its cgroup */
	bpf_map_delete_elem(kvg_set_map(set, KVG_MAP_HEARING), &cgroup_id);
	return 0;
}

int kvg_gate_remove(struct kvg_set *set, __u64 cgroup_id, struct kvg_diag *reterr_diag)
{
	int r = kvg_gate_retire(set, cgroup_id, reterr_diag);

	if (r == 0)
		bpf_map_delete_elem(kvg_set_map(set, KVG_MAP_INFOS), &cgroup_id);
	return r;
}

int kvg_gate_detach(struct kvg_set *set, __u64 cgroup_id, struct kvg_diag *reterr_diag)
{
	struct kvg_gate gate = {};
	int found = kvg_gate_read(set, cgroup_id, &gate, NULL);
	int r = kvg_gate_remove(set, cgroup_id, reterr_diag);

	if (r == 0 && found == 0 && gate.slot && !kvg_slots_is_named(set, gate.slot))
		kvg_slots_clear(set, gate.slot);
	return r;
}

int kvg_gate_list(const struct kvg_set *set, __u64 **ret, size_t *ret_count)
{
	KVG_CLEANUP(kvg_freep) __u64 *ids = calloc(KVG_GATES_MAX, sizeof(*ids));
	int map = kvg_set_map(set, KVG_MAP_INFOS);
	size_t count = 0;

	if (!ids)
		return -ENOMEM;
	while (count < KVG_GATES_MAX &&
	       bpf_map_get_next_key(map, count ? &ids[count - 1] : NULL, &ids[count]) == 0)
		count++;
	if (count < KVG_GATES_MAX && errno != ENOENT)
		return -errno;

	*ret = KVG_TAKE_PTR(ids);
	*ret_count = count;
	return 0;
}

int kvg_gate_read(const struct kvg_set *set, __u64 cgroup_id, struct kvg_gate *ret_gate,
		  struct kvg_gate_info *ret_info)
{
	if (ret_info &&
	    bpf_map_lookup_elem(kvg_set_map(set, KVG_MAP_INFOS), &cgroup_id, ret_info) < 0)
		return -errno;
	if (ret_gate &&
	    bpf_map_lookup_elem(kvg_set_map(set, KVG_MAP_GATES), &cgroup_id, ret_gate) < 0)
		return -errno;
	return 0;
}

int kvg_gate_read_other(const char *set_path, __u64 cgroup_id, struct kvg_gate_info *ret)
{
	KVG_CLEANUP(kvg_closep) int map = kvg_pins_get(set_path, "maps", "kvg_infos");
	KVG_CLEANUP(kvg_freep) void *value = NULL;
	struct bpf_map_info shape = {};
	__u32 size = sizeof(shape);

	if (map < 0)
		return map;
	if (bpf_obj_get_info_by_fd(map, &shape, &size) < 0)
		return -errno;
	if (shape.key_size != sizeof(cgroup_id) ||
	    shape.value_size < offsetof(struct kvg_gate_info, cgroup))
		return -EPROTO;
	value = malloc(shape.value_size);
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(map, &cgroup_id, value) < 0)
		return -errno;
	*ret = (struct kvg_gate_info){0};
	memcpy(ret, value, offsetof(struct kvg_gate_info, cgroup));
	ret->profile[sizeof(ret->profile) - 1] = '\0';
	return 0;
}

int kvg_gate_read_counters(const struct kvg_set *set, __u64 cgroup_id, struct kvg_counters *ret)
{
	return kvg_counters_read(kvg_set_map(set, KVG_MAP_COUNTS), &cgroup_id, ret);
}

int kvg_gate_find(const char *bpffs_dir, __u64 cgroup_id, struct kvg_set **ret,
		  struct kvg_diag *reterr_diag)
{
	char **names = NULL;
	int r;

	r = kvg_set_list(bpffs_dir, &names);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "%s: %s", bpffs_dir, strerror(-r));

	r = -ENOENT;
	for (char **name = names; *name && r == -ENOENT; name++) {
		KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = NULL;
		struct kvg_gate_info info;

		if (kvg_set_open(bpffs_dir, *name, &set, NULL) < 0 ||
		    kvg_gate_read(set, cgroup_id, NULL, &info) < 0)
			continue;
		*ret = KVG_TAKE_PTR(set);
		r = 0;
	}
	kvg_set_list_free(names);
	if (r < 0)
		kvg_diag_set(reterr_diag, r, "no gate on this cgroup");
	return r;
}

static bool set_has_policy(const struct kvg_set *set, const __u8 digest[32])
{
	KVG_CLEANUP(kvg_freep) __u64 *ids = NULL;
	size_t count = 0;

	if (kvg_gate_list(set, &ids, &count) < 0)
		return true;
	for (size_t i = 0; i < count; i++) {
		struct kvg_gate_info info;

		if (kvg_gate_read(set, ids[i], NULL, &info) == 0 &&
		    memcmp(info.digest, digest, sizeof(info.digest)) == 0)
			return true;
	}
	return false;
}

bool kvg_gate_is_policy_used(const char *bpffs_dir, const __u8 digest[32])
{
	char **names = NULL;
	bool used = false;

	if (kvg_set_list(bpffs_dir, &names) < 0)
		return true;
	for (char **name = names; *name && !used; name++) {
		KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = NULL;

		used = kvg_set_open(bpffs_dir, *name, &set, NULL) < 0 ||
		       set_has_policy(set, digest);
	}
	kvg_set_list_free(names);
	return used;
}
