/* SPDX-License-Identifier: BSD-2-Clause */
/* CMD of `run`: born inside its cgroup, so that not one instruction of it runs ungated. */
#ifndef KVG_CMD_RUN_CHILD_H
#define KVG_CMD_RUN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "cmd/run_signals.h"

/**
 * struct kvg_run_user - whom CMD runs as
 * @name:         as in the user database; NULL: as kvgate itself
 * @home:         HOME
 * @shell:        SHELL
 * @uid:          user
 * @gid:          first group
 * @groups:       all groups
 * @groups_count: how many
 */
struct kvg_run_user {
	char *name;
	char *home;
	char *shell;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int groups_count;
};

/** kvg_run_user_find() - look @name up; Return: 0, -ENOENT no such user, or another negative errno */
int kvg_run_user_find(const char *name, struct kvg_run_user *ret);

/** kvg_run_user_done() - free it */
void kvg_run_user_done(struct kvg_run_user *user);

/**
 * struct kvg_run_child - how to start CMD
 * @argv:      of CMD, NULL-terminated
 * @user:      whom it runs as
 * @cgroup_fd: where it is born
 * @signals:   what it must find as it was
 */
struct kvg_run_child {
	char **argv;
	const struct kvg_run_user *user;
	int cgroup_fd;
	const struct kvg_run_signals *signals;
};

/**
 * kvg_run_child_start() - start CMD, and wait until it is executed
 * @child: how
 * @ret:   its process id; 0 if it could not be executed
 *
 * Faults are printed here.
 *
 * Return: 0, or the exit status: 125, 126 cannot be executed, 127 not found
 */
int kvg_run_child_start(const struct kvg_run_child *child, pid_t *ret);

#endif
