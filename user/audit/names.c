// SPDX-License-Identifier: BSD-2-Clause
#include "audit/names.h"

#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/gate.h"
#include "policy/variant.h"

/*
 * Policies remembered: as many as there can be gates, with a change of each. Beyond them all are
 * forgotten and asked for again.
 */
#define NAMES_MAX (2 * KVG_GATES_MAX)

#define READ_TRIES 3

/*
 * struct name - a policy of a gate; @has_policy is false for one that was gone when it was asked for. Of
 * a gate whose cgroup was gone there is one name, of generation 0: its last profile, and no policy.
 */
struct name {
	__u64 cgroup_id;
	__u32 generation;
	bool has_policy;
	unsigned char digest[32];
	char *gate;
	char *profile;
};

struct kvg_names {
	const struct kvg_set *set;
	void *tree;
	size_t count;
};

static int compare(const void *a, const void *b)
{
	const struct name *left = a;
	const struct name *right = b;

	if (left->cgroup_id != right->cgroup_id)
		return left->cgroup_id < right->cgroup_id ? -1 : 1;
	if (left->generation != right->generation)
		return left->generation < right->generation ? -1 : 1;
	return 0;
}

static void free_name(void *p)
{
	struct name *name = p;

	free(name->gate);
	free(name->profile);
	free(name);
}

static void free_namep(struct name **name)
{
	if (*name)
		free_name(*name);
}

/* Entry and name are two maps: a policy that is being changed right now may fit one and not the other. */
static int read_gate(const struct kvg_set *set, __u64 cgroup_id, struct kvg_gate *ret_gate,
		     struct kvg_gate_info *ret_info)
{
	int r;

	for (int i = 0; i < READ_TRIES; i++) {
		r = kvg_gate_read(set, cgroup_id, ret_gate, ret_info);
		if (r < 0)
			return r;
		if (memcmp(ret_info->digest, &ret_gate->policy_id, sizeof(ret_gate->policy_id)) ==
		    0)
			return 0;
	}
	return -EAGAIN;
}

static struct name *make_name(const struct kvg_gate_info *info, __u64 cgroup_id, __u32 generation)
{
	KVG_CLEANUP(free_namep) struct name *name = calloc(1, sizeof(*name));

	if (!name)
		return NULL;
	name->cgroup_id = cgroup_id;
	name->generation = generation;
	memcpy(name->digest, info->digest, sizeof(name->digest));
	name->gate = strndup(info->cgroup, sizeof(info->cgroup));
	name->profile = strndup(info->profile, kvg_variant_profile_len(info->profile));
	if (!name->gate || !name->profile)
		return NULL;
	return KVG_TAKE_PTR(name);
}

/* Ask the kernel; @generation 0 is whichever is in force. */
static struct name *learn(struct kvg_names *names, __u64 cgroup_id, __u32 generation)
{
	KVG_CLEANUP(free_namep) struct name *name = NULL;
	struct kvg_gate_info info;
	struct kvg_gate gate;

	int r = read_gate(names->set, cgroup_id, &gate, &info);

	if (r == -ENOENT) { /* the entry goes with the cgroup, what it is called does not */
		r = kvg_gate_read(names->set, cgroup_id, NULL, &info);
		gate.generation = generation = 0;
	}
	if (r < 0)
		return NULL;

	name = make_name(&info, cgroup_id, generation ? generation : gate.generation);
	if (!name)
		return NULL;
	name->has_policy = name->generation && name->generation == gate.generation;

	if (names->count >= NAMES_MAX) {
		tdestroy(names->tree, free_name);
		names->tree = NULL;
		names->count = 0;
	}
	if (!tsearch(name, &names->tree, compare))
		return NULL;
	names->count++;
	return KVG_TAKE_PTR(name);
}

int kvg_names_open(const struct kvg_set *set, struct kvg_names **ret)
{
	KVG_CLEANUP(kvg_freep) __u64 *ids = NULL;
	struct kvg_names *names;
	size_t count = 0;

	names = calloc(1, sizeof(*names));
	if (!names)
		return -ENOMEM;

	names->set = set;
	if (kvg_gate_list(set, &ids, &count) < 0)
		count = 0; /* they are asked for when they are needed */
	for (size_t i = 0; i < count; i++)
		learn(names, ids[i], 0);
	*ret = names;
	return 0;
}

void kvg_names_fill(struct kvg_names *names, struct kvg_record *record)
{
	struct name key = {
		.cgroup_id = record->refusal.cgroup_id,
		.generation = record->refusal.generation,
	};
	const struct name *name;
	struct name **found;

	if (!key.cgroup_id || !key.generation)
		return;

	found = tfind(&key, &names->tree, compare);
	if (!found) {
		key.generation = 0;
		found = tfind(&key, &names->tree, compare);
	}
	name = found ? *found : learn(names, key.cgroup_id, record->refusal.generation);
	if (!name)
		return;

	record->gate = name->gate;
	if (name->has_policy || !name->generation)
		record->profile = name->profile;
	if (name->has_policy)
		record->digest = name->digest;
}

struct kvg_names *kvg_names_close(struct kvg_names *names)
{
	if (!names)
		return NULL;
	tdestroy(names->tree, free_name);
	free(names);
	return NULL;
}

void kvg_names_closep(struct kvg_names **names)
{
	*names = kvg_names_close(*names);
}
