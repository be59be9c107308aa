// SPDX-License-Identifier: BSD-2-Clause
#include "audit/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define FLUSH_BYTES     (64 * 1024) /* a file gets its lines in pieces of about this size */
#define SLOW_READER_MS  1000
#define FILE_MODE       0640 /* who calls whom is not everybody's business */
#define LOSS_LINE_BYTES 256  /* room kept for the line that says what was lost */

/*
 * The unwritten bytes are buffer[start .. end); they may begin within a line, when the disk was full
 * after the line's first part, and always end with one.
 */
struct kvg_sink {
	struct kvg_sink_options options;
	char *path; /* absolute; NULL if it is not a file of ours */
	char *name; /* for messages */
	int fd;
	bool owns_fd;
	bool is_regular;
	bool in_trouble;
	char *buffer;
	size_t start;
	size_t end;
	__u64 lost;
	__u64 lost_told;
};

/* Moving is told by inode; what is not a regular file stays open. */
static int open_file(struct kvg_sink *sink, const char *path, int more_flags)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | more_flags;
	struct stat st;
	int fd;

	fd = open(path, flags, FILE_MODE);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		close(fd);
		return -errno;
	}
	if (sink->owns_fd)
		close(sink->fd);
	sink->fd = fd;
	sink->owns_fd = true;
	sink->is_regular = S_ISREG(st.st_mode);
	return 0;
}

static int use_descriptor(struct kvg_sink *sink, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	sink->fd = fd;
	sink->is_regular = S_ISREG(st.st_mode);
	return 0;
}

static int open_target(struct kvg_sink *sink)
{
	const char *path = sink->options.path;
	int r;

	sink->name = strdup(!path ? "stderr" : strcmp(path, "-") == 0 ? "stdout" : path);
	if (!sink->name)
		return -ENOMEM;
	if (!path)
		return use_descriptor(sink, sink->options.fd);
	if (strcmp(path, "-") == 0)
		return use_descriptor(sink, STDOUT_FILENO);

	r = open_file(sink, path, 0);
	if (r < 0 || !sink->is_regular)
		return r;

	sink->path = realpath(path, NULL);
	return sink->path ? 0 : -errno;
}

int kvg_sink_open(const struct kvg_sink_options *options, struct kvg_sink **ret)
{
	KVG_CLEANUP(kvg_sink_closep) struct kvg_sink *sink = calloc(1, sizeof(*sink));
	int r;

	if (!sink)
		return -ENOMEM;

	sink->fd = -1;
	sink->options = *options;
	if (!sink->options.buffer_bytes)
		sink->options.buffer_bytes = KVG_SINK_BUFFER_BYTES;
	sink->buffer = malloc(sink->options.buffer_bytes);
	if (!sink->buffer)
		return -ENOMEM;

	r = open_target(sink);
	if (r < 0)
		return r;

	sink->options.path = NULL; /* the caller's */
	*ret = KVG_TAKE_PTR(sink);
	return 0;
}

static void tell(struct kvg_sink *sink, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct kvg_sink *sink, const char *format, ...)
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
	sink->options.trouble(sink->options.data, message);
}

static bool put_bytes(struct kvg_sink *sink, const char *line, size_t size, size_t reserve)
{
	if (sink->start && sink->end + size + reserve > sink->options.buffer_bytes) {
		memmove(sink->buffer, sink->buffer + sink->start, sink->end - sink->start);
		sink->end -= sink->start;
		sink->start = 0;
	}
	if (sink->end + size + reserve > sink->options.buffer_bytes)
		return false;

	memcpy(sink->buffer + sink->end, line, size);
	sink->end += size;
	return true;
}

static int format_line(const struct kvg_sink *sink, const struct kvg_record *record, char **ret,
		       size_t *ret_size)
{
	char words[KVG_RECORD_WORDS_LEN];
	int r;

	if (sink->options.format == KVG_SINK_JSON)
		return kvg_record_format_json(record, kvg_record_wall_offset(), ret, ret_size);

	r = asprintf(ret, "%s\n", kvg_record_format_words(record, words));
	if (r < 0)
		return -ENOMEM;
	*ret_size = r;
	return 0;
}

void kvg_sink_put(struct kvg_sink *sink, const struct kvg_record *record)
{
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	size_t size = 0;

	if (format_line(sink, record, &line, &size) < 0) {
		line = NULL;
		sink->lost += record->count;
		return;
	}
	if (!put_bytes(sink, line, size, LOSS_LINE_BYTES)) {
		sink->lost += record->count;
		return;
	}
	if (sink->end - sink->start >= FLUSH_BYTES)
		kvg_sink_flush(sink);
}

