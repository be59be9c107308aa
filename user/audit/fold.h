/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Repeats of a refused flow become one later line. The first refusal of a flow makes a line at once;
 * what follows within the interval is added up and makes a line when the interval ends, and so on
 * until an interval brings nothing. The sum over all lines is the sum of what was added, always.
 */
#ifndef KVG_AUDIT_FOLD_H
#define KVG_AUDIT_FOLD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "audit/record.h"

/* A flood of one flow leaves six lines a minute; a person reading along waits 10 s at most. */
#define KVG_FOLD_INTERVAL_NS (10 * 1000000000ULL)

/*
 * Flows remembered. As many as the kernel counts between two takings; 15 MB if all are in use. Beyond
 * them the longest remembered flow is written out and forgotten: more lines, never a refusal less.
 */
#define KVG_FOLD_FLOWS_MAX 65536

struct kvg_fold;

/**
 * struct kvg_fold_options - how to fold
 * @interval_ns: see above
 * @flows_max:   at least 1
 * @line:        is given each line; its names are unset
 * @data:        first argument of @line
 */
struct kvg_fold_options {
	__u64 interval_ns;
	size_t flows_max;
	void (*line)(void *data, const struct kvg_record *record);
	void *data;
};

/** kvg_fold_open() - an empty one, for kvg_fold_close(); Return: 0 or -ENOMEM */
int kvg_fold_open(const struct kvg_fold_options *options, struct kvg_fold **ret);

/**
 * kvg_fold_add() - @record->count refusals more
 * @fold:   where to
 * @record: names are not looked at
 * @now_ns: never less than the time before; same clock as the interval's end is measured by
 *
 * Cannot fail: without memory the line is written at once.
 *
 * Return: is it of a flow that is not remembered, so that a new one begins?
 */
bool kvg_fold_add(struct kvg_fold *fold, const struct kvg_record *record, __u64 now_ns);

/** kvg_fold_tick() - write the lines of intervals that have ended by @now_ns */
void kvg_fold_tick(struct kvg_fold *fold, __u64 now_ns);

/** kvg_fold_flows() - how many flows it remembers */
size_t kvg_fold_flows(const struct kvg_fold *fold);

/** kvg_fold_close() - write what is left and free it; NULL is fine; Return: NULL */
struct kvg_fold *kvg_fold_close(struct kvg_fold *fold);

/** kvg_fold_closep() - for KVG_CLEANUP */
void kvg_fold_closep(struct kvg_fold **fold);

#endif
