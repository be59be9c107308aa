// SPDX-License-Identifier: BSD-2-Clause
#include "agent/gates.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/canary.h"
#include "agent/gates_state.h"
#include "base/cleanup.h"
#include "gate/gate.h"
#include "gate/mend.h"
#include "gate/reclaim.h"
#include "gate/sockets.h"

/* What kvg_gates_tidy() spends on gates that are gone, and on connections: the loop has other things to do. */
#define TIDY_MS 10

int kvg_gates_compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == '/' || *b == '/')
		return *a == '/' ? *b != '\0' ? -1 : 1 : *a != '\0' ? 1 : -1;
	return (unsigned char)*a - (unsigned char)*b;
}

struct kvg_gates_entry *kvg_gates_find(const struct kvg_gates *gates, __u64 cgroup_id)
{
	for (size_t i = 0; i < gates->entries_count; i++) {
		if (gates->entries[i].cgroup_id == cgroup_id)
			return &gates->entries[i];
	}
	return NULL;
}

int kvg_gates_name(struct kvg_gates_entry *entry, const char *profile)
{
	char *copy;

	if (entry->profile && strcmp(entry->profile, profile) == 0)
		return 0;
	copy = strdup(profile);
	if (!copy)
		return -ENOMEM;
	free(entry->profile);
	entry->profile = copy;
	return 0;
}

/* 0, or what the gate's entry says already, where it cannot be read. */
static __u64 read_allowed(const struct kvg_gates *gates, const struct kvg_gates_entry *entry)
{
	struct kvg_counters counters;

	if (!gates->totals || kvg_gates_is_other(gates, entry) ||
	    kvg_gate_read_counters(gates->set, entry->cgroup_id, &counters) < 0)
		return entry->allowed;
	return counters.allowed;
}

struct kvg_gates_entry *kvg_gates_add(struct kvg_gates *gates, const char *cgroup, __u64 cgroup_id,
				      const char *set)
{
	KVG_CLEANUP(kvg_freep) char *profile = strdup("");
	KVG_CLEANUP(kvg_freep) char *path = strdup(cgroup);
	struct kvg_gates_entry *more;
	size_t at = 0;

	more = reallocarray(gates->entries, gates->entries_count + 1, sizeof(*more));
	if (more)
		gates->entries = more;
	if (!more || !profile || !path)
		return NULL;

	while (at < gates->entries_count && kvg_gates_compare_paths(more[at].cgroup, cgroup) < 0)
		at++;
	memmove(&more[at + 1], &more[at], (gates->entries_count - at) * sizeof(*more));
	gates->entries_count++;
	more[at] = (struct kvg_gates_entry){
		.cgroup_id = cgroup_id,
		.cgroup = KVG_TAKE_PTR(path),
		.profile = KVG_TAKE_PTR(profile),
		.set = set,
	};
	/* Counted by an agent before, or by a gate before on the same cgroup. */
	more[at].allowed = read_allowed(gates, &more[at]);
	return &more[at];
}

void kvg_gates_count_one(struct kvg_gates *gates, struct kvg_gates_entry *entry)
{
	__u64 allowed = read_allowed(gates, entry);

	if (allowed > entry->allowed)
		kvg_totals_row(gates->totals, entry->profile)->allowed += allowed - entry->allowed;
	entry->allowed = allowed;
}

void kvg_gates_count(struct kvg_gates *gates)
{
	for (size_t i = 0; i < gates->entries_count; i++)
		kvg_gates_count_one(gates, &gates->entries[i]);
}

static void free_entry(struct kvg_gates_entry *entry)
{
	free(entry->cgroup);
	free(entry->profile);
}

void kvg_gates_drop(struct kvg_gates *gates, struct kvg_gates_entry *entry)
{
	size_t at = entry - gates->entries;

	free_entry(entry);
	gates->entries_count--;
	memmove(entry, entry + 1, (gates->entries_count - at) * sizeof(*entry));
}

bool kvg_gates_is_other(const struct kvg_gates *gates, const struct kvg_gates_entry *entry)
{
	return strcmp(entry->set, kvg_set_name(gates->set)) != 0;
}

int kvg_gates_open_cgroup(const struct kvg_gates *gates, const struct kvg_gates_entry *entry,
			  struct kvg_cgroup *ret)
{
	return kvg_cgroup_open_known(gates->root, entry->cgroup, entry->cgroup_id, ret);
}

