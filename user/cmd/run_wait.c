// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/run.h"

#define NEVER               INT64_MAX
#define CGROUP_KILL_WAIT_MS 1000

/* struct state - of a wait */
struct state {
	const struct kvg_run_wait *wait;
	int64_t kill_at_ms;
	int status;
	bool has_ended;
	bool was_told_to_stop;
};

static int64_t now_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/*
 * CMD was stopped by its terminal: so is kvgate, for the shell to see a stopped job. `fg` continues
 * both; the SIGCONT is passed on for the case that somebody continued kvgate alone.
 */
static void stop_with(struct state *state, int signal)
{
	KVG_CLEANUP(kvg_closep) int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	bool is_job_control = signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;

	/* Without a terminal nobody would continue kvgate, unless it was told to stop, too. */
	if (is_job_control && (terminal >= 0 || state->was_told_to_stop))
		kill(getpid(), SIGSTOP);
	state->was_told_to_stop = false;
}

static void reap(struct state *state)
{
	siginfo_t info = {0};

	while (waitid(P_PID, state->wait->child, &info, WEXITED | WSTOPPED | WNOHANG) == 0 &&
	       info.si_pid) {
		switch (info.si_code) {
		case CLD_EXITED:
			state->status = info.si_status;
			state->has_ended = true;
			return;
		case CLD_KILLED:
		case CLD_DUMPED:
			state->status = KVG_RUN_SIGNALLED + info.si_status;
			state->has_ended = true;
			return;
		case CLD_STOPPED:
			stop_with(state, info.si_status);
			break;
		}
		info.si_pid = 0;
	}
}

static void pass_on(struct state *state, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo == SIGTERM && state->kill_at_ms == NEVER)
		state->kill_at_ms = now_ms() + state->wait->kill_after_ms;
	if (info->ssi_signo == SIGTSTP)
		state->was_told_to_stop = true;
	if (!kvg_run_signals_is_shared(info, state->wait->child))
		kill(state->wait->child, info->ssi_signo);
}

static void read_signals(struct state *state)
{
	struct signalfd_siginfo info;

	while (!state->has_ended &&
	       read(state->wait->signals->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(state);
		else
			pass_on(state, &info);
	}
}

static int timeout_ms(const struct state *state)
{
	int64_t left_ms = KVG_RECORDER_TICK_MS;

	if (state->kill_at_ms != NEVER && state->kill_at_ms - now_ms() < left_ms)
		left_ms = state->kill_at_ms - now_ms();
	return left_ms < 0 ? 0 : left_ms;
}

static void kill_if_due(struct state *state)
{
	if (state->has_ended || now_ms() < state->kill_at_ms)
		return;
	kvg_log_error("CMD did not end within %d s of SIGTERM: killing it",
		      state->wait->kill_after_ms / 1000);
	state->kill_at_ms = NEVER;
	kvg_cgroup_kill(state->wait->cgroup, CGROUP_KILL_WAIT_MS);
	kill(state->wait->child, SIGKILL); /* also if it found a way out of the cgroup */
}

int kvg_run_wait(const struct kvg_run_wait *wait)
{
	struct state state = {.wait = wait, .kill_at_ms = NEVER};
	struct pollfd fds[] = {
		{.fd = wait->signals->fd, .events = POLLIN},
		{.fd = kvg_recorder_fd(wait->recorder), .events = POLLIN},
	};

	while (!state.has_ended) {
		int ready = poll(fds, KVG_ARRAY_SIZE(fds), timeout_ms(&state));

		if (ready > 0 && fds[1].revents)
			kvg_recorder_read(wait->recorder);
		else if (ready == 0)
			kvg_recorder_tick(wait->recorder);
		read_signals(&state);
		kill_if_due(&state);
	}
	return state.status;
}
