// SPDX-License-Identifier: BSD-2-Clause
/* A start: which sets are there, whose are they, and what is in them. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/canary.h"
#include "agent/gates_state.h"
#include "base/cleanup.h"
#include "gate/gate.h"
#include "gate/intake.h"
#include "gate/mend.h"
#include "gate/pins.h"
#include "gate/ports.h"
#include "gate/ports_maps.h"
#include "gate/ports_renew.h"

#define SET_NAME     "agent"
#define SET_NAME_LEN 16

bool kvg_gates_is_set(const char *name)
{
	size_t len = strlen(SET_NAME);

	if (strncmp(name, SET_NAME, len) != 0)
		return false;
	if (!name[len])
		return true;
	if (name[len] != '-' || !name[len + 1])
		return false;
	for (name += len + 1; *name; name++) {
		if (!isdigit((unsigned char)*name))
			return false;
	}
	return true;
}

static int list_links(const struct kvg_gates *gates, const char *set, char ***ret)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	if (asprintf(&path, "%s/%s/links", gates->bpffs_dir, set) < 0)
		return -ENOMEM;
	return kvg_pins_list_folders(path, ret);
}

static bool has_links(const struct kvg_gates *gates, const char *set)
{
	char **folders = NULL;
	bool has;

	if (list_links(gates, set, &folders) < 0)
		return true;
	has = folders[0];
	kvg_set_list_free(folders);
	return has;
}

static void drop_other(struct kvg_gates *gates, const char *name)
{
	for (size_t i = 0; i < gates->others_count; i++) {
		if (strcmp(gates->others[i], name) != 0)
			continue;
		free(gates->others[i]);
		gates->others[i] = gates->others[--gates->others_count];
		return;
	}
}

void kvg_gates_leave_other(struct kvg_gates *gates, const char *set, __u64 cgroup_id)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	if (asprintf(&path, "%s/%s", gates->bpffs_dir, set) < 0) {
		path = NULL;
		return;
	}
	kvg_ports_detach(path, cgroup_id, NULL);
	kvg_gate_remove_links(path, cgroup_id);
	if (!has_links(gates, set) && kvg_set_remove(gates->bpffs_dir, set) == 0)
		drop_other(gates, set);
}

int kvg_gates_take_over(struct kvg_gates *gates, const struct kvg_cgroup *cgroup, const char *other,
			struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", gates->bpffs_dir, other) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = kvg_ports_carry(gates->set, cgroup, path, reterr_diag);
	if (r == 0)
		kvg_gates_leave_other(gates, other, cgroup->id);
	return r;
}

/*
 * An agent without gates, or a hook between opening and its gate: were their set removed, what they put
 * into it later would be a stranger's links to everybody else.
 */
