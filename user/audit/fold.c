// SPDX-License-Identifier: BSD-2-Clause
/*
 * Flows in a tree (tsearch(3)) by what their repeats have in common, and in a queue by when their
 * interval ends. All intervals are equally long, so the queue is in order without sorting.
 */
#include "audit/fold.h"

#include <errno.h>
#include <search.h>
#include <string.h>
#include <sys/queue.h>

#include "base/cleanup.h"

/* struct flow - a flow that made a line; @pending.count is what came since then */
struct flow {
	struct kvg_record pending;
	__u64 due_ns;
	TAILQ_ENTRY(flow) link;
};

struct kvg_fold {
	struct kvg_fold_options options;
	void *tree;
	TAILQ_HEAD(, flow) queue;
	size_t flows;
};

static int compare(const void *a, const void *b)
{
	const struct flow *left = a;
	const struct flow *right = b;

	return memcmp(&left->pending.refusal, &right->pending.refusal, sizeof(struct kvg_refusal));
}

int kvg_fold_open(const struct kvg_fold_options *options, struct kvg_fold **ret)
{
	struct kvg_fold *fold = calloc(1, sizeof(*fold));

	if (!fold)
		return -ENOMEM;

	fold->options = *options;
	TAILQ_INIT(&fold->queue);
	*ret = fold;
	return 0;
}

static void write_pending(struct kvg_fold *fold, struct flow *flow)
{
	if (!flow->pending.count)
		return;
	fold->options.line(fold->options.data, &flow->pending);
	flow->pending.count = 0;
}

static void forget(struct kvg_fold *fold, struct flow *flow)
{
	write_pending(fold, flow);
	TAILQ_REMOVE(&fold->queue, flow, link);
	tdelete(flow, &fold->tree, compare);
	free(flow);
	fold->flows--;
}

static void remember(struct kvg_fold *fold, const struct kvg_record *record, __u64 now_ns)
{
	struct flow *flow;

	if (fold->flows >= fold->options.flows_max)
		forget(fold, TAILQ_FIRST(&fold->queue));

	flow = calloc(1, sizeof(*flow));
	if (!flow)
		return;

	flow->pending.refusal = record->refusal;
	flow->due_ns = now_ns + fold->options.interval_ns;
	if (!tsearch(flow, &fold->tree, compare)) {
		free(flow);
		return;
	}
	TAILQ_INSERT_TAIL(&fold->queue, flow, link);
	fold->flows++;
}

/* A source that is not the same for all is nobody's. */
static void merge(struct kvg_record *pending, const struct kvg_record *record)
{
	if (!pending->count) {
		*pending = *record;
		return;
	}

	pending->count += record->count;
	if (record->first_ns < pending->first_ns)
		pending->first_ns = record->first_ns;
	if (record->last_ns > pending->last_ns)
		pending->last_ns = record->last_ns;
	if (!pending->owner.tgid)
		pending->owner = record->owner;
	if (pending->sport != record->sport)
		pending->sport = 0;
	if (memcmp(pending->saddr, record->saddr, sizeof(pending->saddr)) != 0)
		memset(pending->saddr, 0, sizeof(pending->saddr));
}

bool kvg_fold_add(struct kvg_fold *fold, const struct kvg_record *record, __u64 now_ns)
{
	const struct flow key = {.pending.refusal = record->refusal};
	struct flow *const *found = tfind(&key, &fold->tree, compare);

	/* Nothing of it repeats: each is a connection of its own, and ends once. */
	if (record->refusal.hook == KVG_HOOK_SOCK_DESTROY) {
		fold->options.line(fold->options.data, record);
		return true;
	}
	if (found) {
		merge(&(*found)->pending, record);
		return false;
	}
	fold->options.line(fold->options.data, record);
	remember(fold, record, now_ns);
	return true;
}

void kvg_fold_tick(struct kvg_fold *fold, __u64 now_ns)
{
	struct flow *flow;

	while ((flow = TAILQ_FIRST(&fold->queue)) && flow->due_ns <= now_ns) {
		if (!flow->pending.count) {
			forget(fold, flow);
			continue;
		}
		write_pending(fold, flow);
		flow->due_ns = now_ns + fold->options.interval_ns;
		TAILQ_REMOVE(&fold->queue, flow, link);
		TAILQ_INSERT_TAIL(&fold->queue, flow, link);
	}
}

size_t kvg_fold_flows(const struct kvg_fold *fold)
{
	return fold->flows;
}

struct kvg_fold *kvg_fold_close(struct kvg_fold *fold)
{
	if (!fold)
		return NULL;
	while (!TAILQ_EMPTY(&fold->queue))
		forget(fold, TAILQ_FIRST(&fold->queue));
	free(fold);
	return NULL;
}

void kvg_fold_closep(struct kvg_fold **fold)
{
	*fold = kvg_fold_close(*fold);
}
