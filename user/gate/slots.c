// SPDX-License-Identifier: BSD-2-Clause
#include "gate/slots.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "gate/gate.h"
#include "gate/trie.h"

/* A system call needs little, and a hundred of them may be waiting at once when an agent starts. */
#define HANDOVER_STACK   (64 << 10)
#define HANDOVER_LOOK_US 20

/* @ret: KVG_SLOTS_MAX of them: does a gate name the slot? */
static int find_named(const struct kvg_set *set, bool *ret)
{
	KVG_CLEANUP(kvg_freep) __u64 *gates = NULL;
	size_t count = 0;
	int r;

	r = kvg_gate_list(set, &gates, &count);
	if (r < 0)
		return r;
	memset(ret, 0, KVG_SLOTS_MAX * sizeof(*ret));
	for (size_t i = 0; i < count; i++) {
		struct kvg_gate gate;

		r = kvg_gate_read(set, gates[i], &gate, NULL);
		if (r < 0 && r != -ENOENT) /* ENOENT: its cgroup is gone */
			return r;
		if (r == 0 && gate.slot < KVG_SLOTS_MAX)
			ret[gate.slot] = true;
	}
	return 0;
}

static bool has_none(const struct kvg_set *set, enum kvg_map map, __u32 slot)
{
	__u32 id;

	return bpf_map_lookup_elem(kvg_set_map(set, map), &slot, &id) < 0 && errno == ENOENT;
}

static bool is_empty(const struct kvg_set *set, __u32 slot)
{
	return has_none(set, KVG_MAP_TRIES4, slot) && has_none(set, KVG_MAP_TRIES6, slot);
}

static int find_free_slot(struct kvg_set *set, __u32 *ret)
{
	bool named[KVG_SLOTS_MAX];
	int r = find_named(set, named);

	if (r < 0)
		return r;
	for (__u32 slot = 1; slot < KVG_SLOTS_MAX; slot++) {
		if (named[slot] || !is_empty(set, slot))
			continue;
		*ret = slot;
		return 0;
	}
	return -ENOSPC;
}

static const enum kvg_map tries[] = {KVG_MAP_TRIES4, KVG_MAP_TRIES6};
static const int families[] = {AF_INET, AF_INET6};

/* struct job - what is done to one family's part of a slot; see run_both() */
struct job {
	int (*run)(struct job *job);
	struct kvg_set *set;
	const struct kvg_policy *policy; /* NULL if the slot is emptied */
	__u32 slot;
	int family;
	enum kvg_map map;
	int result;
};

static void *run_job(void *data)
{
	struct job *job = data;

	job->result = job->run(job);
	return NULL;
}

/*
 * Both families at the same time: each change of a map of maps that takes something away sleeps through a
 * grace period of its own, and two that sleep side by side cost as much as one.
 */
static int run_both(struct job template)
{
	struct job jobs[2] = {template, template};
	pthread_t thread;
	bool threaded;

	for (int i = 0; i < 2; i++) {
		jobs[i].family = families[i];
		jobs[i].map = tries[i];
	}
	threaded = pthread_create(&thread, NULL, run_job, &jobs[1]) == 0;
	run_job(&jobs[0]);
	if (threaded)
		pthread_join(thread, NULL);
	else
		run_job(&jobs[1]);
	return jobs[0].result < 0 ? jobs[0].result : jobs[1].result;
}

static int put_trie(struct kvg_set *set, enum kvg_map map, __u32 slot, int trie)
{
	return bpf_map_update_elem(kvg_set_map(set, map), &slot, &trie, BPF_ANY) < 0 ? -errno : 0;
}

static int take_trie(struct kvg_set *set, enum kvg_map map, __u32 slot)
{
	return bpf_map_delete_elem(kvg_set_map(set, map), &slot) < 0 && errno != ENOENT ? -errno
											: 0;
}

/*
 * struct handover - a change of a map of maps by a thread; whoever of two leaves last frees it
 * @trie:   -1: take away what is there
 * @result: 1 until the thread is done, then 0 or a negative errno
 * @users:  the thread, and who started it
 */