static bool try_put_loss(struct kvg_sink *sink, __u64 count, const char *why)
{
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	size_t size = 0;
	int r;

	if (sink->options.format == KVG_SINK_JSON) {
		r = kvg_record_format_loss_json(count, why, &line, &size);
	} else {
		r = asprintf(&line, "%llu refusals are not listed: %s\n", count, why);
		size = r > 0 ? r : 0;
	}
	if (r < 0) {
		line = NULL;
		return false;
	}
	return put_bytes(sink, line, size, 0);
}

void kvg_sink_put_loss(struct kvg_sink *sink, __u64 count, const char *why)
{
	if (!try_put_loss(sink, count, why))
		sink->lost += count;
}

/* A file that was moved away is made again; until that works, lines go on into the moved one. */
static void follow_rotation(struct kvg_sink *sink)
{
	struct stat there;
	struct stat ours;

	if (!sink->path || fstat(sink->fd, &ours) < 0)
		return;
	if (stat(sink->path, &there) == 0 && there.st_ino == ours.st_ino &&
	    there.st_dev == ours.st_dev)
		return;
	open_file(sink, sink->path, O_NONBLOCK); /* whatever is there now */
}

/* A pipe or terminal that polls writable takes PIPE_BUF bytes without blocking. */
static ssize_t write_once(struct kvg_sink *sink, int timeout_ms)
{
	size_t size = sink->end - sink->start;
	struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
	ssize_t n;

	if (!sink->is_regular) {
		if (poll(&ready, 1, timeout_ms) != 1)
			return -EAGAIN;
		if (size > PIPE_BUF)
			size = PIPE_BUF;
	}
	n = write(sink->fd, sink->buffer + sink->start, size);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n;
}

static int write_out(struct kvg_sink *sink, int timeout_ms)
{
	while (sink->start < sink->end) {
		ssize_t n = write_once(sink, timeout_ms);

		if (n < 0)
			return n;
		sink->start += n;
	}
	sink->start = 0;
	sink->end = 0;
	return 0;
}

/* Each state is told once. A slow reader is trouble only when lines are lost. */
static void tell_state(struct kvg_sink *sink, int error)
{
	bool is_slow = error == -EAGAIN && sink->lost == sink->lost_told;

	if (error < 0 && !is_slow && !sink->in_trouble) {
		sink->in_trouble = true;
		tell(sink,
		     "records cannot be written to \"%s\": %s; the gate is not affected, and %zu "
		     "KiB of "
		     "records are kept and tried again",
		     sink->name, error == -EAGAIN ? "its reader is too slow" : strerror(-error),
		     sink->options.buffer_bytes / 1024);
	}
	if (error == 0 && sink->in_trouble) {
		sink->in_trouble = false;
		tell(sink, "records are written to \"%s\" again; %llu were lost", sink->name,
		     sink->lost - sink->lost_told);
	}
}

static int flush(struct kvg_sink *sink, int timeout_ms)
{
	int r;

	follow_rotation(sink);
	r = write_out(sink, timeout_ms);
	tell_state(sink, r);
	if (r < 0 || sink->lost == sink->lost_told)
		return r;

	if (try_put_loss(sink, sink->lost - sink->lost_told, "they could not be written in time"))
		sink->lost_told = sink->lost;
	return write_out(sink, timeout_ms);
}

int kvg_sink_flush(struct kvg_sink *sink)
{
	if (sink->start == sink->end && sink->lost == sink->lost_told)
		return 0;
	return flush(sink, 0);
}

__u64 kvg_sink_lost(const struct kvg_sink *sink)
{
	return sink->lost;
}

struct kvg_sink *kvg_sink_close(struct kvg_sink *sink)
{
	if (!sink)
		return NULL;
	if (sink->fd >= 0 && (sink->start < sink->end || sink->lost != sink->lost_told) &&
	    flush(sink, SLOW_READER_MS) < 0)
		tell(sink, "the last %zu bytes of records could not be written to \"%s\"",
		     sink->end - sink->start, sink->name);
	if (sink->owns_fd)
		close(sink->fd);
	free(sink->buffer);
	free(sink->path);
	free(sink->name);
	free(sink);
	return NULL;
}

void kvg_sink_closep(struct kvg_sink **sink)
{
	*sink = kvg_sink_close(*sink);
}
