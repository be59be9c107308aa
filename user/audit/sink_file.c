// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files, stdout, words on stderr. A line is never torn over two files. Two processes may write to the
 * same file, and rotate it: whoever has it locked does.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "audit/sink_kind.h"
#include "base/cleanup.h"

#define FILE_MODE     0640 /* who calls whom is not everybody's business */
#define SLOW_MS       100  /* how long a write waits for a reader */
#define FSYNC_MS      1000
#define NS_PER_MS     1000000LL
#define MS_PER_SECOND 1000LL

/* struct output - @path is absolute, NULL if it is not a file of ours; @within: the last line is not
 * whole; @dirty_ms: since when the disk may lack lines, 0 if it has them */
struct output {
	char *path;
	int fd;
	bool is_regular;
	bool within;
	bool rotating;
	__u64 max_bytes;
	unsigned int keep;
	enum kvg_fsync fsync;
	long long dirty_ms;
	int rotate_error;
	int fsync_error;
};

static long long now_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

static void sync_now(struct output *output)
{
	if (!output->dirty_ms)
		return;
	output->fsync_error = fdatasync(output->fd) < 0 ? -errno : 0;
	output->dirty_ms = 0;
}

/* --- opening --- */

/* Moving is told by inode; what is not a regular file stays open. */
static int open_file(struct output *output, const char *path, int more_flags)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | more_flags;
	KVG_CLEANUP(kvg_closep) int fd = open(path, flags, FILE_MODE);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	sync_now(output);
	kvg_closep(&output->fd);
	output->fd = KVG_TAKE_FD(fd);
	output->is_regular = S_ISREG(st.st_mode);
	return 0;
}

/* A copy: should it be left open by a thread that hangs, nobody else gets its number. */
static int use_descriptor(struct output *output, int fd)
{
	struct stat st;

	output->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (output->fd < 0 || fstat(output->fd, &st) < 0)
		return -errno;
	output->is_regular = S_ISREG(st.st_mode);
	return 0;
}

static void output_close(void *state)
{
	struct output *output = state;

	sync_now(output);
	kvg_closep(&output->fd);
	free(output->path);
	free(output);
}

static void output_closep(struct output **output)
{
	if (*output)
		output_close(*output);
}

static int open_target(struct output *output, const char *path, int fd)
{
	int r;

	if (!path)
		return use_descriptor(output, fd);
	if (strcmp(path, "-") == 0)
		return use_descriptor(output, STDOUT_FILENO);

	r = open_file(output, path, 0);
	if (r < 0 || !output->is_regular)
		return r;
	output->path = realpath(path, NULL);
	return output->path ? 0 : -errno;
}

static const char *name_of(const char *path, int fd)
{
	if (path)
		return strcmp(path, "-") == 0 ? "stdout" : path;
	return fd == STDOUT_FILENO ? "stdout" : "stderr";
}

static int open_output(const struct kvg_sink_options *options, void **ret, char **ret_name,
		       struct kvg_diag *reterr_diag)
{
	const char *name = name_of(options->path, options->fd);
	KVG_CLEANUP(output_closep) struct output *output = calloc(1, sizeof(*output));
	int r = -ENOMEM;

	if (output) {
		output->fd = -1;
		output->max_bytes = options->max_bytes;
		output->keep = options->keep;
		output->fsync = options->fsync;
		r = open_target(output, options->path, options->fd);
	}
	if (r == 0) {
		*ret_name = strdup(name);
		r = *ret_name ? 0 : -ENOMEM;
	}
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot write records to '%s': %s", name,
				    strerror(-r));
	*ret = KVG_TAKE_PTR(output);
	return 0;
}

static int open_stdout(const struct kvg_sink_options *options, void **ret, char **ret_name,
		       struct kvg_diag *reterr_diag)
{
	const struct kvg_sink_options own = {.kind = options->kind, .path = "-"};

	return open_output(&own, ret, ret_name, reterr_diag);
}

/* --- rotating --- */

static bool is_moved(const struct output *output)
{
	struct stat there, ours;

	if (fstat(output->fd, &ours) < 0)
		return false;
	return stat(output->path, &there) < 0 || there.st_ino != ours.st_ino ||
	       there.st_dev != ours.st_dev;
}

/* PATH.@number; 0: PATH itself */
static const char *number_path(const struct output *output, unsigned int number, char ret[PATH_MAX])
{
	if (number)
		snprintf(ret, PATH_MAX, "%s.%u", output->path, number);
	else
		snprintf(ret, PATH_MAX, "%s", output->path);
	return ret;
}

/* PATH.4 becomes PATH.5, ..., PATH becomes PATH.1; PATH.KEEP is overwritten. */
static int shift_files(const struct output *output)
{
	char from[PATH_MAX], to[PATH_MAX];

	unsigned int count = 1;

	if (output->keep == 0)
		return unlink(output->path) < 0 ? -errno : 0;
	while (count < output->keep && access(number_path(output, count, to), F_OK) == 0)
		count++;
	for (unsigned int i = count; i > 0; i--) {
		number_path(output, i - 1, from);
		if (rename(from, number_path(output, i, to)) < 0 && (errno != ENOENT || i == 1))
			return -errno;
	}
	return 0;
}

