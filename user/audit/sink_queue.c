// SPDX-License-Identifier: BSD-2-Clause
#include "audit/sink_queue.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS      1000
#define STACK_BYTES   (256 * 1024) /* libraries take some */
#define FOREVER       (-1)
#define NS_PER_MS     1000000LL
#define NS_PER_SECOND 1000000000LL

struct item {
	struct item *next;
	size_t size;
	size_t sent;
	char data[];
};

/*
 * @lock guards all below it. Of @busy, the thread is outside the lock; of @wanted, what is there is to
 * be written.
 */
struct kvg_sink_queue {
	const struct kvg_sink_ops *ops;
	void *state;
	pthread_t thread;
	bool has_thread; /* the caller's */
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t done;
	struct item *first;
	struct item **last;
	struct kvg_sink_reading now;
	bool wanted;
	bool busy;
	bool rotating;
	bool stopping;
	bool ended;
	bool left_behind;
};

static void queue_free(struct kvg_sink_queue *queue)
{
	struct item *next;

	for (struct item *item = queue->first; item; item = next) {
		next = item->next;
		free(item);
	}
	if (queue->ops->close && queue->state)
		queue->ops->close(queue->state);
	pthread_cond_destroy(&queue->done);
	pthread_cond_destroy(&queue->work);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

struct kvg_sink_queue *kvg_sink_queue_open(const struct kvg_sink_ops *ops, void *state)
{
	struct kvg_sink_queue *queue = calloc(1, sizeof(*queue));
	pthread_condattr_t attributes;

	if (!queue) {
		if (ops->close)
			ops->close(state);
		return NULL;
	}
	queue->ops = ops;
	queue->state = state;
	queue->last = &queue->first;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->work, &attributes);
	pthread_cond_init(&queue->done, &attributes);
	pthread_condattr_destroy(&attributes);
	return queue;
}

void *kvg_sink_queue_state(struct kvg_sink_queue *queue)
{
	return queue->state;
}

struct timespec kvg_sink_queue_deadline(unsigned int ms)
{
	struct timespec then = {0};
	long long ns;

	clock_gettime(CLOCK_MONOTONIC, &then);
	ns = then.tv_nsec + ms * NS_PER_MS;
	then.tv_sec += ns / NS_PER_SECOND;
	then.tv_nsec = ns % NS_PER_SECOND;
	return then;
}

/* --- the thread --- */

static size_t gather(const struct kvg_sink_queue *queue, struct iovec lines[KVG_SINK_LINES_MAX])
{
	size_t count = 0;

	for (struct item *item = queue->first; item && count < KVG_SINK_LINES_MAX;
	     item = item->next)
		lines[count++] = (struct iovec){.iov_base = item->data + item->sent,
						.iov_len = item->size - item->sent};
	return count;
}

static void take(struct kvg_sink_queue *queue, size_t bytes)
{
	queue->now.bytes -= bytes;
	while (queue->first && bytes >= queue->first->size - queue->first->sent) {
		struct item *item = queue->first;

		bytes -= item->size - item->sent;
		queue->first = item->next;
		queue->now.lines--;
		free(item);
	}
	if (queue->first)
		queue->first->sent += bytes;
	else
		queue->last = &queue->first;
}

/* The lines at the head of the queue stay as they are while the lock is open. Return: ms to wait */
static int write_some(struct kvg_sink_queue *queue)
{
	struct iovec lines[KVG_SINK_LINES_MAX];
	size_t count = gather(queue, lines);
	struct kvg_diag diag = {0};
	ssize_t n;

	queue->busy = true;
	pthread_mutex_unlock(&queue->lock);
	n = queue->ops->write(queue->state, lines, count, &diag);
	pthread_mutex_lock(&queue->lock);
	queue->busy = false;
	if (n >= 0)
		take(queue, n);
	if (n >= 0 || n == -EAGAIN) {
		queue->now.error = 0;
		return 0;
	}
	queue->now.error = (int)n;
	queue->now.diag = diag;
	queue->wanted = false;
	pthread_cond_broadcast(&queue->done);
	return RETRY_MS;
}

/* Nothing is to be written. Return: ms to wait, or FOREVER */
static int finish(struct kvg_sink_queue *queue)
{
	struct kvg_diag diag = {0};
	int r = 0;

	if (queue->ops->flush) {
		queue->busy = true;
		pthread_mutex_unlock(&queue->lock);
		r = queue->ops->flush(queue->state, &diag);
		pthread_mutex_lock(&queue->lock);
		queue->busy = false;
	}
	queue->now.flush_error = r < 0 ? r : 0;
	if (r < 0)
		queue->now.diag = diag;
	if (queue->first && queue->wanted)
		return 0;
	queue->wanted = false;
	pthread_cond_broadcast(&queue->done);
	return r > 0 ? r : FOREVER;
}

static void rotate(struct kvg_sink_queue *queue)
{
	queue->rotating = false;
	queue->busy = true;
	pthread_mutex_unlock(&queue->lock);
	queue->ops->rotate(queue->state);
	pthread_mutex_lock(&queue->lock);
	queue->busy = false;
}

