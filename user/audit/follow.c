// SPDX-License-Identifier: BSD-2-Clause
#include "audit/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * @text: the beginning of a line whose end is not written yet; @skipping: it is too long and was told,
 * the rest of it is passed over. @number: of the line before; 0 and not @counts where it is unknown.
 */
struct kvg_follow {
	char *path;
	int fd;
	char text[KVG_LINES_MAX_BYTES + 1];
	size_t size;
	bool skipping;
	bool counts;
	unsigned long number;
};

static int open_file(const char *path, int *ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return kvg_diag_set(reterr_diag, -errno, "cannot read '%s': %s", path,
				    strerror(errno));
	if (!S_ISREG(st.st_mode))
		return kvg_diag_set(reterr_diag, -EINVAL, "'%s' is no regular file", path);
	*ret = KVG_TAKE_FD(fd);
	return 0;
}

int kvg_follow_open(const char *path, bool whole, struct kvg_follow **ret,
		    struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_follow_closep) struct kvg_follow *follow = calloc(1, sizeof(*follow));
	int r;

	if (!follow)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	follow->fd = -1;
	follow->counts = whole;
	follow->path = strdup(path);
	if (!follow->path)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	r = open_file(path, &follow->fd, reterr_diag);
	if (r < 0)
		return r;
	if (!whole && lseek(follow->fd, 0, SEEK_END) < 0)
		return kvg_diag_set(reterr_diag, -errno, "cannot read '%s': %s", path,
				    strerror(errno));
	*ret = KVG_TAKE_PTR(follow);
	return 0;
}

static void tell_bad(const struct kvg_follow *follow, const struct kvg_lines_handler *handler,
		     const char *why)
{
	if (handler->bad)
		handler->bad(handler->data, follow->path, follow->number, why);
}

static int take_line(struct kvg_follow *follow, const struct kvg_lines_handler *handler,
		     const char *text, size_t len)
{
	KVG_CLEANUP(json_decrefp) json_t *line = NULL;
	struct kvg_diag diag = {0};

	follow->number += follow->counts;
	if (follow->skipping) {
		follow->skipping = false;
		return 0;
	}
	if (len == 0)
		return 0;
	if (kvg_line_parse(text, len, &line, &diag) < 0) {
		tell_bad(follow, handler, diag.msg);
		return 0;
	}
	return handler->line(handler->data, line);
}

/* Every line of @text that has its end. */
static int take_lines(struct kvg_follow *follow, const struct kvg_lines_handler *handler)
{
	const char *line = follow->text, *end;
	size_t left = follow->size;
	int r = 0;

	while (r >= 0 && (end = memchr(line, '\n', left))) {
		r = take_line(follow, handler, line, end - line);
		left -= end + 1 - line;
		line = end + 1;
	}
	memmove(follow->text, line, left);
	follow->size = left;
	if (r < 0 || left < sizeof(follow->text))
		return r;
	if (!follow->skipping)
		tell_bad(follow, handler, "it is too long");
	follow->skipping = true;
	follow->size = 0;
	return 0;
}

static int read_rest(struct kvg_follow *follow, const struct kvg_lines_handler *handler,
		     struct kvg_diag *reterr_diag)
{
	ssize_t got;
	int r;

	while ((got = read(follow->fd, follow->text + follow->size,
			   sizeof(follow->text) - follow->size)) > 0) {
		follow->size += got;
		r = take_lines(follow, handler);
		if (r < 0)
			return r;
	}
	return got < 0 ? kvg_diag_set(reterr_diag, -errno, "cannot read '%s': %s", follow->path,
				      strerror(errno))
		       : 0;
}

static void begin_file(struct kvg_follow *follow)
{
	follow->size = 0;
	follow->skipping = false;
	follow->counts = true;
	follow->number = 0;
}

/* Shorter than what was read of it: somebody has cut it. */
static bool was_cut(const struct kvg_follow *follow)
{
	off_t at = lseek(follow->fd, 0, SEEK_CUR);
	struct stat st;

	return fstat(follow->fd, &st) == 0 && st.st_size < at;
}

static bool was_moved(const struct kvg_follow *follow)
{
	struct stat open_one, named;

	return fstat(follow->fd, &open_one) == 0 && stat(follow->path, &named) == 0 &&
	       (open_one.st_ino != named.st_ino || open_one.st_dev != named.st_dev);
}

/* A file that is away for the moment, or cannot be opened yet, is tried again at the next call. */
static bool open_next(struct kvg_follow *follow)
{
	int fd = -1;

	if (!was_moved(follow) || open_file(follow->path, &fd, NULL) < 0)
		return false;
	close(follow->fd);
	follow->fd = fd;
	begin_file(follow);
	return true;
}

int kvg_follow_read(struct kvg_follow *follow, const struct kvg_lines_handler *handler,
		    struct kvg_diag *reterr_diag)
{
	int r;

	if (was_cut(follow) && lseek(follow->fd, 0, SEEK_SET) == 0)
		begin_file(follow);
	r = read_rest(follow, handler, reterr_diag);
	/* What was written between the reading and the renaming is read before the next one. */
	if (r == 0 && was_moved(follow)) {
		r = read_rest(follow, handler, reterr_diag);
		if (r == 0 && open_next(follow))
			r = read_rest(follow, handler, reterr_diag);
	}
	return r;
}

struct kvg_follow *kvg_follow_close(struct kvg_follow *follow)
{
	if (!follow)
		return NULL;
	kvg_closep(&follow->fd);
	free(follow->path);
	free(follow);
	return NULL;
}

void kvg_follow_closep(struct kvg_follow **follow)
{
	*follow = kvg_follow_close(*follow);
}
