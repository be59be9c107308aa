/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Those who watch the record live, over connections that the control socket handed over. Each has a
 * filter and a queue of its own; one that does not read holds up nobody: what its queue has no room for
 * is dropped, counted, and told to it by a line as soon as there is room.
 *
 * To a watcher: {"result":"watching"} in a message of its own, then messages of whole lines of the
 * record, as JSON. What it sends is not looked at.
 */
#ifndef KVG_AGENT_WATCHERS_H
#define KVG_AGENT_WATCHERS_H

#include <jansson.h>
#include <linux/types.h>
#include <stddef.h>

#include "audit/record.h"
#include "base/diag.h"

/* Connected at once. People and a log shipper; a request beyond them is refused. */
#define KVG_WATCHERS_MAX 16

/* What waits for one of them: some 2000 lines, a second of the most that a node records. */
#define KVG_WATCHERS_QUEUE_BYTES ((size_t)1 << 20)

struct kvg_watchers;
struct sd_event;

/** kvg_watchers_open() - nobody yet, for kvg_watchers_close(); Return: 0 or -ENOMEM */
int kvg_watchers_open(struct sd_event *event, struct kvg_watchers **ret);

/**
 * kvg_watchers_take() - one more; a row of the control socket's table
 * @watchers:    where to
 * @request:     may hold filters: kvg_filter_from_json()
 * @fd:          the connection; belongs to @watchers on success
 * @reterr_diag: why not
 *
 * Return: 0, or a negative errno
 */
int kvg_watchers_take(struct kvg_watchers *watchers, const json_t *request, int fd,
		      struct kvg_diag *reterr_diag);

/** kvg_watchers_put() - a line for all of @data whose filter it passes; @json ends with a newline, or is NULL */
void kvg_watchers_put(void *data, const struct kvg_record *record, const char *json, size_t size);

/** kvg_watchers_put_loss() - to all: @count refusals have no line */
void kvg_watchers_put_loss(void *data, __u64 count, const char *why);

/** kvg_watchers_count() - how many there are */
size_t kvg_watchers_count(const struct kvg_watchers *watchers);

/** kvg_watchers_dropped() - lines that had no room, since it was opened */
__u64 kvg_watchers_dropped(const struct kvg_watchers *watchers);

/** kvg_watchers_close() - give them what they take at once, and hang up; NULL is fine; Return: NULL */
struct kvg_watchers *kvg_watchers_close(struct kvg_watchers *watchers);

/** kvg_watchers_closep() - for KVG_CLEANUP */
void kvg_watchers_closep(struct kvg_watchers **watchers);

#endif
