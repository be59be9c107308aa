// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/explaining.h"
#include "cmd/recording.h"
#include "gate/cgroup.h"
#include "gate/gate.h"

#define PROCESS_NAME "kvgate-record" /* at most 15 bytes */

/* struct follower - a recorder at work */
struct follower {
	const struct kvg_recording *recording;
	struct kvg_set *set;
	struct kvg_recorder *recorder;
	struct kvg_explaining explaining;
	int lock;
	int signal_fd;
};

static void follower_done(struct follower *follower)
{
	int r = 0;

	kvg_recorder_close(follower->recorder, &r);
	if (r < 0)
		kvg_log_error("the last counts of refused flows could not be read: %s",
			      strerror(-r));
	if (follower->lock >= 0)
		kvg_recording_unlock(follower->recording->places, follower->recording->set,
				     follower->lock);
	kvg_closep(&follower->signal_fd);
	kvg_explaining_done(&follower->explaining);
	kvg_set_close(follower->set);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Signals first: whoever sees the lock may send one. */
static int follower_open(struct follower *follower, struct kvg_diag *reterr_diag)
{
	const struct kvg_recording *recording = follower->recording;
	KVG_CLEANUP(kvg_recording_sinks_done) struct kvg_recording_sinks sinks = {};
	int r;

	follower->signal_fd = open_signals();
	r = kvg_recording_lock(recording->places, recording->set, &follower->lock, reterr_diag);
	if (r < 0)
		return r;
	r = kvg_set_open(kvg_places_bpffs(recording->places), recording->set, &follower->set,
			 reterr_diag);
	if (r < 0)
		return r;
	r = kvg_recorder_open(follower->set, 0, &follower->recorder);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the kernel's record cannot be read: %s",
				    strerror(-r));
	if (kvg_recording_open_sinks(recording->to, &sinks))
		return kvg_diag_set(reterr_diag, -EIO, "nothing is recorded");
	kvg_recording_give_sinks(&sinks, follower->recorder);
	kvg_explaining_open(follower->set, recording->state_dir, NULL, follower->recorder,
			    &follower->explaining);
	return 0;
}

/* A set whose pins were removed lives on in its descriptors; so ask for the pins. */
static bool is_gate_there(const struct follower *follower)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct kvg_gate_info info;

	return access(kvg_set_path(follower->set), F_OK) == 0 &&
	       kvg_gate_read(follower->set, follower->recording->gate, NULL, &info) == 0 &&
	       kvg_cgroup_find_by_id(follower->recording->root, follower->recording->gate, &path) !=
		       -ESTALE;
}

/* Return: false if it is to end */
static bool handle_signal(struct follower *follower)
{
	struct signalfd_siginfo info = {0};

	if (read(follower->signal_fd, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo != SIGUSR1)
		return false;
	kvg_recorder_rotate(follower->recorder);
	return true;
}

static void follow(struct follower *follower)
{
	struct pollfd fds[] = {
		{.fd = follower->signal_fd, .events = POLLIN},
		{.fd = kvg_recorder_fd(follower->recorder), .events = POLLIN},
	};

	while (is_gate_there(follower)) {
		int ready = poll(fds, KVG_ARRAY_SIZE(fds), KVG_RECORDER_TICK_MS);

		if (ready > 0 && fds[0].revents && !handle_signal(follower))
			return;
		if (ready > 0)
			kvg_recorder_read(follower->recorder);
		else
			kvg_recorder_tick(follower->recorder);
	}
}

int kvg_recording_follow(const struct kvg_recording *recording)
{
	KVG_CLEANUP(follower_done)
	struct follower follower = {.recording = recording, .lock = -1, .signal_fd = -1};
	struct kvg_diag diag = {0};

	if (follower_open(&follower, &diag) < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_EXIT_FAILED;
	}
	follow(&follower);
	return 0;
}

/* In the background process: nothing of the terminal, the folder or the descriptors is kept. */
static void leave_terminal(int ready_fd)
{
	int null_fd;

	dup2(ready_fd, STDERR_FILENO + 1);
	close_range(STDERR_FILENO + 2, ~0U, 0);
	null_fd = open("/dev/null", O_RDWR);
	dup2(null_fd, STDIN_FILENO);
	dup2(null_fd, STDOUT_FILENO);
	dup2(STDERR_FILENO + 1, STDERR_FILENO);
	close(null_fd);
	umask(022);
	prctl(PR_SET_NAME, PROCESS_NAME);
}

/*
 * Its stderr is a pipe to attach until it records: what goes wrong until then is printed there. An
 * empty line, then the end of the pipe, says that it records.
 */
static void background(const struct kvg_recording *recording, int ready_fd)
{
	struct follower follower = {.recording = recording, .lock = -1, .signal_fd = -1};
	struct kvg_diag diag = {0};
	int null_fd;

	leave_terminal(ready_fd);
	if (follower_open(&follower, &diag) < 0) {
		kvg_log_error("%s", diag.msg);
		follower_done(&follower);
		_exit(KVG_EXIT_FAILED);
	}
	if (write(STDERR_FILENO, "\n", 1) < 0 || chdir("/") < 0)
		_exit(KVG_EXIT_FAILED);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null_fd, STDERR_FILENO);
	close(null_fd);
	close(STDERR_FILENO + 1);

	follow(&follower);
	follower_done(&follower);
	_exit(0);
}

static int fork_background(const struct kvg_recording *recording, int ready_fd)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0)
		return waitpid(pid, NULL, 0) < 0 ? -errno : 0;

	setsid();
	pid = fork();
	if (pid == 0)
		background(recording, ready_fd);
	_exit(pid < 0);
}

/* Passes on what the background process says; true if it says that it records. */
static bool wait_until_ready(int fd)
{
	char text[1024];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(text) - 1 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = '\0';
	if (len && text[len - 1] == '\n' && (len == 1 || text[len - 2] == '\n'))
		return true;
	fputs(text, stderr);
	return false;
}

int kvg_recording_start(const struct kvg_recording *recording)
{
	KVG_CLEANUP(kvg_closep) int reader = -1;
	int fds[2];
	int r;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		kvg_log_error("cannot start recording: %s", strerror(errno));
		return KVG_EXIT_FAILED;
	}
	reader = fds[0];
	r = fork_background(recording, fds[1]);
	close(fds[1]);
	if (r < 0) {
		kvg_log_error("cannot start recording: %s", strerror(-r));
		return KVG_EXIT_FAILED;
	}
	return wait_until_ready(reader) ? 0 : KVG_EXIT_FAILED;
}
