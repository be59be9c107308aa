// SPDX-License-Identifier: BSD-2-Clause
#include "gate/reclaim.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gate/slots.h"
#include "kvg_policy.h"

/* Freed by one step: a thread for each family sleeps through a grace period meanwhile. */
#define STEP_MAX 8

/* struct kvg_reclaim - see reclaim.h; @waited: 1 over, < 0 failed; of the thread as long as @waiting */
struct kvg_reclaim {
	struct kvg_set *set;
	pthread_t thread;
	bool waiting;
	int waited;
	bool noted[KVG_SLOTS_MAX];
};

struct kvg_reclaim *kvg_reclaim_open(struct kvg_set *set)
{
	struct kvg_reclaim *reclaim = calloc(1, sizeof(*reclaim));

	if (reclaim)
		reclaim->set = set;
	return reclaim;
}

struct kvg_reclaim *kvg_reclaim_close(struct kvg_reclaim *reclaim)
{
	if (!reclaim)
		return NULL;
	if (reclaim->waiting)
		pthread_join(reclaim->thread, NULL);
	free(reclaim);
	return NULL;
}

void kvg_reclaim_touch(struct kvg_reclaim *reclaim, __u32 slot)
{
	if (slot < KVG_SLOTS_MAX)
		reclaim->noted[slot] = false;
}

static void *wait_for_packets(void *data)
{
	struct kvg_reclaim *reclaim = data;
	int r = kvg_slots_wait(reclaim->set);

	__atomic_store_n(&reclaim->waited, r < 0 ? r : 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Return: does it wait? */
static bool start(struct kvg_reclaim *reclaim, const bool *unused)
{
	reclaim->waited = 0;
	reclaim->waiting = pthread_create(&reclaim->thread, NULL, wait_for_packets, reclaim) == 0;
	if (reclaim->waiting)
		memcpy(reclaim->noted, unused, sizeof(reclaim->noted));
	return reclaim->waiting;
}

/* Return: how many were freed, or a negative errno */
static int finish(struct kvg_reclaim *reclaim, const bool *unused)
{
	int done = 0, r = 0;

	for (__u32 slot = 1; r == 0 && done < STEP_MAX && slot < KVG_SLOTS_MAX; slot++) {
		if (!reclaim->noted[slot])
			continue;
		reclaim->noted[slot] = false;
		if (!unused[slot])
			continue;
		r = kvg_slots_drop(reclaim->set, slot);
		done++;
	}
	return r < 0 ? r : done;
}

static bool is_over(struct kvg_reclaim *reclaim)
{
	if (!reclaim->waiting)
		return true;
	if (!__atomic_load_n(&reclaim->waited, __ATOMIC_ACQUIRE))
		return false;
	pthread_join(reclaim->thread, NULL);
	reclaim->waiting = false;
	return true;
}

static bool has_noted(const struct kvg_reclaim *reclaim)
{
	return memchr(reclaim->noted, true, sizeof(reclaim->noted));
}

/* Return: how many, or a negative errno */
static int find_unused(struct kvg_reclaim *reclaim, const bool *keep, bool *ret)
{
	int count = kvg_slots_find_unused(reclaim->set, ret);

	for (__u32 slot = 0; count > 0 && slot < KVG_SLOTS_MAX; slot++) {
		if (!ret[slot] || !keep[slot])
			continue;
		ret[slot] = false;
		count--;
	}
	return count;
}

bool kvg_reclaim_step(struct kvg_reclaim *reclaim, const bool *keep)
{
	bool unused[KVG_SLOTS_MAX];
	int count, freed;

	if (!is_over(reclaim))
		return true;
	count = find_unused(reclaim, keep, unused);
	if (count < 0)
		return false;
	if (!has_noted(reclaim))
		return count > 0 && start(reclaim, unused);
	if (reclaim->waited < 0) {
		memset(reclaim->noted, false, sizeof(reclaim->noted));
		return false;
	}
	freed = finish(reclaim, unused);
	return freed >= 0 && freed < count;
}
