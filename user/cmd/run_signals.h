/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals of `run`: taken from a descriptor, passed on to CMD, which starts as if kvgate were not there. */
#ifndef KVG_CMD_RUN_SIGNALS_H
#define KVG_CMD_RUN_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>

/**
 * struct kvg_run_signals - what was changed, and the descriptor
 * @fd:      signalfd(2)
 * @mask:    before
 * @on_pipe: disposition of SIGPIPE before
 * @on_child: disposition of SIGCHLD before
 */
struct kvg_run_signals {
	int fd;
	sigset_t mask;
	struct sigaction on_pipe;
	struct sigaction on_child;
};

#define KVG_RUN_SIGNALS_NONE \
	{                    \
		.fd = -1     \
	}

/** kvg_run_signals_init() - block what is passed on, for kvg_run_signals_done(); 0 or -errno */
int kvg_run_signals_init(struct kvg_run_signals *signals);

/** kvg_run_signals_restore() - in the child: mask and dispositions as kvgate found them */
void kvg_run_signals_restore(const struct kvg_run_signals *signals);

/**
 * kvg_run_signals_is_shared() - did CMD get this one, too, without kvgate's help?
 * @info:  as read from @fd
 * @child: CMD's process id
 *
 * A terminal sends to its whole foreground process group. A hang-up is different: that goes to the
 * leader of the session alone.
 */
bool kvg_run_signals_is_shared(const struct signalfd_siginfo *info, pid_t child);

/** kvg_run_signals_done() - close the descriptor */
void kvg_run_signals_done(struct kvg_run_signals *signals);

#endif
