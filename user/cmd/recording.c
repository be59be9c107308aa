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

/* The words of --audit-to: the config's keys, as options are written. */
static const struct {
	const char *word;
	enum kvg_sink_kind kind;
} services[] = {
	{"journal", KVG_SINK_JOURNAL},
	{"syslog", KVG_SINK_SYSLOG},
	{"linux-audit", KVG_SINK_LINUX_AUDIT},
};

int kvg_recording_set_max_size(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	if (kvg_size_parse(argument, field) == 0)
		return 0;
	return kvg_diag_set(reterr_diag, -EINVAL,
			    "expected 0, or a number and k, M or G, such as 100M, not '%s'",
			    argument);
}

int kvg_recording_set_keep(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	if (kvg_count_parse(argument, KVG_CONFIG_AUDIT_KEEP_MAX, field) == 0)
		return 0;
	return kvg_diag_set(reterr_diag, -EINVAL, "expected 0 to %u, not '%s'",
			    KVG_CONFIG_AUDIT_KEEP_MAX, argument);
}

int kvg_recording_set_fsync(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	if (kvg_fsync_parse(argument, field) == 0)
		return 0;
	return kvg_diag_set(reterr_diag, -EINVAL, "expected none, interval or line, not '%s'",
			    argument);
}

int kvg_recording_add_service(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(services); i++) {
		if (strcmp(services[i].word, argument) == 0) {
			*(unsigned int *)field |= 1U << services[i].kind;
			return 0;
		}
	}
	return kvg_diag_set(reterr_diag, -EINVAL,
			    "expected journal, syslog or linux-audit, not '%s'", argument);
}

bool kvg_recording_is_wanted(const struct kvg_recording_to *to)
{
	return to->file || to->services;
}

static int open_sink(struct kvg_recording_sinks *sinks, const struct kvg_sink_options *options)
{
	struct kvg_diag diag = {0};

	signal(SIGPIPE, SIG_IGN);
	if (kvg_sink_open(options, &sinks->sinks[sinks->count], &diag) < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_EXIT_FAILED;
	}
	sinks->count++;
	return 0;
}

int kvg_recording_open_sinks(const struct kvg_recording_to *to, struct kvg_recording_sinks *ret)
{
	const struct kvg_sink_options file = {
		.path = to->file,
		.max_bytes = to->max_bytes,
		.keep = to->keep,
		.fsync = to->fsync,
		.trouble = on_trouble,
	};
	int status = 0;

	if (to->file)
		status = open_sink(ret, &file);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(services) && status == 0; i++) {
		const struct kvg_sink_options service = {.kind = services[i].kind,
							 .trouble = on_trouble};

		if (to->services & (1U << service.kind))
			status = open_sink(ret, &service);
	}
	return status;
}

/* Nobody can be told that stderr is in trouble. */
int kvg_recording_open_words(struct kvg_recording_sinks *ret)
{
	const struct kvg_sink_options options = {.kind = KVG_SINK_WORDS, .fd = STDERR_FILENO};

	return open_sink(ret, &options);
}

void kvg_recording_give_sinks(struct kvg_recording_sinks *sinks, struct kvg_recorder *recorder)
{
	for (size_t i = 0; i < sinks->count; i++)
		kvg_recorder_add_sink(recorder, sinks->sinks[i]);
	sinks->count = 0;
}

void kvg_recording_sinks_done(struct kvg_recording_sinks *sinks)
{
	for (size_t i = 0; i < sinks->count; i++)
		kvg_sink_close(sinks->sinks[i]);
	sinks->count = 0;
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
