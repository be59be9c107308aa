// SPDX-License-Identifier: BSD-2-Clause
#include "gate/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <netlink/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* struct search - namespaces found so far, and what went wrong first */
struct search {
	struct kvg_netns *netns;
	int error;
};

static bool is_known(const struct kvg_netns *netns, const struct stat *found)
{
	for (size_t i = 0; i < netns->count; i++) {
		struct stat known;

		if (fstat(netns->fds[i], &known) == 0 && known.st_ino == found->st_ino &&
		    known.st_dev == found->st_dev)
			return true;
	}
	return false;
}

static int add_netns_of(struct kvg_netns *netns, int tid)
{
	KVG_CLEANUP(kvg_closep) int fd = -1;
	struct stat found;
	char path[64];
	int *more;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", tid);
	if (stat(path, &found) < 0)
		return errno == ENOENT ? 0 : -errno; /* it has ended */
	if (is_known(netns, &found))
		return 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	more = reallocarray(netns->fds, netns->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	netns->fds = more;
	more[netns->count++] = KVG_TAKE_FD(fd);
	return 0;
}

/* cgroup.threads and not cgroup.procs, which cannot be read in a threaded cgroup. */
static void add_netns_in(void *data, int cgroup_fd, __u64 id)
{
	KVG_CLEANUP(kvg_fclosep) FILE *threads = NULL;
	int fd = openat(cgroup_fd, "cgroup.threads", O_RDONLY | O_CLOEXEC);
	struct search *search = data;
	int tid, r;

	(void)id;
	if (fd < 0)
		return;
	threads = fdopen(fd, "r");
	if (!threads) {
		close(fd);
		search->error = -ENOMEM;
		return;
	}
	while (fscanf(threads, "%d", &tid) == 1) {
		/* 0 is a thread of a pid namespace that is not visible here. */
		r = tid > 0 ? add_netns_of(search->netns, tid) : -ESRCH;
		if (r < 0 && !search->error)
			search->error = r;
	}
}

int kvg_netns_find(const struct kvg_cgroup *cgroup, struct kvg_netns *ret)
{
	struct search search = {.netns = ret};

	*ret = (struct kvg_netns){0};
	kvg_cgroup_visit(cgroup, add_netns_in, &search);
	return search.error;
}

void kvg_netns_done(struct kvg_netns *netns)
{
	for (size_t i = 0; i < netns->count; i++)
		close(netns->fds[i]);
	free(netns->fds);
	*netns = (struct kvg_netns){0};
}

/* struct visit - what the thread that enters a namespace is told, and what it brings back */
struct visit {
	int netns_fd;
	int protocol;
	struct nl_sock *sock;
	int result;
};

static void *connect_inside(void *data)
{
	struct visit *visit = data;

	if (setns(visit->netns_fd, CLONE_NEWNET) < 0)
		visit->result = -errno;
	else if (nl_connect(visit->sock, visit->protocol) < 0)
		visit->result = -EPROTONOSUPPORT;
	return NULL;
}

/* A netlink socket belongs to the namespace that it was made in; the thread ends, and with it its stay. */
int kvg_netns_connect(int netns_fd, int protocol, struct nl_sock **ret)
{
	struct visit visit = {.netns_fd = netns_fd, .protocol = protocol};
	pthread_t thread;

	visit.sock = nl_socket_alloc();
	if (!visit.sock)
		return -ENOMEM;
	if (pthread_create(&thread, NULL, connect_inside, &visit) != 0)
		visit.result = -EAGAIN;
	else
		pthread_join(thread, NULL);
	if (visit.result < 0) {
		nl_socket_free(visit.sock);
		return visit.result;
	}
	*ret = visit.sock;
	return 0;
}
