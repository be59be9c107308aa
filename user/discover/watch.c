// SPDX-License-Identifier: BSD-2-Clause
/*
 * An event says that something has happened to a name; what is so now is asked of the file system
 * (look_at()). So it does not matter whether a folder was found by an event, or by looking through its
 * parent, or twice, nor that events are late, and those that the kernel dropped are made up for by
 * looking through everything. A folder has its watch before it is looked through: what is made in it
 * meanwhile is found by one of the two.
 *
 * Cgroups are neither renamed nor moved, so only their making and removing is watched. A watch on a cgroup
 * costs the kernel about a kilobyte. Nothing is read while nothing changes.
 */
#include "discover/watch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "discover/watch_tree.h"

#define EVENTS (IN_CREATE | IN_DELETE | IN_ONLYDIR)

/* Some 40 names of containers: other sources of the loop get their turn between. */
#define EVENTS_BYTES 4096

/* Folders without a watch are looked through so often, or less: at most a twentieth of the time. */
#define POLL_US    1000000ULL
#define POLL_SHARE 20

struct kvg_watch {
	struct kvg_watch_tree tree;
	struct kvg_watch_nodes due;
	struct kvg_watch_nodes bare;
	sd_event *event;
	sd_event_source *events;
	sd_event_source *timer;
	int fd;
	bool whole;  /* look through folders that are known, too */
	bool full;   /* the kernel gives no more watches */
	bool missed; /* something could not be looked at: all is to be looked through again */
	struct kvg_watch_ops ops;
	char problem[sizeof(((struct kvg_diag *)0)->msg)];
};

/* --- what cannot be watched -------------------------------------------------------------------------- */

static void tell_problem(struct kvg_watch *watch, const char *message)
{
	if (strcmp(watch->problem, message) == 0)
		return;
	snprintf(watch->problem, sizeof(watch->problem), "%s", message);
	if (watch->ops.problem)
		watch->ops.problem(watch->ops.data, *message ? watch->problem : NULL);
}

static void set_timer(struct kvg_watch *watch, unsigned long long us)
{
	sd_event_source_set_time_relative(watch->timer, us);
	sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
}

/* Something is missing, and will be looked for soon. */
static void miss(struct kvg_watch *watch)
{
	if (watch->missed)
		return;
	watch->missed = true;
	tell_problem(watch, "not every cgroup could be looked at: it is tried again in a second");
	set_timer(watch, POLL_US);
}

/* The descriptor, or KVG_WATCH_NONE. */
static int ask_for_watch(struct kvg_watch *watch, const char *path)
{
	int wd;

	if (watch->fd < 0)
		return KVG_WATCH_NONE;

	wd = inotify_add_watch(watch->fd, path, EVENTS);
	watch->full = wd < 0 && (errno == ENOSPC || errno == ENOMEM);
	if (wd < 0 && errno == ENOSPC)
		tell_problem(watch, "not every cgroup can be watched, and the rest is looked "
				    "through once a second: raise fs.inotify.max_user_watches");
	else if (wd < 0 && errno == ENOMEM)
		tell_problem(watch, "not every cgroup can be watched, and the rest is looked "
				    "through once a second: the kernel has no memory");

	/* One folder at two places: two cannot have one descriptor. */
	return wd < 0 || kvg_watch_tree_find_wd(&watch->tree, wd) ? KVG_WATCH_NONE : wd;
}

static void give_watch(struct kvg_watch *watch, struct kvg_watch_node *node, int wd)
{
	if (kvg_watch_tree_set_wd(&watch->tree, node, wd) < 0) {
		inotify_rm_watch(watch->fd, wd);
		kvg_watch_tree_set_wd(&watch->tree, node, KVG_WATCH_NONE);
		watch->full = true;
	}
	if (node->wd == KVG_WATCH_NONE) {
		if (TAILQ_EMPTY(&watch->bare))
			set_timer(watch, POLL_US);
		TAILQ_INSERT_TAIL(&watch->bare, node, bare);
	}
}