int kvg_gates_take_lock(const struct kvg_gates *gates, int *ret, struct kvg_diag *reterr_diag)
{
	return kvg_set_lock(gates->bpffs_dir, ret, reterr_diag);
}

int kvg_gates_open(const struct kvg_gates_options *options, struct kvg_gates **ret,
		   struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_gates_closep) struct kvg_gates *gates = calloc(1, sizeof(*gates));
	KVG_CLEANUP(kvg_closep) int lock = -1;
	int r;

	if (!gates)
		return -ENOMEM;
	gates->use = -1;
	gates->totals = options->totals;
	gates->keep_names = options->keep_names;
	gates->bpffs_dir = strdup(options->bpffs_dir);
	gates->root = strdup(options->cgroup_root);
	if (!gates->bpffs_dir || !gates->root)
		return -ENOMEM;
	r = kvg_gates_take_lock(gates, &lock, reterr_diag);
	if (r == 0)
		r = kvg_gates_adopt(gates, reterr_diag);
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(gates);
	return 0;
}

struct kvg_gates *kvg_gates_close(struct kvg_gates *gates)
{
	if (!gates)
		return NULL;
	for (size_t i = 0; i < gates->entries_count; i++)
		free_entry(&gates->entries[i]);
	for (size_t i = 0; i < gates->policies_count; i++)
		kvg_gates_free_policy(gates->policies[i]);
	for (size_t i = 0; i < gates->profiles_count; i++)
		free(gates->profiles[i].name);
	for (size_t i = 0; i < gates->others_count; i++)
		free(gates->others[i]);
	free(gates->entries);
	free(gates->policies);
	free(gates->profiles);
	free(gates->others);
	kvg_reclaim_close(gates->reclaim);
	kvg_set_close(gates->set);
	kvg_closep(&gates->use);
	free(gates->bpffs_dir);
	free(gates->root);
	free(gates);
	return NULL;
}

void kvg_gates_closep(struct kvg_gates **gates)
{
	*gates = kvg_gates_close(*gates);
}

struct kvg_set *kvg_gates_set(const struct kvg_gates *gates)
{
	return gates->set;
}

size_t kvg_gates_list(const struct kvg_gates *gates, const struct kvg_gates_entry **ret)
{
	*ret = gates->entries;
	return gates->entries_count;
}

int kvg_gates_remove_all(struct kvg_gates *gates, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_closep) int lock = -1;
	int r = kvg_gates_take_lock(gates, &lock, reterr_diag);

	if (r < 0)
		return r;
	r = kvg_set_remove(gates->bpffs_dir, kvg_set_name(gates->set));
	for (size_t i = 0; r == 0 && i < gates->others_count; i++)
		r = kvg_set_remove(gates->bpffs_dir, gates->others[i]);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the gates cannot be removed from %s: %s",
				    gates->bpffs_dir, strerror(-r));
	while (gates->entries_count)
		kvg_gates_drop(gates, gates->entries);
	return 0;
}

/* What the kernel's entry and name shall be; the generation is still 0. */
static int find_wanted(struct kvg_gates *gates, const struct kvg_gates_entry *entry,
		       struct kvg_gate *ret_gate, struct kvg_gate_info *ret_info)
{
	const struct kvg_gates_profile *profile = kvg_gates_profile(gates, entry->profile);
	const struct kvg_gates_policy *policy;

	if (!profile)
		return -ENOMEM;
	policy = profile->policy;
	*ret_gate = policy ? policy->gate : (struct kvg_gate){0};
	ret_gate->cgroup_id = entry->cgroup_id;
	*ret_info = (struct kvg_gate_info){.abi = KVG_ABI};
	if (policy)
		memcpy(ret_info->digest, policy->digest, sizeof(ret_info->digest));
	snprintf(ret_info->profile, sizeof(ret_info->profile), "%s", entry->profile);
	snprintf(ret_info->cgroup, sizeof(ret_info->cgroup), "%s", entry->cgroup);
	return 0;
}

static void note(struct kvg_gates *gates, struct kvg_gates_entry *entry,
		 const struct kvg_gate *gate, const struct kvg_gate_info *info)
{
	if (gates->reclaim)
		kvg_reclaim_touch(gates->reclaim, gate->slot);
	entry->generation = gate->generation;
	memcpy(entry->digest, info->digest, sizeof(entry->digest));
	entry->policy_missing = !gate->slot;
}

