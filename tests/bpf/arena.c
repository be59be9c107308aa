// SPDX-License-Identifier: BSD-2-Clause
#include "arena.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gate/cgroup.h"

#define READY_MS 5000

void arena_remove_cgroup(struct arena *arena, const char *path)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;

	if (kvg_cgroup_open(arena->root, path, &cgroup, NULL) < 0)
		return;
	kvg_cgroup_kill(&cgroup, 5000);
	kvg_cgroup_remove(arena->root, &cgroup);
}

static void clean(struct arena *arena)
{
	if (arena->root)
		arena_remove_cgroup(arena, arena->base);
	umount2(arena->mount, MNT_DETACH);
	rmdir(arena->mount);
}

/* Of a session of its own: what ends a test with all of its children leaves it. */
static int start_janitor(struct arena *arena)
{
	int ends[2];
	char nothing;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	arena->janitor = fork();
	if (arena->janitor == 0) {
		setsid();
		close(ends[1]);
		while (read(ends[0], &nothing, 1) < 0 && errno == EINTR)
			;
		clean(arena);
		_exit(0);
	}
	close(ends[0]);
	arena->alive = ends[1];
	return arena->janitor < 0 ? -errno : 0;
}

/* @arena: its mount is there */
static int make(struct arena *arena)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup base = KVG_CGROUP_NONE;
	char name[32];
	int r;

	snprintf(arena->bpffs, sizeof(arena->bpffs), "%s/kvgate", arena->mount);
	snprintf(name, sizeof(name), "kvg-arena-%d", (int)getpid());
	snprintf(arena->base, sizeof(arena->base), "/%s", name);
	r = kvg_cgroup_find_root(&arena->root, NULL);
	if (r == 0)
		r = start_janitor(arena);
	return r < 0 ? r : kvg_cgroup_create(arena->root, "/", name, &base, NULL);
}

int arena_open(struct arena **ret)
{
	struct arena *arena = calloc(1, sizeof(*arena));
	int r = 0;

	if (!arena)
		return -ENOMEM;
	*arena = (struct arena){.mount = "/tmp/kvg-arena-XXXXXX", .alive = -1};
	if (geteuid() != 0 || !mkdtemp(arena->mount)) {
		free(arena);
		return -EPERM;
	}
	if (mount("bpf", arena->mount, "bpf", 0, NULL) < 0)
		r = -errno;
	if (r == 0)
		r = make(arena);
	if (r < 0) {
		arena_close(arena);
		return r;
	}
	*ret = arena;
	return 0;
}

void arena_close(struct arena *arena)
{
	if (!arena)
		return;
	clean(arena);
	kvg_closep(&arena->alive);
	if (arena->janitor > 0)
		waitpid(arena->janitor, NULL, 0);
	free(arena->root);
	free(arena);
}

void arena_cgroup(struct arena *arena, const char *name, char ret[PATH_MAX])
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;

	snprintf(ret, PATH_MAX, "%s/%s", arena->base, name);
	if (kvg_cgroup_create(arena->root, arena->base, name, &cgroup, NULL) < 0)
		ret[0] = '\0';
}

__u64 arena_cgroup_id(const struct arena *arena, const char *path)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;

	return kvg_cgroup_open(arena->root, path, &cgroup, NULL) < 0 ? 0 : cgroup.id;
}

static struct kvg_policy *make_policy(const char *profile, const struct kvg_permit *permits,
				      size_t count)
{
	struct kvg_policy *policy = NULL;

	if (kvg_policy_new(profile, KVG_CLOUD_PUBLIC, &policy) < 0)
		return NULL;
	if (kvg_policy_set_permits(policy, permits, count, NULL) < 0)
		return kvg_policy_free(policy);
	return policy;
}

static const struct kvg_service https = {.protocol = IPPROTO_TCP};

struct kvg_policy *arena_policy(const char *profile, const char *prefix)
{
	struct kvg_permit permit = {.service = https, .from = "test"};

	permit.service.port = htons(443);
	if (kvg_prefix_parse(prefix, &permit.prefix, NULL) < 0)
		return NULL;
	return make_policy(profile, &permit, 1);
}

/* Every other one of a row, so that none merges with the next; out of 198.18.0.0/15 and 2001:db8::/32. */
struct kvg_policy *arena_large_policy(const char *profile, size_t count, unsigned int seed)
{
	struct kvg_permit *permits = calloc(count, sizeof(*permits));
	struct kvg_policy *policy;