static void take_watch(struct kvg_watch *watch, struct kvg_watch_node *node)
{
	if (node->wd == KVG_WATCH_NONE)
		TAILQ_REMOVE(&watch->bare, node, bare);
	else if (node->wd >= 0)
		inotify_rm_watch(watch->fd, node->wd);
	kvg_watch_tree_set_wd(&watch->tree, node, KVG_WATCH_DEAD);
}

/* --- folders that come and go ------------------------------------------------------------------------ */

static void make_due(struct kvg_watch *watch, struct kvg_watch_node *node)
{
	if (node->is_due)
		return;
	node->is_due = true;
	TAILQ_INSERT_TAIL(&watch->due, node, due);
}

/* As deep as a path can be: PATH_MAX / 2. */
static void drop(struct kvg_watch *watch, struct kvg_watch_node *node)
{
	struct kvg_watch_node *child;

	while ((child = TAILQ_FIRST(&node->children)))
		drop(watch, child);

	if (kvg_watch_tree_path(&watch->tree, node, NULL))
		watch->ops.gone(watch->ops.data, watch->tree.below_root);
	take_watch(watch, node);
	if (node->is_due)
		TAILQ_REMOVE(&watch->due, node, due);
	kvg_watch_tree_remove(&watch->tree, node);
}

static bool is_folder(const char *path, ino_t *ret_ino)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	*ret_ino = st.st_ino;
	return true;
}

/*
 * Should the folder be removed and made again between the two calls, then the watch is on the one that is
 * gone: the kernel says so (IN_IGNORED).
 */
static int add(struct kvg_watch *watch, struct kvg_watch_node *parent, const char *name)
{
	const char *path = kvg_watch_tree_path(&watch->tree, parent, name);
	struct kvg_watch_node *node = NULL;
	int wd = ask_for_watch(watch, path);
	ino_t ino;

	if (is_folder(path, &ino)) {
		node = kvg_watch_tree_add(&watch->tree, parent, name);
		if (!node)
			miss(watch);
	}
	if (!node) {
		if (wd >= 0)
			inotify_rm_watch(watch->fd, wd);
		return -ENOENT;
	}

	node->ino = ino;
	node->seen = true;
	give_watch(watch, node, wd);
	make_due(watch, node);
	kvg_watch_tree_path(&watch->tree, node, NULL);
	watch->ops.appeared(watch->ops.data, watch->tree.below_root);
	return 0;
}

/*
 * The kernel has one watch for each folder, and gives the same descriptor again: another one means that
 * the folder is another one. Asked only when events were lost.
 */
static bool is_watched(struct kvg_watch *watch, const struct kvg_watch_node *node, const char *path)
{
	int wd;

	if (!watch->whole || node->wd < 0)
		return node->wd != KVG_WATCH_DEAD;
	wd = inotify_add_watch(watch->fd, path, EVENTS);
	if (wd >= 0 && wd != node->wd && !kvg_watch_tree_find_wd(&watch->tree, wd))
		inotify_rm_watch(watch->fd, wd);
	return wd == node->wd;
}

/* Make what is known of a name what is so. */
static void look_at(struct kvg_watch *watch, struct kvg_watch_node *parent, const char *name)
{
	const char *path = kvg_watch_tree_path(&watch->tree, parent, name);
	struct kvg_watch_node *node;
	bool there;
	ino_t ino;

	if (!path)
		return;
	node = kvg_watch_tree_find(&watch->tree, parent, name);
	there = is_folder(path, &ino);
	if (node && there && node->ino == ino && is_watched(watch, node, path)) {
		node->seen = true;
		if (watch->whole)
			make_due(watch, node);
		return;
	}
	if (node)
		drop(watch, node);
	if (there)
		add(watch, parent, name);
}

