// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/run_signals.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Those that somebody sends on purpose; SIGCHLD is for kvgate itself. */
static const int taken[] = {
	SIGCHLD, SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1,
	SIGUSR2, SIGALRM, SIGCONT, SIGWINCH, SIGTSTP,
};

int kvg_run_signals_init(struct kvg_run_signals *signals)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t set;

	/* An ignored SIGCHLD would throw CMD's exit status away. */
	if (sigaction(SIGPIPE, &ignore, &signals->on_pipe) < 0 ||
	    sigaction(SIGCHLD, &standard, &signals->on_child) < 0)
		return -errno;

	sigemptyset(&set);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(taken); i++)
		sigaddset(&set, taken[i]);
	if (sigprocmask(SIG_BLOCK, &set, &signals->mask) < 0)
		return -errno;

	signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals->fd < 0 ? -errno : 0;
}

void kvg_run_signals_restore(const struct kvg_run_signals *signals)
{
	sigaction(SIGPIPE, &signals->on_pipe, NULL);
	sigaction(SIGCHLD, &signals->on_child, NULL);
	sigprocmask(SIG_SETMASK, &signals->mask, NULL);
}

bool kvg_run_signals_is_shared(const struct signalfd_siginfo *info, pid_t child)
{
	if (info->ssi_code != SI_KERNEL || getpgid(child) != getpgrp())
		return false;
	return info->ssi_signo != SIGHUP || getsid(0) != getpid();
}

void kvg_run_signals_done(struct kvg_run_signals *signals)
{
	kvg_closep(&signals->fd);
	signals->fd = -1;
}