static bool is_used(const struct kvg_gates *gates, const char *name)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_closep) int fd = -1;

	if (asprintf(&path, "%s/%s", gates->bpffs_dir, name) < 0) {
		path = NULL;
		return true;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static int use(struct kvg_gates *gates)
{
	gates->use = open(kvg_set_path(gates->set), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return gates->use < 0 || flock(gates->use, LOCK_SH | LOCK_NB) < 0 ? -errno : 0;
}

/* A set that can be used as it is, with this binary's programs. */
static int open_ours(struct kvg_gates *gates, const char *name)
{
	KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = NULL;
	KVG_CLEANUP(kvg_freep) __u64 *ids = NULL;
	size_t count = 0;
	int r = kvg_set_open(gates->bpffs_dir, name, &set, NULL);

	if (r == 0)
		r = kvg_gate_list(set, &ids, &count);
	/* Without a gate it does not say whose layout it has; who uses it now does know. */
	if (r == 0 && !count && !is_used(gates, name))
		r = -EPROTO;
	if (r == 0)
		r = kvg_set_renew(set, NULL);
	if (r >= 0)
		r = kvg_ports_maps_renew(set, NULL);
	if (r < 0)
		return r;
	gates->set = KVG_TAKE_PTR(set);
	return 0;
}

static int add_other(struct kvg_gates *gates, const char *name)
{
	char **more = reallocarray(gates->others, gates->others_count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	gates->others = more;
	more[gates->others_count] = strdup(name);
	if (!more[gates->others_count])
		return -ENOMEM;
	gates->others_count++;
	return 0;
}

static int sort_sets(struct kvg_gates *gates)
{
	char **names = NULL;
	int r = kvg_set_list(gates->bpffs_dir, &names);

	for (char **name = names; r == 0 && *name; name++) {
		if (!kvg_gates_is_set(*name) || (!gates->set && open_ours(gates, *name) == 0))
			continue;
		if (has_links(gates, *name) || is_used(gates, *name))
			r = add_other(gates, *name);
		else
			kvg_set_remove(gates->bpffs_dir, *name); /* half made, or half removed */
	}
	kvg_set_list_free(names);
	return r;
}

static bool is_free(const struct kvg_gates *gates, const char *name)
{
	for (size_t i = 0; i < gates->others_count; i++) {
		if (strcmp(gates->others[i], name) == 0)
			return false;
	}
	return true;
}

/* Opened again from its pins: what the loading took is freed. */
static int make_set(struct kvg_gates *gates, struct kvg_diag *reterr_diag)
{
	const char *other = gates->others_count ? gates->others[0] : NULL;
	char name[SET_NAME_LEN] = SET_NAME;
	struct kvg_set *made = NULL;
	int r;

	for (unsigned int i = 1; !is_free(gates, name); i++)
		snprintf(name, sizeof(name), "%s-%u", SET_NAME, i);
	r = kvg_set_create_beside(gates->bpffs_dir, name, other, &made, reterr_diag);
	if (r == 0)
		kvg_set_close(made);
	return r < 0 ? r : kvg_set_open(gates->bpffs_dir, name, &gates->set, reterr_diag);
}

int kvg_gates_adopt_gate(struct kvg_gates *gates, __u64 cgroup_id)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct kvg_gates_entry *entry;
	struct kvg_gate_info info;
	struct kvg_gate gate = {0};
	int r = kvg_gate_read(gates->set, cgroup_id, NULL, &info);

	if (r == 0)
		r = kvg_cgroup_find_by_id(gates->root, cgroup_id, &path);
	if (r < 0)
		return r;
	entry = kvg_gates_add(gates, path, cgroup_id, kvg_set_name(gates->set));
	info.profile[sizeof(info.profile) - 1] = '\0';
	if (!entry || kvg_gates_name(entry, info.profile) < 0)
		return -ENOMEM;
	if (kvg_gate_read(gates->set, cgroup_id, &gate, NULL) < 0)
		return 0; /* killed before it had an entry */
	entry->generation = gate.generation;
	entry->policy_missing = !gate.slot;
	if (!gate.slot || memcmp(&gate.policy_id, info.digest, sizeof(gate.policy_id)) != 0)
		return 0;
	memcpy(entry->digest, info.digest, sizeof(entry->digest));
	return kvg_gates_adopt_policy(gates, &gate, info.digest);
}

/* What cannot be mended is found again, and said, by the first round of the check. */
static void mend_gate(struct kvg_gates *gates, __u64 cgroup_id)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;
	const struct kvg_gates_entry *entry = kvg_gates_find(gates, cgroup_id);

	if (entry && kvg_gates_open_cgroup(gates, entry, &cgroup) == 0)
		kvg_mend(gates->set, &cgroup, NULL);
	kvg_ports_mend(gates->set, cgroup_id, NULL);
}

/* Links without a name: a canary's, or what was being removed. */
static int remove_nameless(struct kvg_gates *gates)
{
	char **folders = NULL;
	int r = list_links(gates, kvg_set_name(gates->set), &folders);

	for (char **folder = folders; r == 0 && *folder; folder++) {
		__u64 id = strtoull(*folder, NULL, 10);

		if (!kvg_gates_find(gates, id))
			kvg_gate_remove_links(kvg_set_path(gates->set), id);
	}
	kvg_set_list_free(folders);
	return r;
}

static int adopt_ours(struct kvg_gates *gates)
{
	KVG_CLEANUP(kvg_freep) __u64 *ids = NULL;
	size_t count = 0;
	int r = kvg_gate_list(gates->set, &ids, &count);

	for (size_t i = 0; r == 0 && i < count; i++) {
		r = kvg_gates_adopt_gate(gates, ids[i]);
		if (r == 0) {
			mend_gate(gates, ids[i]);
		} else if (r == -ESTALE || r == -ENOENT) {
			r = 0;
			if (gates->keep_names) /* they go with kvg_gates_find_new() */
				kvg_gate_retire(gates->set, ids[i], NULL);
			else
				kvg_gate_remove(gates->set, ids[i], NULL);
		}
	}
	return r < 0 ? r : remove_nameless(gates);
}

static void read_others_info(const struct kvg_gates *gates, struct kvg_gates_entry *entry)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct kvg_gate_info info;

	if (asprintf(&path, "%s/%s", gates->bpffs_dir, entry->set) < 0 ||
	    kvg_gate_read_other(path, entry->cgroup_id, &info) < 0)
		return;
	memcpy(entry->digest, info.digest, sizeof(entry->digest));
	kvg_gates_name(entry, info.profile);
}

