/* SPDX-License-Identifier: BSD-2-Clause */
/* A child that runs `kvgate fetch`: what it has to say, and how it ended. */
#ifndef KVG_AGENT_FETCHER_H
#define KVG_AGENT_FETCHER_H

#include "base/diag.h"

struct kvg_fetcher;
struct sd_event;

/**
 * struct kvg_fetcher_command - what is executed
 * @program:   NULL means /proc/self/exe
 * @config:    --config
 * @state_dir: --state-dir
 * @directory: --directory
 */
struct kvg_fetcher_command {
	const char *program;
	const char *config;
	const char *state_dir;
	const char *directory;
};

/**
 * struct kvg_fetcher_ops - what the owner is told
 * @complaint: a line that the child said is an error, without the program's name
 * @ended:     the child is gone; @status is its exit status, or -1 if it was killed. The owner closes
 *             the fetcher, then or later
 */
struct kvg_fetcher_ops {
	void (*complaint)(void *data, const char *sentence);
	void (*ended)(void *data, int status);
};

/* Downloads have time limits of their own; whoever is still there after this is stuck. */
#define KVG_FETCHER_TIMEOUT_S 3600

/**
 * kvg_fetcher_start() - start a child
 * @event:   the loop; SIGCHLD is blocked
 * @command: as above
 * @ops:     must outlive @ret
 * @data:    for @ops
 * @ret:     for kvg_fetcher_close(); untouched on failure
 *
 * Return: 0, or a negative errno
 */
int kvg_fetcher_start(struct sd_event *event, const struct kvg_fetcher_command *command,
		      const struct kvg_fetcher_ops *ops, void *data, struct kvg_fetcher **ret);

/** kvg_fetcher_close() - end a child that is still at work, and forget it; NULL is fine; Return: NULL */
struct kvg_fetcher *kvg_fetcher_close(struct kvg_fetcher *fetcher);

#endif
