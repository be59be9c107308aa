// SPDX-License-Identifier: BSD-2-Clause
#include "agent/files.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LINKS_MAX 16 /* a longer chain is watched as far as that; the poll sees the rest */

/*
 * A file that is made and not yet closed is none yet: its end is told by IN_CLOSE_WRITE. A link is
 * complete when it is made.
 */
#define EVENTS (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)

struct kvg_files {
	char *path;
	struct sd_event *event;
	int inotify;
	struct sd_event_source *io;
	struct sd_event_source *timer;
	struct stat seen;
	void (*changed)(void *data);
	void *data;
};

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void look(const struct kvg_files *files, struct stat *ret)
{
	*ret = (struct stat){};
	stat(files->path, ret);
}

static int watch_folder_of(const struct kvg_files *files, const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	return inotify_add_watch(files->inotify, dirname(folder), EVENTS) < 0 ? -errno : 0;
}

/* Where the link @path leads, as a path of its own; false at the end of the chain. */
static bool follow(char path[PATH_MAX])
{
	char target[PATH_MAX], joined[2 * PATH_MAX], folder[PATH_MAX];
	ssize_t size = readlink(path, target, sizeof(target) - 1);

	if (size < 0)
		return false;
	target[size] = '\0';
	strcpy(folder, path);
	if (target[0] == '/')
		snprintf(joined, sizeof(joined), "%s", target);
	else
		snprintf(joined, sizeof(joined), "%s/%s", dirname(folder), target);
	if (strlen(joined) >= PATH_MAX)
		return false;
	strcpy(path, joined);
	return true;
}

/* Watches that are there already stay single; those of folders that went are gone by themselves. */
static int watch_chain(const struct kvg_files *files)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s", files->path);
	r = watch_folder_of(files, path);
	for (int i = 0; i < LINKS_MAX && follow(path); i++)
		watch_folder_of(files, path);
	return r;
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kvg_files *files = userdata;
	struct stat now;

	(void)source;
	(void)usec;
	watch_chain(files);
	look(files, &now);
	if (is_same(&now, &files->seen))
		return 0;
	files->seen = now;
	files->changed(files->data);
	return 0;
}

/* Not put off by what follows: a busy folder must not hold back the news for ever. */
static void settle(struct kvg_files *files)
{
	const uint64_t wait = KVG_FILES_SETTLE_MS * 1000ULL;
	int enabled = SD_EVENT_OFF;

	if (files->timer)
		sd_event_source_get_enabled(files->timer, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	files->timer = sd_event_source_unref(files->timer);
	sd_event_add_time_relative(files->event, &files->timer, CLOCK_MONOTONIC, wait, 0,
				   on_settled, files);
}

static bool is_link(const struct kvg_files *files, const struct inotify_event *event)
{
	char path[PATH_MAX + NAME_MAX + 2], folder[PATH_MAX];
	struct stat st;

	snprintf(folder, sizeof(folder), "%s", files->path);
	snprintf(path, sizeof(path), "%s/%s", dirname(folder), event->len ? event->name : "");
	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static int on_inotify(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	char buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	struct kvg_files *files = userdata;
	ssize_t size;

	(void)source;
	(void)revents;
	size = read(fd, buffer, sizeof(buffer));
	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		if (!(event->mask & IN_CREATE) || is_link(files, event))
			settle(files);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return 0;
}

int kvg_files_open(struct sd_event *event, const char *path, void (*changed)(void *data),
		   void *data, struct kvg_files **ret)
{
	struct kvg_files *files = calloc(1, sizeof(*files));
	int r = -ENOMEM;

	if (!files)
		return r;
	files->inotify = -1;
	files->changed = changed;
	files->data = data;
	files->event = sd_event_ref(event);
	files->path = strdup(path);
	if (files->path)
		files->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (files->path && files->inotify < 0)
		r = -errno;
	if (files->inotify >= 0)
		r = watch_chain(files);
	if (r == 0)
		r = sd_event_add_io(event, &files->io, files->inotify, EPOLLIN, on_inotify, files);
	if (r < 0) {
		kvg_files_close(files);
		return r;
	}
	look(files, &files->seen);
	*ret = files;
	return 0;
}

void kvg_files_poll(struct kvg_files *files)
{
	struct stat now;

	look(files, &now);
	if (!is_same(&now, &files->seen))
		settle(files);
}

struct kvg_files *kvg_files_close(struct kvg_files *files)
{
	if (!files)
		return NULL;
	sd_event_source_unref(files->timer);
	sd_event_source_unref(files->io);
	kvg_closep(&files->inotify);
	sd_event_unref(files->event);
	free(files->path);
	free(files);
	return NULL;
}