/* An agent was killed between the two sets. What cannot be carried over stays as it is, in force. */
static void finish(struct kvg_gates *gates, const struct kvg_gates_entry *entry, const char *other)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;

	if (kvg_gates_open_cgroup(gates, entry, &cgroup) == 0)
		kvg_gates_take_over(gates, &cgroup, other, NULL);
}

static int adopt_others_gate(struct kvg_gates *gates, const char *set, __u64 cgroup_id)
{
	struct kvg_gates_entry *entry = kvg_gates_find(gates, cgroup_id);
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	if (kvg_cgroup_find_by_id(gates->root, cgroup_id, &path) < 0 || kvg_canary_is(path)) {
		kvg_gates_leave_other(gates, set, cgroup_id);
		return 0;
	}
	if (entry) {
		finish(gates, entry, set);
		return 0;
	}
	entry = kvg_gates_add(gates, path, cgroup_id, set);
	if (!entry)
		return -ENOMEM;
	read_others_info(gates, entry);
	return 0;
}

static int adopt_other(struct kvg_gates *gates, const char *set)
{
	char **folders = NULL;
	int r = list_links(gates, set, &folders);

	for (char **folder = folders; r == 0 && *folder; folder++)
		r = adopt_others_gate(gates, set, strtoull(*folder, NULL, 10));
	kvg_set_list_free(folders);
	return r;
}

int kvg_gates_adopt(struct kvg_gates *gates, struct kvg_diag *reterr_diag)
{
	int r = sort_sets(gates);

	if (r == 0 && !gates->set)
		r = make_set(gates, reterr_diag);
	if (r == 0)
		r = use(gates);
	if (r == 0)
		r = kvg_intake_count(gates->set);
	if (r == 0)
		r = adopt_ours(gates);
	for (size_t i = gates->others_count; r == 0 && i-- > 0;)
		r = adopt_other(gates, gates->others[i]);
	if (r < 0 && reterr_diag && !reterr_diag->msg[0])
		kvg_diag_set(reterr_diag, r, "the gates in %s cannot be taken over: %s",
			     gates->bpffs_dir, strerror(-r));
	return r;
}

int kvg_gates_find_new(struct kvg_gates *gates)
{
	KVG_CLEANUP(kvg_freep) __u64 *ids = NULL;
	size_t count = 0;
	int r = kvg_gate_list(gates->set, &ids, &count);

	for (size_t i = 0; r == 0 && i < count; i++) {
		if (!kvg_gates_find(gates, ids[i]) &&
		    kvg_gates_adopt_gate(gates, ids[i]) == -ESTALE)
			kvg_gate_remove(gates->set, ids[i], NULL);
	}
	return r;
}

int kvg_gates_forget_gone(struct kvg_gates *gates)
{
	KVG_CLEANUP(kvg_closep) int lock = -1;
	int r = kvg_gates_take_lock(gates, &lock, NULL);

	return r < 0 ? r : kvg_gates_find_new(gates);
}