/* What fails leaves the file as it is: it grows on. */
static void rotate_file(struct output *output)
{
	output->rotate_error = 0;
	if (flock(output->fd, LOCK_EX | LOCK_NB) < 0)
		return; /* by somebody else, at this moment */
	if (!is_moved(output))
		output->rotate_error = shift_files(output);
	flock(output->fd, LOCK_UN);
	if (output->rotate_error == 0)
		output->rotate_error = open_file(output, output->path, O_NONBLOCK);
}

static bool is_full(const struct output *output, size_t next)
{
	struct stat st;

	return output->max_bytes && fstat(output->fd, &st) == 0 && st.st_size > 0 &&
	       (__u64)st.st_size + next > output->max_bytes;
}

/* Between two lines only. Until a moved file can be made again, lines go on into the moved one. */
static void prepare_file(struct output *output, size_t next)
{
	struct stat st;

	if (output->within || !output->path)
		return;
	if (is_moved(output) && open_file(output, output->path, O_NONBLOCK) == 0)
		output->rotate_error = 0; /* whatever is there now */
	if (!output->is_regular)
		return;
	if (is_full(output, next) ||
	    (output->rotating && fstat(output->fd, &st) == 0 && st.st_size > 0))
		rotate_file(output);
	output->rotating = false;
}

static void rotate(void *state)
{
	struct output *output = state;

	output->rotating = true;
}

/* --- writing --- */

/* How many of the lines the file may take before it is to be rotated; at least one. */
static size_t fitting(const struct output *output, const struct iovec *lines, size_t count)
{
	__u64 size = 0;
	struct stat st;
	size_t i;

	if (!output->path || !output->max_bytes || fstat(output->fd, &st) < 0)
		return count;
	size = st.st_size;
	for (i = 0; i < count; i++) {
		size += lines[i].iov_len;
		if (i > 0 && size > output->max_bytes)
			break;
	}
	return i;
}

static bool ends_line(const struct iovec *lines, size_t bytes)
{
	while (bytes > lines->iov_len)
		bytes -= lines++->iov_len;
	return ((const char *)lines->iov_base)[bytes - 1] == '\n';
}

/* A pipe or terminal that polls writable takes PIPE_BUF bytes without blocking. */
static ssize_t write_pipe(const struct output *output, const struct iovec *line)
{
	struct pollfd ready = {.fd = output->fd, .events = POLLOUT};
	size_t size = line->iov_len < PIPE_BUF ? line->iov_len : PIPE_BUF;
	ssize_t n;

	if (poll(&ready, 1, SLOW_MS) != 1)
		return -EAGAIN;
	n = write(output->fd, line->iov_base, size);
	return n < 0 ? -errno : n;
}

static ssize_t write_file(struct output *output, const struct iovec *lines, size_t count)
{
	ssize_t n;

	prepare_file(output, lines->iov_len);
	if (!output->is_regular)
		return write_pipe(output, lines);
	n = writev(output->fd, lines, (int)fitting(output, lines, count));
	if (n < 0)
		return -errno;
	if (!output->dirty_ms && output->fsync != KVG_FSYNC_NONE)
		output->dirty_ms = now_ms();
	return n;
}

static int sync_if_due(struct output *output)
{
	long long left;

	if (!output->dirty_ms)
		return 0;
	left = output->dirty_ms + FSYNC_MS - now_ms();
	if (output->fsync == KVG_FSYNC_INTERVAL && left > 0)
		return (int)left;
	sync_now(output);
	return 0;
}

static ssize_t write_output(void *state, const struct iovec *lines, size_t count,
			    struct kvg_diag *reterr_diag)
{
	struct output *output = state;
	ssize_t n;

	(void)reterr_diag;
	n = write_file(output, lines, count);
	if (n == -EINTR)
		return -EAGAIN;
	if (n > 0)
		output->within = !ends_line(lines, n);
	sync_if_due(output);
	return n;
}

/* The disk's own faults; what cannot be synced by its nature (EINVAL) needs no words. */
static int flush_output(void *state, struct kvg_diag *reterr_diag)
{
	struct output *output = state;
	int ms = sync_if_due(output);

	if (output->rotate_error < 0)
		return kvg_diag_set(reterr_diag, output->rotate_error,
				    "the file of records '%s' cannot be rotated, and grows on: %s",
				    output->path, strerror(-output->rotate_error));
	if (output->fsync_error < 0 && output->fsync_error != -EINVAL)
		return kvg_diag_set(
			reterr_diag, output->fsync_error, "the disk may lack records of '%s': %s",
			output->path ? output->path : "stdout", strerror(-output->fsync_error));
	return ms;
}

static void put_words(const struct kvg_sink_line *line, FILE *out)
{
	kvg_sink_put_words(line, out);
	fputc('\n', out);
}

const struct kvg_sink_ops kvg_sink_file_ops = {
	.open = open_output,
	.write = write_output,
	.flush = flush_output,
	.rotate = rotate,
	.close = output_close,
};

const struct kvg_sink_ops kvg_sink_stdout_ops = {
	.open = open_stdout,
	.write = write_output,
	.close = output_close,
};

const struct kvg_sink_ops kvg_sink_words_ops = {
	.open = open_output,
	.put = put_words,
	.put_loss = put_words,
	.write = write_output,
	.close = output_close,
};