	for (size_t i = 0; permits && i < count; i++) {
		struct kvg_prefix *prefix = &permits[i].prefix;
		__u32 at = htonl((i + seed * 7) * 2);

		permits[i].service = https;
		permits[i].service.port = htons(i % 2 ? 443 : 80);
		permits[i].from = "test";
		prefix->family = i % 3 ? AF_INET : AF_INET6;
		prefix->bits = i % 3 ? 32 : 64;
		if (i % 3) {
			at = htonl((198U << 24 | 18U << 16) + (i + seed * 7) * 2);
			memcpy(prefix->addr, &at, sizeof(at));
		} else {
			memcpy(prefix->addr, "\x20\x01\x0d\xb8", 4);
			memcpy(prefix->addr + 4, &at, sizeof(at));
		}
	}
	policy = permits ? make_policy(profile, permits, count) : NULL;
	free(permits);
	return policy;
}

static bool bring_loopback_up(void)
{
	KVG_CLEANUP(kvg_closep) int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	return ioctl(sock, SIOCSIFFLAGS, &lo) == 0;
}

/* In a child: into the cgroup, and into a namespace of its own. */
static bool enter(const struct arena *arena, const char *path)
{
	KVG_CLEANUP(kvg_freep) char *procs = NULL;
	KVG_CLEANUP(kvg_closep) int fd = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (asprintf(&procs, "%s%s/cgroup.procs", arena->root, path) < 0)
		return false;
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, "0", 1) == 1 && unshare(CLONE_NEWNET) == 0 &&
	       bring_loopback_up();
}

static struct sockaddr_in address_of(const char *text)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443)};

	inet_pton(AF_INET, text, &to.sin_addr);
	return to;
}

static bool connect_passes(const struct sockaddr_in *to)
{
	KVG_CLEANUP(kvg_closep)
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return connect(sock, (const struct sockaddr *)to, sizeof(*to)) == 0 || errno != EPERM;
}

bool arena_connects(const struct arena *arena, const char *path, const char *address)
{
	struct sockaddr_in to = address_of(address);
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(!enter(arena, path) ? 2 : connect_passes(&to));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) > 1) {
		fprintf(stderr, "nothing can be tried in %s\n", path);
		abort();
	}
	return WEXITSTATUS(status) == 1;
}

/* A socket that kvgate has closed has no address any more. */
static bool send_passes(int sock)
{
	return send(sock, "out", 3, MSG_DONTWAIT) >= 0 || (errno != EPERM && errno != EDESTADDRREQ);
}

static void attack(struct attacker *attacker, const struct arena *arena, const char *path)
{
	const struct timespec pause = {.tv_nsec = 900000};
	struct sockaddr_in to = address_of(ARENA_OUTSIDE);
	int old;

	if (!enter(arena, path) ||
	    system("ip link add hole type veth peer name end && ip link set end up && "
		   "ip addr add 192.0.2.2/24 dev hole && ip link set hole up && "
		   "ip route add default dev hole") != 0) {
		perror("the attacker's network");
		_exit(1);
	}
	old = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(old, (const struct sockaddr *)&to, sizeof(to)) < 0 || !send_passes(old)) {
		perror("the attacker's first packet");
		_exit(1);
	}
	attacker->ready = true;
	for (;; nanosleep(&pause, NULL)) {
		bool armed = attacker->armed;
		bool connected = connect_passes(&to);
		bool sent = send_passes(old);

		if (!armed)
			continue;
		attacker->attempts++;
		attacker->leaks[0] += connected;
		attacker->leaks[1] += sent;
	}
}

struct attacker *attacker_start(struct arena *arena, const char *path)
{
	struct attacker *attacker = mmap(NULL, sizeof(*attacker), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (attacker == MAP_FAILED)
		return NULL;
	pid = fork();
	if (pid == 0)
		attack(attacker, arena, path);
	attacker->pid = pid;
	for (int i = 0; i < READY_MS && !attacker->ready; i++) {
		if (waitpid(attacker->pid, NULL, WNOHANG) != 0)
			break;
		usleep(1000);
	}
	if (attacker->ready)
		return attacker;
	attacker_stop(attacker);
	return NULL;
}

void attacker_stop(struct attacker *attacker)
{
	if (!attacker)
		return;
	if (attacker->pid > 0) {
		kill(attacker->pid, SIGKILL);
		waitpid(attacker->pid, NULL, 0);
	}
	munmap(attacker, sizeof(*attacker));
}
