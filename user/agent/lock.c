// SPDX-License-Identifier: BSD-2-Clause
#include "agent/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static long read_holder(int fd)
{
	char text[24] = "";

	return pread(fd, text, sizeof(text) - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

/* Who it is only helps the reader of a message: the lock holds without it. */
static void write_holder(int fd)
{
	char text[24];
	int size = snprintf(text, sizeof(text), "%d\n", getpid());

	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, size, 0) < 0)
		return;
}

static int lock_file(const char *path, int *ret, struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_closep) int fd = -1;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return kvg_diag_set(diag, -errno, "cannot open '%s': %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return kvg_diag_set(diag, -EBUSY, "another agent runs: process %ld has '%s'",
				    read_holder(fd), path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return kvg_diag_set(diag, -errno, "cannot lock '%s': %s", path, strerror(errno));

	write_holder(fd);
	*ret = KVG_TAKE_FD(fd);
	return 0;
}

int kvg_lock_take(const char *run_dir, int *ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	if (mkdir(run_dir, 0755) < 0 && errno != EEXIST)
		return kvg_diag_set(reterr_diag, -errno, "cannot make '%s': %s", run_dir,
				    strerror(errno));
	if (asprintf(&path, "%s/agent.lock", run_dir) < 0) {
		path = NULL;
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	}
	return lock_file(path, ret, reterr_diag);
}
