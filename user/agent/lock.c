// SPDX-License-Identifier: BSD-2-Clause
#include "agent/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define TRIES      3
#define HEIR_TRIES 300

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

static bool is_holder_dead(int fd)
{
	long holder = read_holder(fd);

	return holder > 0 && kill((pid_t)holder, 0) < 0 && errno == ESRCH;
}

/*
 * Who only looks has it for a moment. So has a child of an agent that was killed, if it was one that does not
 * replace itself, as the canary.
 */
static int take(int fd)
{
	const struct timespec moment = {.tv_nsec = 10000000};

	for (int i = 1;; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (i >= (is_holder_dead(fd) ? HEIR_TRIES : TRIES))
			return -EWOULDBLOCK;
		nanosleep(&moment, NULL);
	}
}

static int lock_file(const char *path, int *ret, struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_closep) int fd = -1;
	int r;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return kvg_diag_set(diag, -errno, "cannot open '%s': %s", path, strerror(errno));
	r = take(fd);
	if (r == -EWOULDBLOCK)
		return kvg_diag_set(diag, -EBUSY, "another agent runs: process %ld has '%s'",
				    read_holder(fd), path);
	if (r < 0)
		return kvg_diag_set(diag, r, "cannot lock '%s': %s", path, strerror(-r));

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

bool kvg_lock_is_taken(const char *run_dir, long *ret_pid)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_closep) int fd = -1;

	if (asprintf(&path, "%s/agent.lock", run_dir) < 0) {
		path = NULL;
		return false;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return false;
	*ret_pid = read_holder(fd);
	return true;
}
