// SPDX-License-Identifier: BSD-2-Clause
#include "agent/refresh.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "agent/fetcher.h"
#include "base/cleanup.h"
#include "base/folder.h"
#include "ranges/store.h"

#define SETTLE_MS 500 /* the documents of one round come one after the other */

#define RETRY_S 300UL /* after the first failure; twice as long after each further one */

#define FOLDER_EVENTS                                                                \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | \
	 IN_MOVE_SELF | IN_ONLYDIR)

/* struct settings - owned copies of struct kvg_refresh_options */
struct settings {
	char *program;
	char *config;
	char *state_dir;
	char *directory;
	unsigned long every_s;
};

struct kvg_refresh {
	struct sd_event *event;
	struct settings settings;
	struct kvg_refresh_ops ops;
	int inotify;
	int watch; /* of the folder; -1: it is gone */
	struct sd_event_source *io;
	struct sd_event_source *settle_timer;
	struct sd_event_source *round_timer;
	struct kvg_fetcher *fetcher;
	unsigned int complaints; /* of this round */
	unsigned int failures;   /* rounds in a row */
};

static void settings_done(struct settings *settings)
{
	free(settings->program);
	free(settings->config);
	free(settings->state_dir);
	free(settings->directory);
}

static bool copy_text(char **ret, const char *text)
{
	*ret = text ? strdup(text) : NULL;
	return !text || *ret;
}

/* @ret: for settings_done(), also on failure */
static int copy_settings(const struct kvg_refresh_options *options, struct settings *ret)
{
	*ret = (struct settings){.every_s = options->every_s};
	return copy_text(&ret->program, options->program) &&
			       copy_text(&ret->config, options->config) &&
			       copy_text(&ret->state_dir, options->state_dir) &&
			       copy_text(&ret->directory, options->directory)
		       ? 0
		       : -ENOMEM;
}

/* --- the folder ------------------------------------------------------------------------------ */

static int watch_folder(struct kvg_refresh *refresh, const char *directory)
{
	int r = kvg_folder_make(directory);
	int watch;

	if (r < 0)
		return r;
	watch = inotify_add_watch(refresh->inotify, directory, FOLDER_EVENTS);
	if (watch < 0)
		return -errno;
	if (refresh->watch >= 0 && refresh->watch != watch)
		inotify_rm_watch(refresh->inotify, refresh->watch);
	refresh->watch = watch;
	return 0;
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kvg_refresh *refresh = userdata;
	char sentence[PATH_MAX + 128];
	int r = 0;

	(void)source;
	(void)usec;
	if (refresh->watch < 0)
		r = watch_folder(refresh, refresh->settings.directory);
	if (r < 0) {
		snprintf(sentence, sizeof(sentence),
			 "the folder of range documents '%s' is gone and cannot be made: %s",
			 refresh->settings.directory, strerror(-r));
		refresh->ops.failed(refresh->ops.data, sentence);
	}
	refresh->ops.changed(refresh->ops.data);
	return 0;
}

/* Not put off by what follows. */
static void settle(struct kvg_refresh *refresh)
{
	int enabled = SD_EVENT_OFF;

	if (refresh->settle_timer)
		sd_event_source_get_enabled(refresh->settle_timer, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	refresh->settle_timer = sd_event_source_disable_unref(refresh->settle_timer);
	sd_event_add_time_relative(refresh->event, &refresh->settle_timer, CLOCK_MONOTONIC,
				   SETTLE_MS * 1000ULL, 0, on_settled, refresh);
}

static void take_event(struct kvg_refresh *refresh, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW) {
		settle(refresh);
		return;
	}
	if (event->wd != refresh->watch)
		return; /* of a folder that was watched before */
	if (event->mask & IN_MOVE_SELF)
		inotify_rm_watch(refresh->inotify, refresh->watch);
	if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED))
		refresh->watch = -1;
	else if (event->len && kvg_store_is_own(event->name))
		return;
	settle(refresh);
}

