// SPDX-License-Identifier: BSD-2-Clause
#include "gate/slots.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "gate/gate.h"

/* The kernel's key of either family: its length says which. */
union lpm_key {
	struct kvg_lpm4_key ipv4;
	struct kvg_lpm6_key ipv6;
};

/*
 * Small LPM updates fail with ENOMEM now and then on a healthy machine: the kernel's per-CPU caches
 * are refilled in the background. 1 ms apart, a hundred tries outlast any refill.
 */
#define UPDATE_TRIES 100

/* Fewer look-ups than this are done before a thread has started. */
#define CHECK_THREAD_MIN 1000

static void set_key(const struct kvg_prefix *prefix, union lpm_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (prefix->family == AF_INET) {
		ret->ipv4.prefixlen = prefix->bits;
		memcpy(&ret->ipv4.addr, prefix->addr, sizeof(ret->ipv4.addr));
	} else {
		ret->ipv6.prefixlen = prefix->bits;
		memcpy(ret->ipv6.addr, prefix->addr, sizeof(ret->ipv6.addr));
	}
}

static size_t key_size(int family)
{
	return family == AF_INET ? sizeof(struct kvg_lpm4_key) : sizeof(struct kvg_lpm6_key);
}

static int put_one(int trie, const void *key, const struct kvg_grant *grant)
{
	for (int i = 0;; i++) {
		if (bpf_map_update_elem(trie, key, grant, BPF_ANY) == 0)
			return 0;
		if (errno != ENOMEM || i == UPDATE_TRIES)
			return -errno;
		usleep(1000);
	}
}

/* A system call needs little, and a hundred of them may be waiting at once when an agent starts. */
#define HANDOVER_STACK   (64 << 10)
#define HANDOVER_LOOK_US 20

/* struct rules - one family's rules as the kernel takes them: parallel arrays */
struct rules {
	int family;
	unsigned char *keys;
	struct kvg_grant *grants;
	__u32 count;
};

static void rules_done(struct rules *rules)
{
	free(rules->keys);
	free(rules->grants);
}

/* @rules: for rules_done(), also on failure */
static int rules_init(struct rules *rules, const struct kvg_policy *policy, int family)
{
	size_t size = key_size(family);

	*rules = (struct rules){.family = family};
	rules->keys = malloc(policy->rules_count * size + 1);
	rules->grants = malloc(policy->rules_count * sizeof(*rules->grants) + 1);
	if (!rules->keys || !rules->grants)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct kvg_rule *rule = &policy->rules[i];
		union lpm_key key;

		if (rule->prefix.family != family)
			continue;
		set_key(&rule->prefix, &key);
		memcpy(rules->keys + rules->count * size, &key, size);
		rules->grants[rules->count++].services = rule->services;
	}
	return 0;
}

