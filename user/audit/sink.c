// SPDX-License-Identifier: BSD-2-Clause
#include "audit/sink.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>

#include "audit/sink_kind.h"
#include "audit/sink_queue.h"
#include "base/cleanup.h"

#define FLUSH_BYTES (64 * 1024) /* more does not wait for a flush */
#define CLOSE_MS    1000
#define CLOSE_TIMES 5    /* so many CLOSE_MS for one that is slow, but writes */
#define SLOW_MS     1000 /* a reader that is late now and then is told of once */

/*
 * Of refusals without a line, @lost_told are told by a line, @lost_noticed by a message; @lost_before
 * were told when the trouble began.
 */
struct kvg_sink {
	struct kvg_sink_options options;
	const struct kvg_sink_ops *ops;
	struct kvg_sink_queue *queue;
	char *name;
	size_t unflushed;
	bool in_trouble;
	bool is_slow; /* that is the trouble */
	struct timespec slow_until;
	__u64 lost;
	__u64 lost_told;
	__u64 lost_before;
	__u64 lost_noticed;
	__u64 dropped;
};

static const struct {
	const char *word;
	bool needs_json;
	size_t buffer_bytes;
} kinds[] = {
#define X(name, word, needs_json, buffer_bytes) {word, needs_json, buffer_bytes},
	KVG_SINK_KINDS(X)
#undef X
};

static const struct kvg_sink_ops *const ops_of[] = {
	[KVG_SINK_FILE] = &kvg_sink_file_ops,
	[KVG_SINK_STDOUT] = &kvg_sink_stdout_ops,
	[KVG_SINK_WORDS] = &kvg_sink_words_ops,
	[KVG_SINK_JOURNAL] = &kvg_sink_journal_ops,
	[KVG_SINK_SYSLOG] = &kvg_sink_syslog_ops,
	[KVG_SINK_LINUX_AUDIT] = &kvg_sink_linux_audit_ops,
	[KVG_SINK_CALLBACK] = &kvg_sink_callback_ops,
};
_Static_assert(KVG_ARRAY_SIZE(ops_of) == KVG_SINK_KIND_COUNT, "each kind can do something");

const char *kvg_sink_word(enum kvg_sink_kind kind)
{
	return kinds[kind].word;
}

enum kvg_sink_kind kvg_sink_kind(const struct kvg_sink *sink)
{
	return sink->options.kind;
}

bool kvg_sink_needs_json(const struct kvg_sink *sink)
{
	return kinds[sink->options.kind].needs_json;
}

int kvg_sink_priority(const struct kvg_sink_line *line)
{
	bool passed = line->record && line->record->refusal.mode == KVG_MODE_AUDIT;

	return passed ? LOG_NOTICE : LOG_WARNING;
}

void kvg_sink_put_words(const struct kvg_sink_line *line, FILE *out)
{
	char words[KVG_RECORD_WORDS_LEN];

	if (line->record)
		fputs(kvg_record_format_words(line->record, words), out);
	else
		fprintf(out, "%llu refusals are not listed: %s", line->lost, line->why);
}

static void tell(struct kvg_sink *sink, bool failing, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(struct kvg_sink *sink, bool failing, const char *format, ...)
{
	KVG_CLEANUP(kvg_freep) char *message = NULL;
	va_list args;
	int r;

	if (!sink->options.trouble)
		return;
	va_start(args, format);
	r = vasprintf(&message, format, args);
	va_end(args);
	if (r < 0) {
		message = NULL;
		return;
	}
	sink->options.trouble(sink->options.data, failing, message);
}

int kvg_sink_open(const struct kvg_sink_options *options, struct kvg_sink **ret,
		  struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_sink_closep) struct kvg_sink *sink = calloc(1, sizeof(*sink));
	void *state = NULL;
	int r;

	if (!sink)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	sink->options = *options;
	sink->options.path = NULL; /* the caller's */
	if (!sink->options.buffer_bytes)
		sink->options.buffer_bytes = kinds[options->kind].buffer_bytes;
	sink->ops = ops_of[options->kind];
	r = sink->ops->open(options, &state, &sink->name, reterr_diag);
	if (r < 0)
		return r;
	sink->queue = kvg_sink_queue_open(sink->ops, state);
	if (!sink->queue)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");

	*ret = KVG_TAKE_PTR(sink);
	return 0;
}

