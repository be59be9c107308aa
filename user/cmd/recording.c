// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/log.h"

#define STOP_TIMEOUT_MS 5000 /* its last taking and its last lines on a slow disk */

static void on_trouble(void *data, bool failing, const char *message)
{
	(void)data;
	(void)failing;
	kvg_log_error("%s", message);
}

static int open_sink(const struct kvg_sink_options *options, struct kvg_sink **ret)
{
	struct kvg_diag diag = {0};

	signal(SIGPIPE, SIG_IGN);
	if (kvg_sink_open(options, ret, &diag) < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_EXIT_FAILED;
	}
	return 0;
}

int kvg_recording_open_file(const char *path, struct kvg_sink **ret)
{
	return open_sink(&(struct kvg_sink_options){.path = path, .trouble = on_trouble}, ret);
}

/* Nobody can be told that stderr is in trouble. */
int kvg_recording_open_words(struct kvg_sink **ret)
{
	const struct kvg_sink_options options = {.kind = KVG_SINK_WORDS, .fd = STDERR_FILENO};

	return open_sink(&options, ret);
}

static void lock_path(const struct kvg_places *places, const char *set, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/%s.recorder", kvg_places_run_dir(places), set);
}

/* Whoever unlocks removes the file: one that was locked after that is a ghost. */
static bool is_at(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino;
}

int kvg_recording_lock(const struct kvg_places *places, const char *set, int *ret,
		       struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_closep) int fd = -1;
	char path[PATH_MAX];

	lock_path(places, set, path);
	do {
		kvg_closep(&fd);
		if (mkdir(kvg_places_run_dir(places), 0755) < 0 && errno != EEXIST)
			return kvg_diag_set(reterr_diag, -errno, "cannot make %s: %s",
					    kvg_places_run_dir(places), strerror(errno));
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return kvg_diag_set(reterr_diag, -errno, "%s: %s", path, strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return kvg_diag_set(reterr_diag, -EBUSY,
					    "another kvgate records the gate already");
	} while (!is_at(fd, path));

	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", getpid()) < 0)
		return kvg_diag_set(reterr_diag, -errno, "%s: %s", path, strerror(errno));
	*ret = KVG_TAKE_FD(fd);
	return 0;
}

void kvg_recording_unlock(const struct kvg_places *places, const char *set, int lock)
{
	char path[PATH_MAX];

	lock_path(places, set, path);
	unlink(path);
	rmdir(kvg_places_run_dir(places)); /* not empty: others' */
	close(lock);
}

/* The holder of the lock, as a pidfd; -ENOENT if nobody holds it. */
static int open_holder(const char *path)
{
	KVG_CLEANUP(kvg_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	KVG_CLEANUP(kvg_closep) int holder = -1;
	char text[16] = "";

	if (fd < 0)
		return -errno;
	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		return -errno;
	if (atoi(text) > 0)
		holder = syscall(SYS_pidfd_open, atoi(text), 0);

	/* Asked after the process was opened: it is the one that holds the lock. */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		unlink(path);
		return -ENOENT;
	}
	return holder < 0 ? -ESRCH : KVG_TAKE_FD(holder);
}

int kvg_recording_stop(const struct kvg_places *places, const char *set)
{
	KVG_CLEANUP(kvg_closep) int holder = -1;
	char path[PATH_MAX];
	struct pollfd end;

	lock_path(places, set, path);
	holder = open_holder(path);
	if (holder == -ENOENT)
		return 0;
	if (holder < 0)
		return holder;
	if (syscall(SYS_pidfd_send_signal, holder, SIGTERM, NULL, 0) < 0)
		return errno == ESRCH ? 0 : -errno;

	end = (struct pollfd){.fd = holder, .events = POLLIN};
	return poll(&end, 1, STOP_TIMEOUT_MS) == 1 ? 0 : -ETIMEDOUT;
}
