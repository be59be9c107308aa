// SPDX-License-Identifier: BSD-2-Clause
#include "agent/canary.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gate/cgroup.h"
#include "gate/gate.h"
#include "gate/mend.h"
#include "gate/slots.h"

/* Addresses for documentation (RFC 5737, RFC 3849), and the port that discards (RFC 863). */
#define ADDRESS4 "192.0.2.1"
#define ADDRESS6 "2001:db8::1"
#define PORT     9

#define TRY_MS 2000 /* its calls wait for nothing: only a machine at its limit takes longer */

#define NOT_TRIED 64 /* exit status of the child; others are bits of what was not refused */

struct kvg_canary {
	struct kvg_set *set;
	char *root;
	struct kvg_cgroup cgroup;
	int netns;
};

bool kvg_canary_is(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && strcmp(slash + 1, KVG_CANARY_CGROUP) == 0;
}

/* Before it has routes, a namespace takes every address for one of its own. */
static int bring_loopback_up(void)
{
	KVG_CLEANUP(kvg_closep) int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	return sock < 0 || ioctl(sock, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

/* Only a thread's own namespace can be changed without changing everybody's. */
static void *make_netns(void *data)
{
	int *ret = data;
	int r = unshare(CLONE_NEWNET) < 0 ? -errno : bring_loopback_up();

	*ret = r < 0 ? r : open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (r == 0 && *ret < 0)
		*ret = -errno;
	return NULL;
}

static int open_netns(int *ret)
{
	pthread_t thread;

	*ret = -1;
	if (pthread_create(&thread, NULL, make_netns, ret) != 0)
		return -EAGAIN;
	pthread_join(thread, NULL);
	return *ret < 0 ? *ret : 0;
}

static int open_cgroup(struct kvg_canary *canary, const char *parent, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	int r = kvg_cgroup_create(canary->root, parent, KVG_CANARY_CGROUP, &canary->cgroup,
				  reterr_diag);

	if (r != -EEXIST)
		return r;
	if (asprintf(&path, "%s/%s", parent, KVG_CANARY_CGROUP) < 0)
		return -ENOMEM;
	return kvg_cgroup_open(canary->root, path, &canary->cgroup, reterr_diag);
}

int kvg_canary_open(struct kvg_set *set, const char *root, const char *parent,
		    struct kvg_canary **ret, struct kvg_diag *reterr_diag)
{
	struct kvg_canary *canary = calloc(1, sizeof(*canary));
	int r;

	if (!canary)
		return -ENOMEM;
	*canary = (struct kvg_canary){
		.set = set, .root = strdup(root), .cgroup = KVG_CGROUP_NONE, .netns = -1};
	r = canary->root ? open_cgroup(canary, parent, reterr_diag) : -ENOMEM;
	if (r == 0) {
		r = open_netns(&canary->netns);
		if (r < 0)
			kvg_diag_set(reterr_diag, r,
				     "the canary gets no network namespace of its own: %s",
				     strerror(-r));
	}
	if (r == 0)
		r = kvg_mend(set, &canary->cgroup, reterr_diag);
	if (r < 0) {
		kvg_canary_close(canary);
		return r;
	}
	*ret = canary;
	return 0;
}

struct kvg_canary *kvg_canary_close(struct kvg_canary *canary)
{
	if (!canary)
		return NULL;
	if (canary->cgroup.fd >= 0) {
		kvg_gate_remove_links(kvg_set_path(canary->set), canary->cgroup.id);
		kvg_cgroup_remove(canary->root, &canary->cgroup);
	}
	kvg_cgroup_done(&canary->cgroup);
	kvg_closep(&canary->netns);
	free(canary->root);
	free(canary);
	return NULL;
}

__u64 kvg_canary_id(const struct kvg_canary *canary)
{
	return canary->cgroup.id;
}

/* --- in the child, between clone and _exit: system calls only ------------------------------------ */

static const struct sockaddr_in to4 = {.sin_family = AF_INET};
static const struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};

/* struct attempt - what is tried; its index is its bit in the exit status */
struct attempt {
	const char *name;
	int family;
	int type;
	bool connects;
};

static const struct attempt attempts[] = {
	{"connect() over IPv4", AF_INET, SOCK_STREAM, true},
	{"connect() over IPv6", AF_INET6, SOCK_STREAM, true},
	{"sendto() over IPv4", AF_INET, SOCK_DGRAM, false},
	{"sendto() over IPv6", AF_INET6, SOCK_DGRAM, false},
	{"a raw socket", AF_INET, SOCK_RAW, false},
};

static bool is_refused(const struct attempt *attempt)
{
	struct sockaddr_in ipv4 = to4;
	struct sockaddr_in6 ipv6 = to6;
	const struct sockaddr *to = (const struct sockaddr *)&ipv4;
	socklen_t size = sizeof(ipv4);
	int sock;

	sock = socket(attempt->family, attempt->type | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      attempt->type == SOCK_RAW ? IPPROTO_RAW : 0);
	if (attempt->type == SOCK_RAW)
		return sock < 0 && errno == EPERM;
	if (sock < 0) /* no such family here */
		return errno == EPERM || (errno == EAFNOSUPPORT && attempt->family == AF_INET6);

	ipv4.sin_port = htons(PORT);
	ipv6.sin6_port = htons(PORT);
	inet_pton(AF_INET, ADDRESS4, &ipv4.sin_addr);
	inet_pton(AF_INET6, ADDRESS6, &ipv6.sin6_addr);
	if (attempt->family == AF_INET6) {
		to = (const struct sockaddr *)&ipv6;
		size = sizeof(ipv6);
	}
	if (attempt->connects)
		return connect(sock, to, size) < 0 && errno == EPERM;
	return sendto(sock, "", 1, 0, to, size) < 0 && errno == EPERM;
}

static void sing(const struct kvg_canary *canary, int procs)
{
	int through = 0;

	if (write(procs, "0", 1) != 1 || setns(canary->netns, CLONE_NEWNET) < 0)
		_exit(NOT_TRIED);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(attempts); i++)
		through |= !is_refused(&attempts[i]) << i;
	_exit(through);
}