static bool may_be_folder(const struct dirent *entry)
{
	if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
		return false;
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void look_through(struct kvg_watch *watch, struct kvg_watch_node *node)
{
	const char *path = kvg_watch_tree_path(&watch->tree, node, NULL);
	DIR *folder = path ? opendir(path) : NULL;
	struct kvg_watch_node *child;
	struct kvg_watch_node *next;
	struct dirent *entry;

	/* One that is gone is told of by its parent. */
	if (!folder && errno != ENOENT && errno != ENOTDIR)
		miss(watch);
	if (!folder)
		return;

	TAILQ_FOREACH(child, &node->children, sibling)
	child->seen = false;
	while ((entry = readdir(folder))) {
		if (may_be_folder(entry))
			look_at(watch, node, entry->d_name);
	}
	for (child = TAILQ_FIRST(&node->children); child; child = next) {
		next = TAILQ_NEXT(child, sibling);
		if (!child->seen)
			drop(watch, child);
	}
	closedir(folder);
}

static void look_through_due(struct kvg_watch *watch)
{
	struct kvg_watch_node *node;

	while ((node = TAILQ_FIRST(&watch->due))) {
		TAILQ_REMOVE(&watch->due, node, due);
		node->is_due = false;
		look_through(watch, node);
	}
	watch->whole = false;
}

int kvg_watch_rescan(struct kvg_watch *watch)
{
	watch->missed = false;
	watch->whole = true;
	make_due(watch, watch->tree.root);
	look_through_due(watch);
	return watch->missed ? -ENOMEM : 0;
}

/* --- the loop's calls -------------------------------------------------------------------------------- */

/* Its folder is gone, or was made again; the root is looked for again and again. */
static void lose_watch(struct kvg_watch *watch, struct kvg_watch_node *node)
{
	kvg_watch_tree_set_wd(&watch->tree, node, KVG_WATCH_DEAD);
	if (node->parent) {
		KVG_CLEANUP(kvg_freep) char *name = strdup(node->name);

		if (name)
			look_at(watch, node->parent, name);
		else
			miss(watch);
	} else {
		give_watch(watch, node, KVG_WATCH_NONE);
	}
}

static void take_event(struct kvg_watch *watch, const struct inotify_event *event)
{
	struct kvg_watch_node *node;

	if (event->mask & IN_Q_OVERFLOW) {
		kvg_watch_rescan(watch);
		return;
	}

	node = kvg_watch_tree_find_wd(&watch->tree, event->wd);
	if (node && (event->mask & IN_IGNORED))
		lose_watch(watch, node);
	else if (node && (event->mask & IN_ISDIR) && event->len > 0)
		look_at(watch, node, event->name);
}

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	char buffer[EVENTS_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct kvg_watch *watch = data;
	const struct inotify_event *event;
	ssize_t size;

	(void)source;
	(void)revents;
	size = read(fd, buffer, sizeof(buffer));
	for (ssize_t at = 0; at < size; at += (ssize_t)(sizeof(*event) + event->len)) {
		event = (const struct inotify_event *)(buffer + at);
		take_event(watch, event);
	}
	look_through_due(watch);
	return 0;
}

static int start_inotify(struct kvg_watch *watch)
{
	int r;

	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0) {
		tell_problem(watch, "cgroups cannot be watched, and are looked through once a "
				    "second: raise fs.inotify.max_user_instances");
		return 0;
	}
	r = sd_event_add_io(watch->event, &watch->events, watch->fd, EPOLLIN, on_events, watch);
	if (r < 0)
		return r;
	/* A cgroup is not gated before it is looked at: nothing is more urgent. */
	return sd_event_source_set_priority(watch->events, SD_EVENT_PRIORITY_IMPORTANT);
}

