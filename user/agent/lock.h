/* SPDX-License-Identifier: BSD-2-Clause */
/* One agent per run folder: two would put each other's gates in order. */
#ifndef KVG_AGENT_LOCK_H
#define KVG_AGENT_LOCK_H

#include <stdbool.h>

#include "base/diag.h"

/**
 * kvg_lock_take() - be the agent of a run folder
 * @run_dir:     made if it is missing
 * @ret:         descriptor that holds the lock until it is closed, however the process ends
 * @reterr_diag: who has it, or why it cannot be taken
 *
 * Return: 0, -EBUSY another agent runs, or another negative errno
 */
int kvg_lock_take(const char *run_dir, int *ret, struct kvg_diag *reterr_diag);

/**
 * kvg_lock_is_taken() - does an agent run, also one that does not answer?
 * @run_dir: its run folder
 * @ret_pid: its process; 0 if it has not said so yet
 */
bool kvg_lock_is_taken(const char *run_dir, long *ret_pid);

#endif
