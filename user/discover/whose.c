// SPDX-License-Identifier: BSD-2-Clause
#include "discover/whose.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/cleanup.h"

/* struct gate - an identity without its labels; a cgroup of the same path later has another id */
struct gate {
	__u64 cgroup_id;
	struct kvg_identity identity;
	time_t read_s;
	TAILQ_ENTRY(gate) link;
};

struct kvg_whose {
	struct kvg_identity_roots roots;
	void *tree;
	TAILQ_HEAD(, gate) queue; /* asked for last: at the end */
	size_t count;
};

static int compare(const void *a, const void *b)
{
	__u64 left = ((const struct gate *)a)->cgroup_id;
	__u64 right = ((const struct gate *)b)->cgroup_id;

	return (left > right) - (left < right);
}

int kvg_whose_open(const struct kvg_identity_roots *roots, struct kvg_whose **ret)
{
	struct kvg_whose *whose = calloc(1, sizeof(*whose));

	if (!whose)
		return -ENOMEM;
	if (roots)
		whose->roots = *roots;
	TAILQ_INIT(&whose->queue);
	*ret = whose;
	return 0;
}

static void forget(struct kvg_whose *whose, struct gate *gate)
{
	TAILQ_REMOVE(&whose->queue, gate, link);
	tdelete(gate, &whose->tree, compare);
	kvg_identity_done(&gate->identity);
	free(gate);
	whose->count--;
}

static struct gate *find(struct kvg_whose *whose, __u64 cgroup_id)
{
	const struct gate key = {.cgroup_id = cgroup_id};
	struct gate *const *found = tfind(&key, &whose->tree, compare);
	struct gate *gate;

	if (found) {
		TAILQ_REMOVE(&whose->queue, *found, link);
		TAILQ_INSERT_TAIL(&whose->queue, *found, link);
		return *found;
	}
	if (whose->count >= KVG_WHOSE_MAX)
		forget(whose, TAILQ_FIRST(&whose->queue));
	gate = calloc(1, sizeof(*gate));
	if (!gate)
		return NULL;
	gate->cgroup_id = cgroup_id;
	gate->identity.incomplete = true;
	gate->read_s = -KVG_WHOSE_RETRY_S;
	if (!tsearch(gate, &whose->tree, compare)) {
		free(gate);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&whose->queue, gate, link);
	whose->count++;
	return gate;
}

/* Labels are the most of it, and nobody asks for them here. */
static void drop_labels(struct kvg_identity *identity)
{
	for (size_t i = 0; i < identity->labels_count; i++) {
		free(identity->labels[i].key);
		free(identity->labels[i].value);
	}
	free(identity->labels);
	identity->labels = NULL;
	identity->labels_count = 0;
}

static void read_identity(const struct kvg_whose *whose, struct gate *gate, const char *cgroup)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_BOOTTIME, &now);
	if (!gate->identity.incomplete || now.tv_sec - gate->read_s < KVG_WHOSE_RETRY_S)
		return;
	gate->read_s = now.tv_sec;
	kvg_identity_done(&gate->identity);
	if (kvg_identity_read(&whose->roots, cgroup, &gate->identity) < 0) {
		kvg_identity_done(&gate->identity);
		gate->identity.incomplete = true;
		return;
	}
	drop_labels(&gate->identity);
}

static const char *known(const char *text)
{
	return text && *text ? text : NULL;
}

void kvg_whose_fill(struct kvg_whose *whose, struct kvg_record *record)
{
	struct gate *gate;

	if (!record->gate || !record->refusal.cgroup_id)
		return;
	gate = find(whose, record->refusal.cgroup_id);
	if (!gate)
		return;
	read_identity(whose, gate, record->gate);
	record->container = known(gate->identity.container);
	record->image = known(gate->identity.image);
	record->namespace = known(gate->identity.namespace);
	record->pod = known(gate->identity.pod);
}

struct kvg_whose *kvg_whose_close(struct kvg_whose *whose)
{
	if (!whose)
		return NULL;
	while (!TAILQ_EMPTY(&whose->queue))
		forget(whose, TAILQ_FIRST(&whose->queue));
	free(whose);
	return NULL;
}

void kvg_whose_closep(struct kvg_whose **whose)
{
	*whose = kvg_whose_close(*whose);
}