struct handover {
	struct kvg_set *set;
	enum kvg_map map;
	__u32 slot;
	int trie;
	int result;
	int users;
};

static void leave(struct handover *handover)
{
	if (__atomic_sub_fetch(&handover->users, 1, __ATOMIC_ACQ_REL) == 0)
		free(handover);
}

static int change_now(const struct handover *handover)
{
	return handover->trie < 0
		       ? take_trie(handover->set, handover->map, handover->slot)
		       : put_trie(handover->set, handover->map, handover->slot, handover->trie);
}

static void *hand_over(void *data)
{
	struct handover *handover = data;

	__atomic_store_n(&handover->result, change_now(handover), __ATOMIC_RELEASE);
	leave(handover);
	return NULL;
}

static int start_detached(void *(*run)(void *data), void *data)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int r = pthread_attr_init(&attributes);

	if (r != 0)
		return -r;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, HANDOVER_STACK);
	r = pthread_create(&thread, &attributes, run, data);
	pthread_attr_destroy(&attributes);
	return -r;
}

/* Can the change be seen? @id: of the trie; 0: there is to be none */
static bool is_seen(const struct handover *change, __u32 id)
{
	__u32 seen = 0;

	if (!id)
		return has_none(change->set, change->map, change->slot);
	return bpf_map_lookup_elem(kvg_set_map(change->set, change->map), &change->slot, &seen) ==
		       0 &&
	       seen == id;
}

/*
 * The change is there at once; what the system call then waits for is that nobody uses what was there before.
 * So a thread waits, and this one only until the change can be seen.
 */
static int change_soon(const struct handover *change, __u32 id)
{
	struct handover *handover = malloc(sizeof(*handover));
	int r;

	if (!handover)
		return change_now(change);
	*handover = *change;
	handover->result = 1;
	handover->users = 2;
	if (start_detached(hand_over, handover) < 0) {
		free(handover);
		return change_now(change);
	}
	while ((r = __atomic_load_n(&handover->result, __ATOMIC_ACQUIRE)) > 0 &&
	       !is_seen(change, id))
		usleep(HANDOVER_LOOK_US);
	leave(handover);
	return r < 0 ? r : 0;
}

/* Nothing was there before, so nobody uses it. */
static int put_first_trie(struct kvg_set *set, enum kvg_map map, __u32 slot, int trie)
{
	const struct handover change = {.set = set, .map = map, .slot = slot, .trie = trie};
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(trie, &info, &size) < 0)
		return -errno;
	return change_soon(&change, info.id);
}

static int fill(struct job *job)
{
	KVG_CLEANUP(kvg_closep) int trie = kvg_trie_build(job->policy, job->family);

	return trie < 0 ? trie : put_first_trie(job->set, job->map, job->slot, trie);
}

int kvg_slots_fill(struct kvg_set *set, const struct kvg_policy *policy, __u32 *ret,
		   struct kvg_diag *reterr_diag)
{
	struct job job = {.run = fill, .set = set, .policy = policy};
	int r;

	r = find_free_slot(set, &job.slot);
	if (r < 0)
		return r == -ENOSPC
			       ? kvg_diag_set(reterr_diag, r,
					      "no room for another policy (%d are in use)",
					      KVG_SLOTS_MAX - 1)
			       : kvg_diag_set(reterr_diag, r, "cannot find room for the policy: %s",
					      strerror(-r));

	r = run_both(job);
	if (r < 0) {
		kvg_slots_clear(set, job.slot);
		return kvg_diag_set(reterr_diag, r,
				    "cannot put the policy's prefixes into the kernel: %s",
				    r == -EIO ? "they do not read back as written" : strerror(-r));
	}

	*ret = job.slot;
	return 0;
}

/*
 * An update of a map of maps returns when no program run can still see what was there before
 * (maybe_wait_bpf_programs(), since Linux 5.0): slot 0, which no gate ever names, takes one.
 */
int kvg_slots_wait(struct kvg_set *set)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	KVG_CLEANUP(kvg_closep) int empty = -1;

	empty = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "kvg_none", sizeof(struct kvg_lpm4_key),
			       sizeof(struct kvg_grant), 1, &options);
	if (empty < 0)
		return -errno;
	return put_trie(set, KVG_MAP_TRIES4, 0, empty);
}

