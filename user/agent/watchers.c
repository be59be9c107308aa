// SPDX-License-Identifier: BSD-2-Clause
#include "agent/watchers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "audit/filter.h"
#include "base/cleanup.h"
#include "discover/request.h"

/* A loop that brings a flood of lines sends in between: what a socket holds by default. */
#define EAGER_BYTES ((size_t)128 << 10)

/* Kept free, so that a full queue still takes the line that says what was dropped. */
#define LOSS_BYTES 512

/* struct watcher - @start up to @end of @queue waits; @lost refusals are not told yet */
struct watcher {
	struct kvg_watchers *all;
	struct watcher *next;
	struct kvg_filter filter;
	int fd;
	sd_event_source *io;
	char *queue;
	size_t allocated;
	size_t start;
	size_t end;
	__u64 lost;
};

struct kvg_watchers {
	struct sd_event *event;
	struct watcher *list;
	size_t count;
	__u64 dropped;
};

static struct watcher *watcher_free(struct watcher *watcher)
{
	if (!watcher)
		return NULL;
	sd_event_source_disable_unref(watcher->io);
	kvg_filter_done(&watcher->filter);
	free(watcher->queue);
	kvg_closep(&watcher->fd);
	free(watcher);
	return NULL;
}

static void watcher_freep(struct watcher **watcher)
{
	watcher_free(*watcher);
}

static void drop(struct watcher *watcher)
{
	struct watcher **at = &watcher->all->list;

	while (*at != watcher)
		at = &(*at)->next;
	*at = watcher->next;
	watcher->all->count--;
	watcher_free(watcher);
}

/* --- the queue ------------------------------------------------------------------------------- */

static int grow(struct watcher *watcher, size_t size)
{
	size_t allocated = watcher->allocated ? watcher->allocated : 16384;
	char *queue;

	while (allocated < size)
		allocated *= 2;
	if (allocated == watcher->allocated)
		return 0;
	queue = realloc(watcher->queue, allocated);
	if (!queue)
		return -ENOMEM;
	watcher->queue = queue;
	watcher->allocated = allocated;
	return 0;
}

/* Return: 0; -ENOSPC beyond @limit, -ENOMEM */
static int push(struct watcher *watcher, const char *line, size_t size, size_t limit)
{
	size_t waiting = watcher->end - watcher->start;

	if (waiting + size > limit)
		return -ENOSPC;
	if (watcher->end + size > watcher->allocated && watcher->start) {
		memmove(watcher->queue, watcher->queue + watcher->start, waiting);
		watcher->start = 0;
		watcher->end = waiting;
	}
	if (grow(watcher, watcher->end + size) < 0)
		return -ENOMEM;
	memcpy(watcher->queue + watcher->end, line, size);
	watcher->end += size;
	return 0;
}

static void push_loss(struct watcher *watcher)
{
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	size_t size = 0;

	if (watcher->lost &&
	    kvg_record_format_loss_json(watcher->lost, "this watcher is too slow", &line, &size) ==
		    0 &&
	    push(watcher, line, size, KVG_WATCHERS_QUEUE_BYTES) == 0)
		watcher->lost = 0;
}

/* As many whole lines as a message holds; kvg_watchers_put() has let none in that is longer. */
static size_t message_size(const struct watcher *watcher)
{
	const char *from = watcher->queue + watcher->start;
	size_t size = watcher->end - watcher->start;

	if (size <= KVG_REQUEST_MESSAGE_MAX)
		return size;
	return (const char *)memrchr(from, '\n', KVG_REQUEST_MESSAGE_MAX) + 1 - from;
}