/* --- lines --- */

static void count_dropped(struct kvg_sink *sink, size_t lines)
{
	sink->dropped += lines;
	if (sink->options.dropped)
		*sink->options.dropped += lines;
}

static void drop(struct kvg_sink *sink, __u64 refusals)
{
	sink->lost += refusals;
	count_dropped(sink, 1);
}

/* As the kind has it; false without memory. */
static bool format(const struct kvg_sink *sink, const struct kvg_sink_line *line, char **ret,
		   size_t *ret_size)
{
	void (*put)(const struct kvg_sink_line *, FILE *) =
		line->record ? sink->ops->put : sink->ops->put_loss;
	FILE *out;

	if (!put)
		return kvg_record_format_loss_json(line->lost, line->why, ret, ret_size) == 0;
	out = open_memstream(ret, ret_size);
	if (!out)
		return false;
	put(line, out);
	return fclose(out) == 0;
}

static bool push(struct kvg_sink *sink, const struct kvg_sink_line *line, const char *text,
		 size_t size)
{
	size_t reserve = line->record ? KVG_SINK_LOSS_BYTES : 0;

	if (sink->options.buffer_bytes < reserve)
		return false;
	sink->unflushed += size;
	return kvg_sink_queue_push(sink->queue, text, size, sink->options.buffer_bytes - reserve);
}

static bool push_line(struct kvg_sink *sink, const struct kvg_sink_line *line)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size = 0;

	if (line->record && !sink->ops->put)
		return line->json && push(sink, line, line->json, line->size);
	return format(sink, line, &text, &size) && push(sink, line, text, size);
}

static void deliver(struct kvg_sink *sink, const struct kvg_sink_line *line)
{
	sink->ops->deliver(kvg_sink_queue_state(sink->queue), line);
}

void kvg_sink_put(struct kvg_sink *sink, const struct kvg_record *record, const char *json,
		  size_t size)
{
	const struct kvg_sink_line line = {.record = record, .json = json, .size = size};
	bool taken = json || !kvg_sink_needs_json(sink);

	if (taken && sink->ops->deliver)
		deliver(sink, &line);
	else if (taken)
		taken = push_line(sink, &line);
	if (!taken)
		drop(sink, record->count);
	if (sink->unflushed >= FLUSH_BYTES)
		kvg_sink_flush(sink);
}

void kvg_sink_put_loss(struct kvg_sink *sink, __u64 count, const char *why)
{
	const struct kvg_sink_line line = {.lost = count, .why = why};

	if (sink->ops->deliver)
		deliver(sink, &line);
	else if (!push_line(sink, &line))
		drop(sink, count);
}

/* --- troubles --- */

static void tell_trouble(struct kvg_sink *sink, int error, const struct kvg_diag *diag)
{
	sink->in_trouble = true;
	sink->lost_before = sink->lost_told;
	if (diag && diag->msg[0])
		tell(sink, true, "%s", diag->msg);
	else
		tell(sink, true,
		     "records cannot be written to \"%s\": %s; the gate is not affected, and %zu "
		     "KiB of records are kept and tried again",
		     sink->name, error == -EAGAIN ? "its reader is too slow" : strerror(-error),
		     sink->options.buffer_bytes / 1024);
}

static bool is_past(const struct timespec *then)
{
	struct timespec now = kvg_sink_queue_deadline(0);

	return now.tv_sec > then->tv_sec ||
	       (now.tv_sec == then->tv_sec && now.tv_nsec >= then->tv_nsec);
}

static bool is_mended(const struct kvg_sink *sink, const struct kvg_sink_reading *now)
{
	return now->bytes <= sink->options.buffer_bytes / 2 &&
	       (!sink->is_slow || is_past(&sink->slow_until));
}

