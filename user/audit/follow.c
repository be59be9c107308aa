// SPDX-License-Identifier: BSD-2-Clause
#include "audit/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

struct kvg_follow {
	char *path;
	int fd;
	struct kvg_lines_buffer buffer;
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
	follow->buffer.counts = whole;
	follow->path = strdup(path);
	follow->buffer.path = follow->path;
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

static int read_rest(struct kvg_follow *follow, const struct kvg_lines_handler *handler,
		     struct kvg_diag *reterr_diag)
{
	int r = kvg_lines_feed(&follow->buffer, follow->fd, handler);

	return r < 0 ? kvg_diag_set(reterr_diag, r, "cannot read '%s': %s", follow->path,
				    strerror(-r))
		     : 0;
}

static void begin_file(struct kvg_follow *follow)
{
	follow->buffer.size = 0;
	follow->buffer.skipping = false;
	follow->buffer.counts = true;
	follow->buffer.number = 0;
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
