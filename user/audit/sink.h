/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where lines of the record go. There is a kind of sink for each place: enum kvg_sink_kind.
 *
 * Each sink has a queue of bounded size and a thread of its own that empties it: a slow sink blocks
 * neither another nor the caller. What cannot be written is kept and tried again; what the queue has
 * no room for is counted, and a line says so as soon as there is room. Whatever happens here, verdicts
 * are not touched.
 *
 * All functions of one sink are for one thread. The caller ignores SIGPIPE.
 */
#ifndef KVG_AUDIT_SINK_H
#define KVG_AUDIT_SINK_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "audit/record.h"
#include "base/diag.h"
#include "policy/words.h"

/*
 * X(enumerator, word, needs JSON?, bytes of its queue): the word is the metric's label. A file may be
 * given all lines of the kernel's table of counts at once, KVG_TALLIES_MAX of some 450 bytes; it also
 * is what a full disk may hold back before lines are lost. The others are for people and services that
 * take no such flood anyway.
 */
#define KVG_SINK_KINDS(X)                             \
	X(FILE, "file", true, 32 << 20)               \
	X(STDOUT, "stdout", true, 32 << 20)           \
	X(WORDS, "stderr", false, 4 << 20)            \
	X(JOURNAL, "journal", false, 4 << 20)         \
	X(SYSLOG, "syslog", true, 4 << 20)            \
	X(LINUX_AUDIT, "linux_audit", false, 4 << 20) \
	X(CALLBACK, "callback", true, 0)

enum kvg_sink_kind {
#define X(name, word, needs_json, buffer_bytes) KVG_SINK_##name,
	KVG_SINK_KINDS(X)
#undef X
		KVG_SINK_KIND_COUNT
};

struct kvg_sink;

/**
 * struct kvg_sink_callback - lines for somebody in this process; called from kvg_sink_put() itself
 * @put:      a line; @json ends with a newline, and holds until the function returns
 * @put_loss: @count refusals have no line
 * @data:     their first argument
 */
struct kvg_sink_callback {
	void (*put)(void *data, const struct kvg_record *record, const char *json, size_t size);
	void (*put_loss)(void *data, __u64 count, const char *why);
	void *data;
};

/**
 * struct kvg_sink_options - where to, and how
 * @kind:         which; decides what of the following counts
 * @path:         FILE, WORDS: appended to, made with mode 0640 if it is missing, and made again when
 *                somebody moves it away (log rotation); "-" is stdout; NULL means @fd. SYSLOG: the
 *                socket, NULL for /dev/log
 * @fd:           FILE, WORDS: open for writing; the sink takes a copy
 * @max_bytes:    FILE: rotated before it would be longer; 0 for never
 * @keep:         FILE: rotated files that are kept, as PATH.1 (the latest), PATH.2, ...
 * @fsync:        FILE: when it is made sure that the disk has the lines
 * @callback:     CALLBACK: whom to call
 * @buffer_bytes: of the queue; 0 for what its kind has
 * @dropped:      grows by each line that is dropped, those that are left at the end included; NULL if
 *                nobody counts
 * @trouble:      told once when writing starts to fail (@failing), and once when it works again: one
 *                sentence; called from the functions below; NULL if nobody wants to know
 * @data:         first argument of @trouble
 */
struct kvg_sink_options {
	enum kvg_sink_kind kind;
	const char *path;
	int fd;
	__u64 max_bytes;
	unsigned int keep;
	enum kvg_fsync fsync;
	struct kvg_sink_callback callback;
	size_t buffer_bytes;
	__u64 *dropped;
	void (*trouble)(void *data, bool failing, const char *message);
	void *data;
};

/**
 * kvg_sink_open() - open one, for kvg_sink_close()
 * @options:     what its pointers name is not needed afterwards, but callbacks are
 * @ret:         untouched on failure
 * @reterr_diag: why not: one sentence that names the place
 *
 * Its thread starts with the first flush: a process may fork between.
 *
 * Return: 0, or a negative errno: of open(2); -ENOENT if there is no journal or no syslog;
 * -EPROTONOSUPPORT if the kernel has no audit, -ENOTCONN if it is off
 */
int kvg_sink_open(const struct kvg_sink_options *options, struct kvg_sink **ret,
		  struct kvg_diag *reterr_diag);

/** kvg_sink_word() - of its kind: "file", "journal", ...; the metric's label */
const char *kvg_sink_word(enum kvg_sink_kind kind);

/** kvg_sink_kind() - what was opened */
enum kvg_sink_kind kvg_sink_kind(const struct kvg_sink *sink);

/** kvg_sink_needs_json() - whether kvg_sink_put() wants the line as JSON */
bool kvg_sink_needs_json(const struct kvg_sink *sink);

/**
 * kvg_sink_put() - one line; it is dropped if there is no room for it
 * @sink:   where to
 * @record: the names are filled
 * @json:   what kvg_record_format_json() makes of it; NULL without memory, or if no sink needs it
 * @size:   its bytes
 */
void kvg_sink_put(struct kvg_sink *sink, const struct kvg_record *record, const char *json,
		  size_t size);

/** kvg_sink_put_loss() - one line that says that @count refusals have no line, and why */
void kvg_sink_put_loss(struct kvg_sink *sink, __u64 count, const char *why);

/**
 * kvg_sink_flush() - have what waits written, without waiting for it; tell troubles
 *
 * Return: 0, or why writing failed last; -EAGAIN if lines were dropped for its slowness
 */
int kvg_sink_flush(struct kvg_sink *sink);

/** kvg_sink_settle() - flush, wait until all is written, at most @ms; 0, -EAGAIN, or as above */
int kvg_sink_settle(struct kvg_sink *sink, unsigned int ms);

/** kvg_sink_rotate() - FILE: begin a new file at the next line, whatever the size; others: nothing */
void kvg_sink_rotate(struct kvg_sink *sink);

/** kvg_sink_lost() - refusals whose lines had no room, since it was opened */
__u64 kvg_sink_lost(const struct kvg_sink *sink);

/** kvg_sink_dropped() - the lines themselves */
__u64 kvg_sink_dropped(const struct kvg_sink *sink);

/**
 * kvg_sink_close() - write the rest
 * @sink: NULL is fine
 *
 * Waits two seconds for one that takes nothing, up to six for one that is slow.
 *
 * Return: NULL
 */
struct kvg_sink *kvg_sink_close(struct kvg_sink *sink);

/** kvg_sink_closep() - for KVG_CLEANUP */
void kvg_sink_closep(struct kvg_sink **sink);

#endif