static int write_rules(int trie, const struct rules *rules)
{
	__u32 done = rules->count;
	size_t size = key_size(rules->family);

	/* In one call since Linux 5.13; older ones leave the count as it was, so it says nothing. */
	if (bpf_map_update_batch(trie, rules->keys, rules->grants, &done, NULL) == 0)
		return 0;

	for (__u32 i = 0; i < rules->count; i++) {
		int r = put_one(trie, rules->keys + i * size, &rules->grants[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* struct check - part of the rules, to be read back */
struct check {
	int trie;
	const struct rules *rules;
	__u32 first;
	__u32 end;
	int result;
};

/*
 * Looking up a prefix by its own length finds that prefix, if it is there. Every rule answers with
 * its own services, and nothing else was ever written to this trie: so it holds the policy.
 */
static void *check_part(void *data)
{
	struct check *check = data;
	const struct rules *rules = check->rules;
	size_t size = key_size(rules->family);

	for (__u32 i = check->first; i < check->end; i++) {
		struct kvg_grant grant = {};

		if (bpf_map_lookup_elem(check->trie, rules->keys + i * size, &grant) < 0 ||
		    grant.services != rules->grants[i].services)
			check->result = -EIO;
	}
	return NULL;
}

/* A look-up is a system call: of 100,000, a second thread takes half. */
static int check_rules(int trie, const struct rules *rules)
{
	__u32 middle = rules->count / 2;
	struct check head = {.trie = trie, .rules = rules, .end = middle};
	struct check tail = {.trie = trie, .rules = rules, .first = middle, .end = rules->count};
	pthread_t thread;
	bool threaded =
		middle > CHECK_THREAD_MIN && pthread_create(&thread, NULL, check_part, &tail) == 0;

	check_part(&head);
	if (threaded)
		pthread_join(thread, NULL);
	else
		check_part(&tail);
	return head.result < 0 ? head.result : tail.result;
}

/* A trie that holds @policy's rules of a family, frozen; a descriptor, or a negative errno. */
static int build_trie(const struct kvg_policy *policy, int family)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	KVG_CLEANUP(kvg_closep) int trie = -1;
	KVG_CLEANUP(rules_done) struct rules rules = {};
	int r;

	r = rules_init(&rules, policy, family);
	if (r < 0)
		return r;

	trie = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, family == AF_INET ? "kvg_trie4" : "kvg_trie6",
			      key_size(family), sizeof(struct kvg_grant),
			      rules.count ? rules.count : 1, &options);
	if (trie < 0)
		return -errno;
	r = write_rules(trie, &rules);
	if (r == 0)
		r = check_rules(trie, &rules);
	if (r < 0)
		return r;
	if (bpf_map_freeze(trie) < 0)
		return -errno;
	return KVG_TAKE_FD(trie);
}

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

static bool is_empty(const struct kvg_set *set, __u32 slot)
{
	__u32 id;

	return bpf_map_lookup_elem(kvg_set_map(set, KVG_MAP_TRIES4), &slot, &id) < 0 &&
	       bpf_map_lookup_elem(kvg_set_map(set, KVG_MAP_TRIES6), &slot, &id) < 0;
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

/* struct handover - arguments of a thread that updates a map of maps */
struct handover {
	struct kvg_set *set;
	enum kvg_map map;
	__u32 slot;
	int trie;  /* -1: take away what is there */
	int error; /* the last thing that it touches, and only if it fails */
};

static void *hand_over(void *data)
{
	struct handover *handover = data;
	int r = handover->trie < 0
			? take_trie(handover->set, handover->map, handover->slot)
			: put_trie(handover->set, handover->map, handover->slot, handover->trie);

	if (r < 0)
		__atomic_store_n(&handover->error, r, __ATOMIC_RELEASE);
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

/* Can what was handed over be seen? @id: of the trie; 0: there is to be none */
static bool is_seen(const struct handover *handover, __u32 id)
{
	__u32 seen = 0;

	if (bpf_map_lookup_elem(kvg_set_map(handover->set, handover->map), &handover->slot, &seen) <
	    0)
		return !id && errno == ENOENT;
	return id && seen == id;
}

/*
 * The change is there at once; what the update then waits for is that nobody uses what was there before. So a
 * thread waits, and this one only until the change can be seen: @handover is not looked at any more from
 * then on.
 */
static int hand_over_now(struct handover *handover, __u32 id)
{
	if (start_detached(hand_over, handover) < 0) {
		hand_over(handover);
		return handover->error;
	}
	for (;;) {
		int r;

		if (is_seen(handover, id))
			return 0;
		r = __atomic_load_n(&handover->error, __ATOMIC_ACQUIRE);
		if (r < 0)
			return r;
		usleep(HANDOVER_LOOK_US);
	}
}

/* Nothing was there before, so nobody uses it. */
static int put_first_trie(struct kvg_set *set, enum kvg_map map, __u32 slot, int trie)
{
	struct handover handover = {.set = set, .map = map, .slot = slot, .trie = trie};
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(trie, &info, &size) < 0)
		return -errno;
	return hand_over_now(&handover, info.id);
}

static int fill(struct job *job)
{
	KVG_CLEANUP(kvg_closep) int trie = build_trie(job->policy, job->family);

	return trie < 0 ? trie : put_first_trie(job->set, job->map, job->slot, trie);
}

int kvg_slots_fill(struct kvg_set *set, const struct kvg_policy *policy, __u32 *ret,
		   struct kvg_diag *reterr_diag)
{
	struct job job = {.run = fill, .set = set, .policy = policy};
	int r;

	r = find_free_slot(set, &job.slot);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "no room for another policy (%d are in use)",
				    KVG_SLOTS_MAX - 1);

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
		struct handover handover = {.set = set, .map = tries[i], .slot = slot, .trie = -1};
		int r = is_seen(&handover, 0) ? 0 : hand_over_now(&handover, 0);

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
		KVG_CLEANUP(rules_done) struct rules wanted = {};
		int r;

		if (trie < 0)
			return trie;
		r = rules_init(&wanted, rules, families[i]);
		if (r == 0)
			r = check_rules(trie, &wanted);
		if (r < 0)
			return r;
	}
	return 0;
}

int kvg_slots_read(struct kvg_set *set, __u32 slot, const struct kvg_prefix *address,
		   __u32 *ret_services)
{
	KVG_CLEANUP(kvg_closep) int trie = open_trie(set, slot, address->family);
	struct kvg_grant grant;
	union lpm_key key;

	if (trie < 0)
		return trie;

	set_key(address, &key);
	if (bpf_map_lookup_elem(trie, &key, &grant) < 0)
		return errno == ENOENT ? 0 : -errno;
	*ret_services = grant.services;
	return 1;
}
