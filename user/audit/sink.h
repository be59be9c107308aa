/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where lines of the record go: a file of JSON lines, or words on stderr.
 *
 * Lines wait in a buffer until kvg_sink_flush(), which never blocks on a slow reader. What cannot be
 * written is kept and tried again; what the buffer has no room for is counted, and a line says so as
 * soon as there is room. Whatever happens here, verdicts are not touched.
 *
 * The caller ignores SIGPIPE.
 */
#ifndef KVG_AUDIT_SINK_H
#define KVG_AUDIT_SINK_H

#include <linux/types.h>
#include <stddef.h>

#include "audit/record.h"

/* Some 2,000 JSON lines: what a full disk may hold back before lines are lost. */
#define KVG_SINK_BUFFER_BYTES (1 << 20)

enum kvg_sink_format {
	KVG_SINK_JSON,
	KVG_SINK_WORDS,
};

struct kvg_sink;

/**
 * struct kvg_sink_options - where to, and how
 * @path:         appended to, made with mode 0640 if it is missing, and made again when somebody moves
 *                it away (log rotation); "-" is stdout; NULL means @fd
 * @fd:           open for writing, not closed by the sink
 * @format:       what a line looks like
 * @buffer_bytes: 0 for KVG_SINK_BUFFER_BYTES
 * @trouble:      told once when writing starts to fail, and once when it works again: one sentence;
 *                NULL if nobody wants to know
 * @data:         first argument of @trouble
 */
struct kvg_sink_options {
	const char *path;
	int fd;
	enum kvg_sink_format format;
	size_t buffer_bytes;
	void (*trouble)(void *data, const char *message);
	void *data;
};

/** kvg_sink_open() - open one, for kvg_sink_close(); Return: 0, or a negative errno of open(2) */
int kvg_sink_open(const struct kvg_sink_options *options, struct kvg_sink **ret);

/** kvg_sink_put() - one line; it counts as lost if there is no room for it */
void kvg_sink_put(struct kvg_sink *sink, const struct kvg_record *record);

/** kvg_sink_put_loss() - one line that says that @count refusals have no line, and why */
void kvg_sink_put_loss(struct kvg_sink *sink, __u64 count, const char *why);

/** kvg_sink_flush() - write what waits, without blocking; Return: 0, -EAGAIN reader is slow, ... */
int kvg_sink_flush(struct kvg_sink *sink);

/** kvg_sink_lost() - lines that had no room, since it was opened */
__u64 kvg_sink_lost(const struct kvg_sink *sink);

/** kvg_sink_close() - flush, waiting up to a second for a slow reader; NULL is fine; Return: NULL */
struct kvg_sink *kvg_sink_close(struct kvg_sink *sink);

/** kvg_sink_closep() - for KVG_CLEANUP */
void kvg_sink_closep(struct kvg_sink **sink);

#endif
