/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of `run`: exit statuses, the wait for CMD, and what earlier runs may have left. */
#ifndef KVG_CMD_RUN_H
#define KVG_CMD_RUN_H

#include <sys/types.h>

#include "audit/recorder.h"
#include "cmd/run_signals.h"
#include "gate/cgroup.h"

/* As env(1). */
#define KVG_RUN_FAILED         125
#define KVG_RUN_CANNOT_EXECUTE 126
#define KVG_RUN_NOT_FOUND      127
#define KVG_RUN_SIGNALLED      128 /* and the signal's number */

#define KVG_RUN_CGROUP_PREFIX "kvgate-run-" /* and kvgate's process id */

/**
 * struct kvg_run_wait - what happens while CMD runs
 * @child:         CMD
 * @signals:       passed on to it
 * @recorder:      served meanwhile
 * @cgroup:        killed when SIGTERM does not end CMD in time
 * @kill_after_ms: how long it has after SIGTERM
 */
struct kvg_run_wait {
	pid_t child;
	const struct kvg_run_signals *signals;
	struct kvg_recorder *recorder;
	const struct kvg_cgroup *cgroup;
	int kill_after_ms;
};

/** kvg_run_wait() - until CMD has ended; Return: its exit status, as a shell says it */
int kvg_run_wait(const struct kvg_run_wait *wait);

/**
 * kvg_run_sweep() - remove gates whose `kvgate run` died and whose processes have ended
 * @bpffs_dir: where the sets are; locked by the caller
 * @root:      mount point of cgroup v2
 * @parent:    path of the cgroup below which cgroups without a gate are looked for, too; NULL for
 *             this process's own
 *
 * A gate in whose cgroup processes are left stays: they were started to be held.
 */
void kvg_run_sweep(const char *bpffs_dir, const char *root, const char *parent);

#endif