/* Try again to watch what is not watched, and look through all of it. */
static void poll_bare(struct kvg_watch *watch)
{
	struct kvg_watch_node *node;
	struct kvg_watch_node *next;

	if (watch->fd < 0)
		start_inotify(watch);
	watch->full = watch->fd < 0;
	for (node = TAILQ_FIRST(&watch->bare); node; node = next) {
		const char *path = kvg_watch_tree_path(&watch->tree, node, NULL);
		int wd = path && !watch->full ? ask_for_watch(watch, path) : KVG_WATCH_NONE;

		next = TAILQ_NEXT(node, bare);
		if (wd >= 0) {
			TAILQ_REMOVE(&watch->bare, node, bare);
			kvg_watch_tree_set_wd(&watch->tree, node, KVG_WATCH_DEAD);
			give_watch(watch, node, wd);
		}
		make_due(watch, node);
	}
	look_through_due(watch);
}

static unsigned long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct kvg_watch *watch = data;
	unsigned long long start = now_us();
	unsigned long long wait;

	(void)source;
	(void)usec;
	if (watch->missed)
		kvg_watch_rescan(watch);
	poll_bare(watch);

	if (TAILQ_EMPTY(&watch->bare) && !watch->missed) {
		tell_problem(watch, "");
		return 0;
	}
	wait = (now_us() - start) * POLL_SHARE;
	set_timer(watch, wait > POLL_US ? wait : POLL_US);
	return 0;
}

/* --- opening and closing ----------------------------------------------------------------------------- */

static int add_root(struct kvg_watch *watch, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;

	watch->tree.root_path = strdup(path);
	if (!watch->tree.root_path)
		return -ENOMEM;
	watch->tree.root_path_len = strlen(path);
	while (watch->tree.root_path_len > 0 && path[watch->tree.root_path_len - 1] == '/')
		watch->tree.root_path_len--;
	if (watch->tree.root_path_len >= PATH_MAX / 2)
		return -ENAMETOOLONG;

	if (!kvg_watch_tree_add(&watch->tree, NULL, ""))
		return -ENOMEM;
	watch->tree.root->ino = st.st_ino;
	give_watch(watch, watch->tree.root,
		   ask_for_watch(watch, kvg_watch_tree_path(&watch->tree, watch->tree.root, NULL)));
	kvg_watch_tree_path(&watch->tree, watch->tree.root, NULL);
	watch->ops.appeared(watch->ops.data, watch->tree.below_root);
	return 0;
}

static int start(struct kvg_watch *watch, const char *cgroup_root)
{
	int r;

	r = sd_event_add_time_relative(watch->event, &watch->timer, CLOCK_MONOTONIC, POLL_US, 0,
				       on_timer, watch);
	if (r >= 0)
		r = sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = start_inotify(watch);
	if (r >= 0)
		r = add_root(watch, cgroup_root);
	if (r < 0)
		return r;
	make_due(watch, watch->tree.root);
	look_through_due(watch);
	return 0;
}

int kvg_watch_open(const char *cgroup_root, struct sd_event *event, const struct kvg_watch_ops *ops,
		   struct kvg_watch **ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_watch_closep) struct kvg_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	watch->fd = -1;
	watch->ops = *ops;
	watch->event = sd_event_ref(event);
	TAILQ_INIT(&watch->due);
	TAILQ_INIT(&watch->bare);

	r = start(watch, cgroup_root);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "'%s' cannot be watched: %s", cgroup_root,
				    strerror(-r));
	*ret = KVG_TAKE_PTR(watch);
	return 0;
}

const char *kvg_watch_problem(const struct kvg_watch *watch)
{
	return watch->problem[0] ? watch->problem : NULL;
}

size_t kvg_watch_count(const struct kvg_watch *watch)
{
	return watch->tree.count;
}

struct kvg_watch *kvg_watch_close(struct kvg_watch *watch)
{
	if (!watch)
		return NULL;
	sd_event_source_disable_unref(watch->events);
	sd_event_source_disable_unref(watch->timer);
	sd_event_unref(watch->event);
	if (watch->fd >= 0)
		close(watch->fd);
	kvg_watch_tree_done(&watch->tree);
	free(watch);
	return NULL;
}

void kvg_watch_closep(struct kvg_watch **watch)
{
	kvg_watch_close(*watch);
}
