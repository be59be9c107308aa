// SPDX-License-Identifier: BSD-2-Clause
#include "agent/fetcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LINE_MAX_BYTES 2048 /* of a longer one only the beginning is told */

#define PREFIX "kvgate: "
#define NOTE   "note: "

struct kvg_fetcher {
	const struct kvg_fetcher_ops *ops;
	void *data;
	pid_t pid; /* 0: it has ended */
	int pipe;
	struct sd_event_source *io;
	struct sd_event_source *child;
	struct sd_event_source *timer;
	char line[LINE_MAX_BYTES];
	size_t length;
};

static void take_line(struct kvg_fetcher *fetcher)
{
	const char *line = fetcher->line;

	fetcher->line[fetcher->length] = '\0';
	fetcher->length = 0;
	if (strncmp(line, PREFIX, strlen(PREFIX)) == 0)
		line += strlen(PREFIX);
	if (line[0] && strncmp(line, NOTE, strlen(NOTE)) != 0)
		fetcher->ops->complaint(fetcher->data, line);
}

/* @ret: there may be more */
static bool read_some(struct kvg_fetcher *fetcher)
{
	char buffer[4096];
	ssize_t size = read(fetcher->pipe, buffer, sizeof(buffer));

	for (ssize_t i = 0; i < size; i++) {
		if (buffer[i] == '\n')
			take_line(fetcher);
		else if (fetcher->length < sizeof(fetcher->line) - 1)
			fetcher->line[fetcher->length++] = buffer[i];
	}
	return size > 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)fd;
	(void)revents;
	if (!read_some(userdata))
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static int on_ended(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct kvg_fetcher *fetcher = userdata;

	(void)source;
	fetcher->pid = 0;
	while (read_some(fetcher))
		;
	if (fetcher->length)
		take_line(fetcher);
	fetcher->ops->ended(fetcher->data, info->si_code == CLD_EXITED ? info->si_status : -1);
	return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	const struct kvg_fetcher *fetcher = userdata;

	(void)source;
	(void)usec;
	if (fetcher->pid)
		kill(fetcher->pid, SIGKILL);
	return 0;
}

/* Signals as they were before the loop took them. */
static int spawn(const struct kvg_fetcher_command *command, int output, pid_t *ret)
{
	const char *program = command->program ? command->program : "/proc/self/exe";
	char *const argv[] = {"kvgate",      "fetch",
			      "--config",    (char *)command->config,
			      "--state-dir", (char *)command->state_dir,
			      "--directory", (char *)command->directory,
			      NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY,
						     0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn(ret, program, &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int start(struct kvg_fetcher *fetcher, struct sd_event *event,
		 const struct kvg_fetcher_command *command)
{
	KVG_CLEANUP(kvg_closep) int output = -1;
	int ends[2];
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fetcher->pipe = ends[0];
	output = ends[1];
	if (fcntl(fetcher->pipe, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	r = spawn(command, output, &fetcher->pid);
	if (r == 0)
		r = sd_event_add_child(event, &fetcher->child, fetcher->pid, WEXITED, on_ended,
				       fetcher);
	if (r >= 0)
		r = sd_event_add_io(event, &fetcher->io, fetcher->pipe, EPOLLIN, on_io, fetcher);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &fetcher->timer, CLOCK_MONOTONIC,
					       KVG_FETCHER_TIMEOUT_S * 1000000ULL, 0, on_timeout,
					       fetcher);
	return r < 0 ? r : 0;
}

int kvg_fetcher_start(struct sd_event *event, const struct kvg_fetcher_command *command,
		      const struct kvg_fetcher_ops *ops, void *data, struct kvg_fetcher **ret)
{
	struct kvg_fetcher *fetcher = calloc(1, sizeof(*fetcher));
	int r;

	if (!fetcher)
		return -ENOMEM;
	fetcher->ops = ops;
	fetcher->data = data;
	fetcher->pipe = -1;
	r = start(fetcher, event, command);
	if (r < 0) {
		kvg_fetcher_close(fetcher);
		return r;
	}
	*ret = fetcher;
	return 0;
}

struct kvg_fetcher *kvg_fetcher_close(struct kvg_fetcher *fetcher)
{
	if (!fetcher)
		return NULL;
	sd_event_source_disable_unref(fetcher->child);
	sd_event_source_disable_unref(fetcher->io);
	sd_event_source_disable_unref(fetcher->timer);
	if (fetcher->pid) {
		/* It writes new files beside the old ones: there is no bad time to end it. */
		kill(fetcher->pid, SIGKILL);
		waitpid(fetcher->pid, NULL, 0);
	}
	kvg_closep(&fetcher->pipe);
	free(fetcher);
	return NULL;
}