/* From a set of another version into ours; both are in force in between. */
static int move(struct kvg_gates *gates, struct kvg_gates_entry *entry, struct kvg_gate *gate,
		struct kvg_gate_info *info, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;
	int r = kvg_gates_open_cgroup(gates, entry, &cgroup);

	if (r == -ENOENT || r == -ESTALE)
		return 0; /* gone; so will the gate be */
	gate->generation = 1;
	if (r == 0)
		r = kvg_gate_attach_by(gates->set, &cgroup, gate, info, reterr_diag);
	if (r < 0)
		return r;
	r = kvg_gates_take_over(gates, &cgroup, entry->set, reterr_diag);
	if (r < 0) {
		kvg_gate_remove(gates->set, entry->cgroup_id, NULL);
		return r;
	}
	entry->set = kvg_set_name(gates->set);
	note(gates, entry, gate, info);
	return 1;
}

/* The kernel lost its entry or its name, but the links may be there. */
static int restore(struct kvg_gates *gates, struct kvg_gates_entry *entry, struct kvg_gate *gate,
		   struct kvg_gate_info *info, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;
	int r = kvg_gates_open_cgroup(gates, entry, &cgroup);

	if (r == -ENOENT || r == -ESTALE)
		return 0;
	gate->generation = entry->generation + 1;
	if (r == 0)
		r = kvg_gate_restore(gates->set, &cgroup, gate, info, reterr_diag);
	if (r < 0)
		return r;
	note(gates, entry, gate, info);
	return 1;
}

int kvg_gates_apply(struct kvg_gates *gates, struct kvg_gates_entry *entry,
		    struct kvg_diag *reterr_diag)
{
	struct kvg_gate_info info, old_info;
	struct kvg_gate gate, old;
	int r = find_wanted(gates, entry, &gate, &info);

	if (r < 0)
		return r;
	if (kvg_gates_is_other(gates, entry)) {
		entry->policy_missing = !gate.slot;
		return gate.slot ? move(gates, entry, &gate, &info, reterr_diag) : 0;
	}
	r = kvg_gate_read(gates->set, entry->cgroup_id, &old, &old_info);
	if (r == -ENOENT)
		return restore(gates, entry, &gate, &info, reterr_diag);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the gate of \"%s\" cannot be read: %s",
				    entry->cgroup, strerror(-r));
	gate.generation = old.generation;
	if (memcmp(&gate, &old, sizeof(gate)) == 0 && memcmp(&info, &old_info, sizeof(info)) == 0) {
		note(gates, entry, &gate, &info);
		return 0;
	}
	gate.generation++;
	r = kvg_gate_flip(gates->set, &gate, &info, reterr_diag);
	if (r < 0)
		return r;
	entry->changed = true;
	note(gates, entry, &gate, &info);
	return 1;
}

static int attach(struct kvg_gates *gates, const struct kvg_cgroup *cgroup, const char *profile,
		  struct kvg_diag *reterr_diag)
{
	struct kvg_gates_entry *entry =
		kvg_gates_add(gates, cgroup->path, cgroup->id, kvg_set_name(gates->set));
	struct kvg_gate_info info;
	struct kvg_gate gate;
	int r;

	if (!entry)
		return -ENOMEM;
	r = kvg_gates_name(entry, profile);
	if (r == 0)
		r = find_wanted(gates, entry, &gate, &info);
	gate.generation = 1;
	if (r == 0)
		r = kvg_gate_attach_by(gates->set, cgroup, &gate, &info, reterr_diag);
	if (r < 0)
		kvg_gates_drop(gates, entry);
	else
		note(gates, entry, &gate, &info);
	return r;
}

static int put(struct kvg_gates *gates, const struct kvg_cgroup *cgroup, const char *name,
	       struct kvg_diag *reterr_diag)
{
	struct kvg_gates_profile *profile = kvg_gates_profile(gates, name);
	struct kvg_gates_entry *entry;
	int r = profile ? 0 : -ENOMEM;

	if (r == 0 && profile->policy && !kvg_gates_is_there(gates, profile->policy))
		r = kvg_gates_fill(gates, profile->policy, reterr_diag);
	if (r < 0)
		return r;
	entry = kvg_gates_find(gates, cgroup->id);
	if (!entry && kvg_gates_adopt_gate(gates, cgroup->id) == 0)
		entry = kvg_gates_find(gates, cgroup->id);
	if (!entry)
		return attach(gates, cgroup, name, reterr_diag);
	kvg_gates_count_one(gates, entry);
	r = kvg_gates_name(entry, name);
	if (r == 0)
		r = kvg_gates_apply(gates, entry, reterr_diag);
	return r < 0 ? r : 0;
}