/* Each state is told once. A slow reader is trouble only when lines are lost. */
static int tell_state(struct kvg_sink *sink, const struct kvg_sink_reading *now)
{
	bool is_slow = sink->lost != sink->lost_noticed;
	int error = now->error ? now->error : is_slow ? -EAGAIN : now->flush_error;

	sink->lost_noticed = sink->lost;
	if (is_slow)
		sink->slow_until = kvg_sink_queue_deadline(SLOW_MS);
	if (error && !sink->in_trouble) {
		sink->is_slow = error == -EAGAIN;
		tell_trouble(sink, error, sink->is_slow ? NULL : &now->diag);
	} else if (!error && sink->in_trouble && is_mended(sink, now)) {
		sink->in_trouble = false;
		tell(sink, false, "records are written to \"%s\" again; %llu were lost", sink->name,
		     sink->lost - sink->lost_before);
	}
	return error;
}

static void push_losses(struct kvg_sink *sink)
{
	const struct kvg_sink_line line = {
		.lost = sink->lost - sink->lost_told,
		.why = "they could not be written in time",
	};

	if (line.lost && push_line(sink, &line))
		sink->lost_told = sink->lost;
}

/* Losses are told when half of the queue is empty: else each line would be followed by such a one. */
int kvg_sink_flush(struct kvg_sink *sink)
{
	struct kvg_sink_reading now;
	int error, r;

	sink->unflushed = 0;
	if (sink->ops->deliver)
		return 0;
	now = kvg_sink_queue_read(sink->queue);
	error = tell_state(sink, &now);
	if (!now.error && now.bytes <= sink->options.buffer_bytes / 2)
		push_losses(sink);
	r = kvg_sink_queue_wake(sink->queue);
	if (r < 0 && !sink->in_trouble)
		tell_trouble(sink, r,
			     &(struct kvg_diag){.msg = "no thread can be started that "
						       "writes records"});
	return r < 0 ? r : error;
}

int kvg_sink_settle(struct kvg_sink *sink, unsigned int ms)
{
	const struct timespec end = kvg_sink_queue_deadline(ms);
	struct kvg_sink_reading now;
	int r = kvg_sink_flush(sink);

	if (sink->ops->deliver)
		return 0;
	if (kvg_sink_queue_wait(sink->queue, &end) < 0)
		return -EAGAIN;
	now = kvg_sink_queue_read(sink->queue);
	return r < 0 && now.bytes ? r : tell_state(sink, &now);
}

void kvg_sink_rotate(struct kvg_sink *sink)
{
	if (sink->ops->rotate)
		kvg_sink_queue_rotate(sink->queue);
}

__u64 kvg_sink_lost(const struct kvg_sink *sink)
{
	return sink->lost;
}

__u64 kvg_sink_dropped(const struct kvg_sink *sink)
{
	return sink->dropped;
}

/* As long as the queue gets shorter. */
static void wait_for_rest(struct kvg_sink *sink)
{
	size_t left = kvg_sink_queue_read(sink->queue).bytes;

	for (int i = 0; i < CLOSE_TIMES; i++) {
		const struct timespec end = kvg_sink_queue_deadline(CLOSE_MS);
		size_t before = left;

		if (kvg_sink_queue_wait(sink->queue, &end) == 0)
			return;
		left = kvg_sink_queue_read(sink->queue).bytes;
		if (left >= before)
			return;
	}
}

/* What cannot be written now is lost. */
static void finish(struct kvg_sink *sink)
{
	struct kvg_sink_reading now;
	struct timespec end;

	kvg_sink_flush(sink);
	wait_for_rest(sink);
	push_losses(sink);
	kvg_sink_queue_wake(sink->queue);
	end = kvg_sink_queue_deadline(CLOSE_MS);
	now = kvg_sink_queue_stop(sink->queue, &end);
	tell_state(sink, &now);
	count_dropped(sink, now.lines);
	if (now.bytes)
		tell(sink, true, "the last %zu bytes of records could not be written to \"%s\"",
		     now.bytes, sink->name);
}

struct kvg_sink *kvg_sink_close(struct kvg_sink *sink)
{
	if (!sink)
		return NULL;
	if (sink->queue && !sink->ops->deliver)
		finish(sink);
	kvg_sink_queue_close(sink->queue);
	free(sink->name);
	free(sink);
	return NULL;
}

void kvg_sink_closep(struct kvg_sink **sink)
{
	*sink = kvg_sink_close(*sink);
}