/* After an error, lines are tried again without being asked. */
static void wait_for_work(struct kvg_sink_queue *queue, int ms)
{
	struct timespec end = kvg_sink_queue_deadline(ms < 0 ? 0 : ms);
	int r = 0;

	while (!queue->wanted && !queue->rotating && !queue->stopping && r == 0) {
		r = ms < 0 ? pthread_cond_wait(&queue->work, &queue->lock)
			   : pthread_cond_timedwait(&queue->work, &queue->lock, &end);
	}
	if (r && queue->now.error)
		queue->wanted = true;
}

/* A rest that cannot be written is left. */
static bool is_over(const struct kvg_sink_queue *queue)
{
	return queue->left_behind || (queue->stopping && (!queue->first || queue->now.error));
}

/* By the thread, for that may block, too. */
static void close_state(struct kvg_sink_queue *queue)
{
	pthread_mutex_unlock(&queue->lock);
	if (queue->ops->close)
		queue->ops->close(queue->state);
	pthread_mutex_lock(&queue->lock);
	queue->state = NULL;
}

static void *run(void *data)
{
	struct kvg_sink_queue *queue = data;
	bool left_behind;
	int ms = 0;

	pthread_mutex_lock(&queue->lock);
	do {
		if (ms)
			wait_for_work(queue, ms);
		if (queue->rotating)
			rotate(queue);
		if (queue->stopping)
			queue->wanted = true;
		ms = queue->first && queue->wanted ? write_some(queue) : finish(queue);
	} while (!is_over(queue));
	close_state(queue);
	queue->ended = true;
	left_behind = queue->left_behind;
	pthread_cond_broadcast(&queue->done);
	pthread_mutex_unlock(&queue->lock);
	if (left_behind)
		queue_free(queue);
	return NULL;
}

/* Signals are the caller's. */
static int start_thread(struct kvg_sink_queue *queue)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r;

	if (queue->has_thread)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	r = pthread_create(&queue->thread, &attributes, run, queue);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	queue->has_thread = r == 0;
	return -r;
}

/* --- the caller --- */

bool kvg_sink_queue_push(struct kvg_sink_queue *queue, const char *data, size_t size, size_t limit)
{
	struct item *item = malloc(sizeof(*item) + size);
	bool has_room;

	if (!item)
		return false;
	*item = (struct item){.size = size};
	memcpy(item->data, data, size);

	pthread_mutex_lock(&queue->lock);
	has_room = queue->now.bytes + size <= limit;
	if (has_room) {
		*queue->last = item;
		queue->last = &item->next;
		queue->now.bytes += size;
		queue->now.lines++;
	}
	pthread_mutex_unlock(&queue->lock);
	if (!has_room)
		free(item);
	return has_room;
}

/* Who has nothing to write needs no thread. */
int kvg_sink_queue_wake(struct kvg_sink_queue *queue)
{
	bool has_work;
	int r;

	pthread_mutex_lock(&queue->lock);
	has_work = queue->first || queue->rotating;
	if (queue->first)
		queue->wanted = true;
	pthread_mutex_unlock(&queue->lock);
	if (!has_work)
		return 0;
	r = start_thread(queue);
	pthread_cond_signal(&queue->work);
	return r;
}

int kvg_sink_queue_rotate(struct kvg_sink_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->rotating = true;
	pthread_mutex_unlock(&queue->lock);
	return kvg_sink_queue_wake(queue);
}

static bool is_settled(const struct kvg_sink_queue *queue)
{
	if (queue->stopping || !queue->has_thread)
		return queue->ended || !queue->has_thread;
	return !queue->wanted && !queue->busy && !queue->rotating;
}

int kvg_sink_queue_wait(struct kvg_sink_queue *queue, const struct timespec *end)
{
	int r = 0;

	pthread_mutex_lock(&queue->lock);
	while (!is_settled(queue) && r == 0)
		r = pthread_cond_timedwait(&queue->done, &queue->lock, end);
	r = is_settled(queue) ? 0 : -EAGAIN;
	pthread_mutex_unlock(&queue->lock);
	return r;
}

struct kvg_sink_reading kvg_sink_queue_read(struct kvg_sink_queue *queue)
{
	struct kvg_sink_reading now;

	pthread_mutex_lock(&queue->lock);
	now = queue->now;
	pthread_mutex_unlock(&queue->lock);
	return now;
}

struct kvg_sink_reading kvg_sink_queue_stop(struct kvg_sink_queue *queue,
					    const struct timespec *end)
{
	struct kvg_sink_reading now;

	if (queue->has_thread) {
		pthread_mutex_lock(&queue->lock);
		queue->stopping = true;
		pthread_cond_signal(&queue->work);
		pthread_mutex_unlock(&queue->lock);
		kvg_sink_queue_wait(queue, end);
	}
	pthread_mutex_lock(&queue->lock);
	now = queue->now;
	pthread_mutex_unlock(&queue->lock);
	return now;
}

struct kvg_sink_queue *kvg_sink_queue_close(struct kvg_sink_queue *queue)
{
	bool ended;

	if (!queue)
		return NULL;
	if (!queue->has_thread) {
		queue_free(queue);
		return NULL;
	}
	pthread_mutex_lock(&queue->lock);
	queue->stopping = true;
	ended = queue->ended;
	queue->left_behind = !ended;
	if (!ended)
		pthread_detach(queue->thread);
	pthread_cond_signal(&queue->work);
	pthread_mutex_unlock(
		&queue->lock); /* from here on it is the thread's, if it is left behind */
	if (ended) {
		pthread_join(queue->thread, NULL);
		queue_free(queue);
	}
	return NULL;
}