int kvg_gates_put_locked(struct kvg_gates *gates, const char *cgroup, const char *profile,
			 struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup opened = KVG_CGROUP_NONE;
	int r;

	if (kvg_canary_is(cgroup))
		return kvg_diag_set(reterr_diag, -ELOOP,
				    "refusing to gate \"%s\": it is kvgate's own", cgroup);
	r = kvg_cgroup_open(gates->root, cgroup, &opened, reterr_diag);
	return r < 0 ? r : put(gates, &opened, profile, reterr_diag);
}

int kvg_gates_put(struct kvg_gates *gates, const char *cgroup, const char *profile,
		  struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_closep) int lock = -1;
	int r = kvg_gates_take_lock(gates, &lock, reterr_diag);

	return r < 0 ? r : kvg_gates_put_locked(gates, cgroup, profile, reterr_diag);
}

int kvg_gates_take_away(struct kvg_gates *gates, struct kvg_gates_entry *entry,
			struct kvg_diag *reterr_diag)
{
	int r = 0;

	kvg_gates_count_one(gates, entry);
	if (kvg_gates_is_other(gates, entry))
		kvg_gates_leave_other(gates, entry->set, entry->cgroup_id);
	else
		r = kvg_gate_remove(gates->set, entry->cgroup_id, reterr_diag);
	if (r == 0)
		kvg_gates_drop(gates, entry);
	return r;
}

int kvg_gates_remove(struct kvg_gates *gates, __u64 cgroup_id, struct kvg_diag *reterr_diag)
{
	struct kvg_gates_entry *entry = kvg_gates_find(gates, cgroup_id);
	KVG_CLEANUP(kvg_closep) int lock = -1;
	int r;

	if (!entry)
		return kvg_diag_set(reterr_diag, -ENOENT, "no such gate");
	r = kvg_gates_take_lock(gates, &lock, reterr_diag);
	return r < 0 ? r : kvg_gates_take_away(gates, entry, reterr_diag);
}

static bool is_gone(const struct kvg_gates *gates, const struct kvg_gates_entry *entry)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;
	int r = kvg_gates_open_cgroup(gates, entry, &cgroup);

	return r == -ENOENT || r == -ESTALE || r == -ENODEV;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The gates refuse them anyway: this spares applications the wait. Return: are there more? */
static bool close_connections(struct kvg_gates *gates)
{
	long end = now_ms() + TIDY_MS;

	for (size_t i = 0; i < gates->entries_count; i++) {
		KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;
		struct kvg_gates_entry *entry = &gates->entries[i];
		size_t closed = 0;

		if (!entry->changed)
			continue;
		if (now_ms() > end)
			return true;
		entry->changed = false;
		if (kvg_gates_open_cgroup(gates, entry, &cgroup) == 0)
			kvg_sockets_close(gates->set, &cgroup, &closed, NULL);
	}
	return false;
}

/* Return: are there more? */
static bool free_slots(struct kvg_gates *gates)
{
	bool keep[KVG_SLOTS_MAX] = {0};

	for (size_t i = 0; i < gates->profiles_count; i++) {
		if (gates->profiles[i].policy)
			keep[gates->profiles[i].policy->gate.slot] = true;
	}
	if (!gates->reclaim)
		gates->reclaim = kvg_reclaim_open(gates->set);
	return gates->reclaim && kvg_reclaim_step(gates->reclaim, keep);
}

/* Return: are there more? */
static bool forget_gone(struct kvg_gates *gates)
{
	long end = now_ms() + TIDY_MS;

	for (size_t i = gates->entries_count; i-- > 0;) {
		if (!is_gone(gates, &gates->entries[i]))
			continue;
		if (now_ms() > end)
			return true;
		kvg_gates_take_away(gates, &gates->entries[i], NULL);
	}
	return false;
}

bool kvg_gates_tidy(struct kvg_gates *gates)
{
	KVG_CLEANUP(kvg_closep) int lock = -1;

	if (kvg_gates_take_lock(gates, &lock, NULL) < 0)
		return false;
	if (forget_gone(gates) || close_connections(gates))
		return true;
	return free_slots(gates);
}