/* --- in the agent -------------------------------------------------------------------------------- */

/* @ret: its exit status */
static int run_child(const struct kvg_canary *canary, int *ret)
{
	KVG_CLEANUP(kvg_closep)
	int procs = openat(canary->cgroup.fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	KVG_CLEANUP(kvg_closep) int pidfd = -1;
	struct pollfd end = {.events = POLLIN};
	siginfo_t info = {0};
	long pid;

	if (procs < 0)
		return -errno;
	/* Not clone3(): service managers that restrict namespaces refuse what a filter cannot look into. */
	pid = syscall(SYS_clone, CLONE_PIDFD, NULL, &pidfd, NULL, NULL);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		sing(canary, procs);
	end.fd = pidfd;
	if (poll(&end, 1, TRY_MS) != 1)
		kill(pid, SIGKILL);
	/* It ends without a signal, so that nobody else takes its status. */
	while (waitid(P_PID, pid, &info, WEXITED | __WALL) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	*ret = info.si_code == CLD_EXITED ? info.si_status : NOT_TRIED;
	return 0;
}

static bool grants(struct kvg_set *set, const struct kvg_gate *gate, const struct kvg_prefix *to)
{
	__u32 granted = 0;

	if (!gate->slot || kvg_slots_read(set, gate->slot, to, &granted) != 1)
		return false;
	for (int i = 0; i < gate->services_count; i++) {
		if (granted >> i & 1 && gate->services[i].port == htons(PORT))
			return true;
	}
	return false;
}

/* A policy may hold the canary's addresses, if somebody wants it so. */
static bool is_telling(struct kvg_set *set, const struct kvg_gate *gate)
{
	struct kvg_prefix ipv4 = {.family = AF_INET, .bits = 32};
	struct kvg_prefix ipv6 = {.family = AF_INET6, .bits = 128};

	inet_pton(AF_INET, ADDRESS4, ipv4.addr);
	inet_pton(AF_INET6, ADDRESS6, ipv6.addr);
	return !grants(set, gate, &ipv4) && !grants(set, gate, &ipv6);
}

static int judge(int status, struct kvg_diag *reterr_diag)
{
	if (status == NOT_TRIED)
		return kvg_diag_set(reterr_diag, -EIO, "the canary could not try to get out");
	for (size_t i = 0; i < KVG_ARRAY_SIZE(attempts); i++) {
		if (status >> i & 1)
			return kvg_diag_set(reterr_diag, -EBADE,
					    "the canary was not refused: %s got past the gate",
					    attempts[i].name);
	}
	return 0;
}

int kvg_canary_try(struct kvg_canary *canary, const struct kvg_gate *gate,
		   struct kvg_diag *reterr_diag)
{
	struct kvg_gate entry = *gate;
	int status = NOT_TRIED;
	int r;

	if (!is_telling(canary->set, gate))
		return 0;
	r = kvg_mend(canary->set, &canary->cgroup, reterr_diag);
	if (r < 0)
		return r;
	entry.cgroup_id = canary->cgroup.id;
	entry.mode = KVG_MODE_ENFORCE;
	r = kvg_gate_tell(canary->set, &entry);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the canary's gate cannot be told: %s",
				    strerror(-r));
	r = run_child(canary, &status);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the canary cannot be started: %s",
				    strerror(-r));
	return judge(status, reterr_diag);
}
