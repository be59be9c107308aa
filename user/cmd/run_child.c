// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/run_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <pwd.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/run.h"

/* struct fault - what the child could not do */
struct fault {
	enum { AT_USER, AT_EXEC } at;
	int error;
};

static int find_groups(struct kvg_run_user *user)
{
	int count = 32;

	for (;;) {
		gid_t *groups = reallocarray(user->groups, count, sizeof(*groups));
		int room = count;

		if (!groups)
			return -ENOMEM;
		user->groups = groups;
		if (getgrouplist(user->name, user->gid, groups, &count) >= 0) {
			user->groups_count = count;
			return 0;
		}
		if (count <= room)
			return -EIO; /* too many, and no word of how many */
	}
}

int kvg_run_user_find(const char *name, struct kvg_run_user *ret)
{
	KVG_CLEANUP(kvg_run_user_done) struct kvg_run_user user = {0};
	const struct passwd *entry;
	int r;

	errno = 0;
	entry = getpwnam(name);
	if (!entry)
		return errno && errno != ESRCH ? -errno : -ENOENT;

	user = (struct kvg_run_user){
		.name = strdup(entry->pw_name),
		.home = strdup(entry->pw_dir),
		.shell = strdup(entry->pw_shell),
		.uid = entry->pw_uid,
		.gid = entry->pw_gid,
	};
	if (!user.name || !user.home || !user.shell)
		return -ENOMEM;
	r = find_groups(&user);
	if (r < 0)
		return r;

	*ret = user;
	user = (struct kvg_run_user){0};
	return 0;
}

void kvg_run_user_done(struct kvg_run_user *user)
{
	free(user->name);
	free(user->home);
	free(user->shell);
	free(user->groups);
	*user = (struct kvg_run_user){0};
}

static int become(const struct kvg_run_user *user)
{
	if (!user->name)
		return 0;
	if (setgroups(user->groups_count, user->groups) < 0 ||
	    setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	if (setenv("HOME", user->home, 1) < 0 || setenv("SHELL", user->shell, 1) < 0 ||
	    setenv("USER", user->name, 1) < 0 || setenv("LOGNAME", user->name, 1) < 0)
		return -errno;
	return 0;
}

/* The pipe closes by itself when CMD is executed. */
static void run_child(const struct kvg_run_child *child, int fault_fd)
{
	struct fault fault = {.at = AT_USER};
	int r = become(child->user);

	if (r == 0) {
		kvg_run_signals_restore(child->signals);
		execvp(child->argv[0], child->argv);
		r = -errno;
		fault.at = AT_EXEC;
	}
	fault.error = -r;
	if (write(fault_fd, &fault, sizeof(fault)) < 0)
		_exit(KVG_RUN_FAILED);
	_exit(KVG_RUN_FAILED);
}

static pid_t clone_into(int cgroup_fd)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup_fd,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

static int refuse_clone(int error)
{
	if (error == ENOSYS || error == E2BIG)
		kvg_log_error("this kernel starts no process inside a cgroup: Linux 5.7 or newer "
			      "is needed");
	else
		kvg_log_error("cannot start a process inside the new cgroup: %s", strerror(error));
	return KVG_RUN_FAILED;
}

static int refuse_child(const struct kvg_run_child *child, const struct fault *fault)
{
	if (fault->at == AT_USER) {
		kvg_log_error("cannot become user '%s': %s", child->user->name,
			      strerror(fault->error));
		return KVG_RUN_FAILED;
	}
	kvg_log_error("'%s': %s", child->argv[0], strerror(fault->error));
	return fault->error == ENOENT ? KVG_RUN_NOT_FOUND : KVG_RUN_CANNOT_EXECUTE;
}

int kvg_run_child_start(const struct kvg_run_child *child, pid_t *ret)
{
	KVG_CLEANUP(kvg_closep) int reader = -1;
	struct fault fault;
	int fds[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return refuse_clone(errno);
	reader = fds[0];

	pid = clone_into(child->cgroup_fd);
	if (pid == 0)
		run_child(child, fds[1]);
	close(fds[1]);
	if (pid < 0)
		return refuse_clone(errno);

	n = read(reader, &fault, sizeof(fault));
	if (n == sizeof(fault)) {
		waitpid(pid, NULL, 0);
		return refuse_child(child, &fault);
	}
	*ret = pid;
	return 0;
}