/* The kernel frees a trie when the last program run that found it is over. */
int kvg_slots_drop(struct kvg_set *set, __u32 slot)
{
	int error = 0;

	for (int i = 0; i < 2; i++) {
		const struct handover change = {
			.set = set, .map = tries[i], .slot = slot, .trie = -1};
		int r = is_seen(&change, 0) ? 0 : change_soon(&change, 0);

		if (r < 0 && !error)
			error = r;
	}
	return error;
}

int kvg_slots_clear(struct kvg_set *set, __u32 slot)
{
	int r = kvg_slots_wait(set);

	return r < 0 ? r : kvg_slots_drop(set, slot);
}

bool kvg_slots_is_named(const struct kvg_set *set, __u32 slot)
{
	bool named[KVG_SLOTS_MAX];

	return find_named(set, named) < 0 || named[slot];
}

int kvg_slots_find_unused(const struct kvg_set *set, bool *ret)
{
	bool named[KVG_SLOTS_MAX];
	int count = 0;
	int r = find_named(set, named);

	memset(ret, 0, KVG_SLOTS_MAX * sizeof(*ret));
	for (__u32 slot = 1; r == 0 && slot < KVG_SLOTS_MAX; slot++) {
		ret[slot] = !named[slot] && !is_empty(set, slot);
		count += ret[slot];
	}
	return r < 0 ? r : count;
}

void kvg_slots_tidy(struct kvg_set *set)
{
	bool unused[KVG_SLOTS_MAX];

	if (kvg_slots_find_unused(set, unused) <= 0 || kvg_slots_wait(set) < 0)
		return;
	for (__u32 slot = 1; slot < KVG_SLOTS_MAX; slot++) {
		if (unused[slot])
			kvg_slots_drop(set, slot);
	}
}

int kvg_slots_read_ids(const struct kvg_set *set, __u32 slot, __u32 ret[2])
{
	for (int i = 0; i < 2; i++) {
		if (bpf_map_lookup_elem(kvg_set_map(set, tries[i]), &slot, &ret[i]) < 0)
			return -errno;
	}
	return 0;
}

static int open_trie(const struct kvg_set *set, __u32 slot, int family)
{
	enum kvg_map map = family == AF_INET ? KVG_MAP_TRIES4 : KVG_MAP_TRIES6;
	__u32 id;
	int fd;

	if (bpf_map_lookup_elem(kvg_set_map(set, map), &slot, &id) < 0)
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

/* Only this file says it. */
static bool is_frozen(int map)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = NULL;
	char path[64], line[128];
	int frozen = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "frozen:%d", &frozen) == 1)
			break;
	}
	return frozen;
}

int kvg_slots_look(const struct kvg_set *set, __u32 slot, struct kvg_slot *ret)
{
	*ret = (struct kvg_slot){.frozen = true};
	for (int i = 0; i < 2; i++) {
		KVG_CLEANUP(kvg_closep) int trie = open_trie(set, slot, families[i]);
		struct bpf_map_info info = {};
		__u32 size = sizeof(info);

		if (trie < 0)
			return trie;
		if (bpf_obj_get_info_by_fd(trie, &info, &size) < 0)
			return -errno;
		ret->ids[i] = info.id;
		ret->entries[i] = info.max_entries;
		ret->frozen = ret->frozen && is_frozen(trie);
	}
	return 0;
}

int kvg_slots_check(const struct kvg_set *set, __u32 slot, const struct kvg_policy *rules)
{
	for (int i = 0; i < 2; i++) {
		KVG_CLEANUP(kvg_closep) int trie = open_trie(set, slot, families[i]);
		int r;

		if (trie < 0)
			return trie;
		r = kvg_trie_check(trie, rules, families[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int kvg_slots_read(struct kvg_set *set, __u32 slot, const struct kvg_prefix *address,
		   __u32 *ret_services)
{
	KVG_CLEANUP(kvg_closep) int trie = open_trie(set, slot, address->family);

	return trie < 0 ? trie : kvg_trie_read(trie, address, ret_services);
}