static int on_inotify(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	char buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t size;

	(void)source;
	(void)revents;
	size = read(fd, buffer, sizeof(buffer));
	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		take_event(userdata, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return 0;
}

/* --- rounds ---------------------------------------------------------------------------------- */

static int on_round(sd_event_source *source, uint64_t usec, void *userdata);

static void arm(struct kvg_refresh *refresh, unsigned long seconds)
{
	refresh->round_timer = sd_event_source_disable_unref(refresh->round_timer);
	sd_event_add_time_relative(refresh->event, &refresh->round_timer, CLOCK_MONOTONIC,
				   seconds * 1000000ULL, 0, on_round, refresh);
}

/* A tenth more or less, so that a thousand nodes do not ask at once. */
static unsigned long jitter(unsigned long seconds)
{
	unsigned long span = seconds / 5;
	unsigned int number = 0;

	if (!span || getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		return seconds;
	return seconds - span / 2 + number % (span + 1);
}

static void arm_next(struct kvg_refresh *refresh)
{
	unsigned long every = refresh->settings.every_s;
	unsigned long wait = RETRY_S;

	if (!every)
		return;
	for (unsigned int i = 1; i < refresh->failures && wait < every; i++)
		wait *= 2;
	arm(refresh, jitter(refresh->failures && wait < every ? wait : every));
}

static void on_complaint(void *data, const char *sentence)
{
	struct kvg_refresh *refresh = data;

	refresh->complaints++;
	refresh->ops.failed(refresh->ops.data, sentence);
}

static void on_ended(void *data, int status)
{
	struct kvg_refresh *refresh = data;
	char sentence[96];

	if (status && !refresh->complaints) {
		snprintf(sentence, sizeof(sentence), "'kvgate fetch' %s, and did not say why",
			 status < 0 ? "was killed" : "failed");
		on_complaint(refresh, sentence);
	}
	refresh->failures = status ? refresh->failures + 1 : 0;
	if (refresh->ops.ended)
		refresh->ops.ended(refresh->ops.data, status ? refresh->complaints : 0);
	refresh->fetcher = kvg_fetcher_close(refresh->fetcher);
	arm_next(refresh);
}

static const struct kvg_fetcher_ops fetcher_ops = {
	.complaint = on_complaint,
	.ended = on_ended,
};

int kvg_refresh_now(struct kvg_refresh *refresh)
{
	const struct kvg_fetcher_command command = {
		.program = refresh->settings.program,
		.config = refresh->settings.config,
		.state_dir = refresh->settings.state_dir,
		.directory = refresh->settings.directory,
	};

	if (refresh->fetcher)
		return 0;
	refresh->complaints = 0;
	return kvg_fetcher_start(refresh->event, &command, &fetcher_ops, refresh,
				 &refresh->fetcher);
}

static int on_round(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kvg_refresh *refresh = userdata;
	char sentence[96];
	int r = kvg_refresh_now(refresh);

	(void)source;
	(void)usec;
	if (r == 0)
		return 0;
	snprintf(sentence, sizeof(sentence), "'kvgate fetch' cannot be started: %s", strerror(-r));
	refresh->ops.failed(refresh->ops.data, sentence);
	refresh->failures++;
	arm_next(refresh);
	return 0;
}

/* Seconds until the first round. A last one in the future is a clock that went back. */
static unsigned long first_wait(const struct settings *settings)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	time_t now = time(NULL);
	struct stat st;

	if (asprintf(&path, "%s/.fetch.json", settings->directory) < 0) {
		path = NULL;
		return 0;
	}
	if (stat(path, &st) < 0 || st.st_mtime > now ||
	    (unsigned long)(now - st.st_mtime) >= settings->every_s)
		return 0;
	return settings->every_s - (unsigned long)(now - st.st_mtime);
}

static void arm_first(struct kvg_refresh *refresh)
{
	refresh->failures = 0;
	if (refresh->settings.every_s)
		arm(refresh, first_wait(&refresh->settings));
	else
		refresh->round_timer = sd_event_source_disable_unref(refresh->round_timer);
}

/* --- beginning and end ----------------------------------------------------------------------- */

int kvg_refresh_update(struct kvg_refresh *refresh, const struct kvg_refresh_options *options,
		       struct kvg_diag *reterr_diag)
{
	struct settings settings;
	bool again;
	int r = copy_settings(options, &settings);

	if (r == 0)
		r = watch_folder(refresh, settings.directory);
	if (r < 0) {
		settings_done(&settings);
		return kvg_diag_set(reterr_diag, r, "%s: %s", options->directory, strerror(-r));
	}
	again = !refresh->settings.directory || settings.every_s != refresh->settings.every_s ||
		strcmp(settings.directory, refresh->settings.directory) != 0;
	settings_done(&refresh->settings);
	refresh->settings = settings;
	if (again)
		arm_first(refresh);
	return 0;
}

int kvg_refresh_open(struct sd_event *event, const struct kvg_refresh_options *options,
		     const struct kvg_refresh_ops *ops, struct kvg_refresh **ret,
		     struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_refresh_closep) struct kvg_refresh *refresh = calloc(1, sizeof(*refresh));
	int r;

	if (!refresh)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	refresh->event = sd_event_ref(event);
	refresh->ops = *ops;
	refresh->watch = -1;
	refresh->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (refresh->inotify < 0)
		return kvg_diag_set(reterr_diag, -errno, "inotify: %s", strerror(errno));
	r = sd_event_add_io(event, &refresh->io, refresh->inotify, EPOLLIN, on_inotify, refresh);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the loop: %s", strerror(-r));
	r = kvg_refresh_update(refresh, options, reterr_diag);
	if (r < 0)
		return r;
	*ret = KVG_TAKE_PTR(refresh);
	return 0;
}

struct kvg_refresh *kvg_refresh_close(struct kvg_refresh *refresh)
{
	if (!refresh)
		return NULL;
	kvg_fetcher_close(refresh->fetcher);
	sd_event_source_disable_unref(refresh->settle_timer);
	sd_event_source_disable_unref(refresh->round_timer);
	sd_event_source_disable_unref(refresh->io);
	kvg_closep(&refresh->inotify);
	settings_done(&refresh->settings);
	sd_event_unref(refresh->event);
	free(refresh);
	return NULL;
}

void kvg_refresh_closep(struct kvg_refresh **refresh)
{
	*refresh = kvg_refresh_close(*refresh);
}
