/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bpffs and cgroups of a test's own, and an attacker in one of them: in a network namespace that leads
 * nowhere it tries, a thousand times a second, what must be refused. Leaves nothing behind.
 */
#ifndef KVG_TESTS_BPF_ARENA_H
#define KVG_TESTS_BPF_ARENA_H

#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "policy/policy.h"

#define ARENA_INSIDE  "192.0.2.0/24" /* what the policy of arena_policy() allows, for tcp/443 */
#define ARENA_OUTSIDE "203.0.113.9"

/**
 * struct arena - what there is
 * @bpffs:  folder for sets, in a bpffs of its own
 * @root:   mount point of cgroup v2
 * @base:   path of the cgroup that all others are below
 * @mount:  the bpffs
 * @janitor: process that removes all of it when this one is gone, however it ends
 * @alive:  pipe to it
 */
struct arena {
	char bpffs[PATH_MAX];
	char *root;
	char base[64];
	char mount[64];
	pid_t janitor;
	int alive;
};

/** arena_open() - Return: 0, -EPERM without privileges, or another negative errno */
int arena_open(struct arena **ret);

/** arena_close() - end what is inside, remove all; NULL is fine */
void arena_close(struct arena *arena);

/** arena_cgroup() - make a cgroup; @ret: its path below the root */
void arena_cgroup(struct arena *arena, const char *name, char ret[PATH_MAX]);

/** arena_remove_cgroup() - a path of arena_cgroup()'s; its processes are ended */
void arena_remove_cgroup(struct arena *arena, const char *path);

/** arena_cgroup_id() - 0 if there is none */
__u64 arena_cgroup_id(const struct arena *arena, const char *path);

/** arena_policy() - by which @prefix (text) gets tcp/443, for kvg_policy_free() */
struct kvg_policy *arena_policy(const char *profile, const char *prefix);

/** arena_large_policy() - @count prefixes that differ with @seed, a third of them IPv6 */
struct kvg_policy *arena_large_policy(const char *profile, size_t count, unsigned int seed);

/** arena_connects() - does a TCP connection to @address:443 get past the gates of the cgroup @path? */
bool arena_connects(const struct arena *arena, const char *path, const char *address);

/**
 * struct attacker - in shared memory
 * @armed:    from now on everything must be refused
 * @attempts: since then
 * @leaks:    of those got through: by connect(), and by a socket that was there before the gate
 */
struct attacker {
	pid_t pid;
	volatile bool ready;
	volatile bool armed;
	volatile unsigned long attempts;
	volatile unsigned long leaks[2];
};

/** attacker_start() - in the cgroup @path, which is not gated yet; NULL if it does not come up */
struct attacker *attacker_start(struct arena *arena, const char *path);

/** attacker_stop() - end it, free it; NULL is fine */
void attacker_stop(struct attacker *attacker);

#endif