/* Sends what the socket takes; Return: 0, or a negative errno: it is to be dropped */
static int flush(struct watcher *watcher)
{
	while (watcher->start < watcher->end) {
		ssize_t sent = send(watcher->fd, watcher->queue + watcher->start,
				    message_size(watcher), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN ? 0 : -errno;
		watcher->start += sent;
	}
	watcher->start = watcher->end = 0;
	return 0;
}

/* Return: a negative errno if it is to be dropped */
static int wait_for(struct watcher *watcher)
{
	bool waits = watcher->start < watcher->end;

	return sd_event_source_set_io_events(watcher->io, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static int on_room(struct watcher *watcher)
{
	int r = flush(watcher);

	if (r == 0 && watcher->lost && watcher->start == watcher->end) {
		push_loss(watcher);
		r = flush(watcher);
	}
	return r < 0 ? r : wait_for(watcher);
}

/* --- the connection -------------------------------------------------------------------------- */

/* Whatever it says is of no account; an empty message and the end look the same. */
static int pass_over(const struct watcher *watcher)
{
	char byte;
	ssize_t size = recv(watcher->fd, &byte, sizeof(byte), MSG_DONTWAIT);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return size ? 0 : -ECONNRESET;
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct watcher *watcher = userdata;
	int r = 0;

	(void)source;
	(void)fd;
	if (events & EPOLLIN)
		r = pass_over(watcher);
	else if (!(events & EPOLLOUT))
		r = -ECONNRESET;
	if (r == 0 && events & EPOLLOUT)
		r = on_room(watcher);
	if (r < 0)
		drop(watcher);
	return 0;
}

static int greet(int fd)
{
	static const char answer[] = "{\"result\":\"watching\"}\n";

	return send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int kvg_watchers_take(struct kvg_watchers *watchers, const json_t *request, int fd,
		      struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(watcher_freep) struct watcher *watcher = calloc(1, sizeof(*watcher));
	int r;

	if (!watcher)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	watcher->fd = -1;
	if (watchers->count >= KVG_WATCHERS_MAX)
		return kvg_diag_set(reterr_diag, -EBUSY, "%d watch already, as many as may",
				    KVG_WATCHERS_MAX);
	r = kvg_filter_from_json(request, &watcher->filter, reterr_diag);
	if (r < 0)
		return r;
	r = sd_event_add_io(watchers->event, &watcher->io, fd, EPOLLIN, on_io, watcher);
	if (r >= 0)
		r = greet(fd);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "%s", strerror(-r));
	watcher->fd = fd;
	watcher->all = watchers;
	watcher->next = watchers->list;
	watchers->list = KVG_TAKE_PTR(watcher);
	watchers->count++;
	return 0;
}

/* --- lines ----------------------------------------------------------------------------------- */

/* Return: a negative errno if the watcher is to be dropped */
static int give(struct watcher *watcher, const char *line, size_t size, __u64 count)
{
	size_t limit = KVG_WATCHERS_QUEUE_BYTES - LOSS_BYTES;

	/* What was dropped is told where it is missing: before the first line that has room again. */
	if (watcher->lost && watcher->end - watcher->start + size + LOSS_BYTES <= limit)
		push_loss(watcher);
	if (!line || watcher->lost || size > KVG_REQUEST_MESSAGE_MAX ||
	    push(watcher, line, size, limit) < 0) {
		watcher->lost += count;
		watcher->all->dropped++;
	}
	if (watcher->end - watcher->start >= EAGER_BYTES && flush(watcher) < 0)
		return -ECONNRESET;
	return wait_for(watcher);
}

void kvg_watchers_put(void *data, const struct kvg_record *record, const char *json, size_t size)
{
	struct kvg_watchers *watchers = data;
	struct kvg_filter_facts facts;
	struct watcher *next;

	if (!watchers->list)
		return;
	facts = kvg_filter_facts_of_record(record);
	for (struct watcher *watcher = watchers->list; watcher; watcher = next) {
		next = watcher->next;
		if (kvg_filter_matches(&watcher->filter, &facts) &&
		    give(watcher, json, size, record->count) < 0)
			drop(watcher);
	}
}

void kvg_watchers_put_loss(void *data, __u64 count, const char *why)
{
	struct kvg_watchers *watchers = data;
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	struct watcher *next;
	size_t size = 0;

	if (!watchers->list || kvg_record_format_loss_json(count, why, &line, &size) < 0)
		line = NULL;
	for (struct watcher *watcher = watchers->list; watcher; watcher = next) {
		next = watcher->next;
		if (give(watcher, line, size, count) < 0)
			drop(watcher);
	}
}

/* --- all of them ----------------------------------------------------------------------------- */

int kvg_watchers_open(struct sd_event *event, struct kvg_watchers **ret)
{
	struct kvg_watchers *watchers = calloc(1, sizeof(*watchers));

	if (!watchers)
		return -ENOMEM;
	watchers->event = event;
	*ret = watchers;
	return 0;
}

size_t kvg_watchers_count(const struct kvg_watchers *watchers)
{
	return watchers->count;
}

__u64 kvg_watchers_dropped(const struct kvg_watchers *watchers)
{
	return watchers->dropped;
}

struct kvg_watchers *kvg_watchers_close(struct kvg_watchers *watchers)
{
	if (!watchers)
		return NULL;
	while (watchers->list) {
		flush(watchers->list);
		drop(watchers->list);
	}
	free(watchers);
	return NULL;
}

void kvg_watchers_closep(struct kvg_watchers **watchers)
{
	*watchers = kvg_watchers_close(*watchers);
}
