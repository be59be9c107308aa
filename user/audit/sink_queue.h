/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A queue of lines, and a thread that takes them away. The thread knows the queue and the state of its
 * kind; counting losses and telling troubles is up to sink.c. Nobody else includes this.
 */
#ifndef KVG_AUDIT_SINK_QUEUE_H
#define KVG_AUDIT_SINK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "audit/sink_kind.h"

struct kvg_sink_queue;

/**
 * struct kvg_sink_reading - how it is at a moment
 * @error:       of the last write; 0 if it went well
 * @flush_error: of the last flush, likewise
 * @bytes:       that wait
 * @lines:       that wait, whole or in part
 * @diag:        of whichever failed last
 */
struct kvg_sink_reading {
	int error;
	int flush_error;
	size_t bytes;
	size_t lines;
	struct kvg_diag diag;
};

/**
 * kvg_sink_queue_open() - an empty one, for kvg_sink_queue_close()
 * @ops:   the kind; its @write, @flush and @rotate are called in the thread
 * @state: owned by the queue from here on, also on failure
 *
 * Return: NULL without memory
 */
struct kvg_sink_queue *kvg_sink_queue_open(const struct kvg_sink_ops *ops, void *state);

/** kvg_sink_queue_state() - of the kind; what is called in the thread must not be called with it */
void *kvg_sink_queue_state(struct kvg_sink_queue *queue);

/**
 * kvg_sink_queue_push() - one line more
 * @queue: where to
 * @data:  copied
 * @size:  its bytes
 * @limit: how many bytes may wait then
 *
 * Return: false without room or memory
 */
bool kvg_sink_queue_push(struct kvg_sink_queue *queue, const char *data, size_t size, size_t limit);

/** kvg_sink_queue_wake() - have what is there written; the thread starts if need be; 0 or -EAGAIN */
int kvg_sink_queue_wake(struct kvg_sink_queue *queue);

/** kvg_sink_queue_rotate() - have @rotate called; as kvg_sink_queue_wake() */
int kvg_sink_queue_rotate(struct kvg_sink_queue *queue);

/** kvg_sink_queue_deadline() - a moment @ms from now, for what follows */
struct timespec kvg_sink_queue_deadline(unsigned int ms);

/** kvg_sink_queue_wait() - until all it was woken for is written, or cannot be; 0, or -EAGAIN at @end */
int kvg_sink_queue_wait(struct kvg_sink_queue *queue, const struct timespec *end);

/** kvg_sink_queue_read() - how it is */
struct kvg_sink_reading kvg_sink_queue_read(struct kvg_sink_queue *queue);

/**
 * kvg_sink_queue_stop() - write the rest
 * @queue: its thread is gone then, or hangs in a system call: then it is left behind
 * @end:   when to give up
 *
 * Return: how it was in the end
 */
struct kvg_sink_reading kvg_sink_queue_stop(struct kvg_sink_queue *queue,
					    const struct timespec *end);

/** kvg_sink_queue_close() - free it and the state; a thread that was left behind does so; NULL is fine */
struct kvg_sink_queue *kvg_sink_queue_close(struct kvg_sink_queue *queue);

#endif
