// SPDX-License-Identifier: BSD-2-Clause
/*
 * gates [GATES [PROFILES [PREFIXES]]]: what the agent's gates cost in a real kernel, without the rest of the
 * agent: 500 gates of 50 profiles, 10,000 prefixes each. Ends with 1 if a goal is missed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../tests/bpf/arena.h"
#include "agent/check.h"
#include "agent/gates.h"
#include "base/cleanup.h"

#define ROUNDS        20
#define ROUND_SECONDS 10

/* struct bench - sizes, and where */
struct bench {
	struct arena *arena;
	struct kvg_gates *gates;
	int gates_count;
	int profiles_count;
	int prefixes_count;
	int missed;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
	struct rusage own, children;

	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return (own.ru_utime.tv_sec + own.ru_stime.tv_sec + children.ru_utime.tv_sec +
		children.ru_stime.tv_sec) *
		       1e3 +
	       (own.ru_utime.tv_usec + own.ru_stime.tv_usec + children.ru_utime.tv_usec +
		children.ru_stime.tv_usec) /
		       1e3;
}

/* What the processor did since it was last asked: on a busy machine the other time says little. */
static double lap_ms(void)
{
	static double last;
	double now = cpu_ms(), lap = now - last;

	last = now;
	return lap;
}

static void report(struct bench *bench, const char *what, double value, const char *unit,
		   double goal)
{
	printf("%-46s%9.2f %-2s  cpu %8.2f ms", what, value, unit, lap_ms());
	if (goal > 0)
		printf("  <= %g: %s", goal, value <= goal ? "met" : "MISSED");
	putchar('\n');
	fflush(stdout);
	bench->missed += goal > 0 && value > goal;
}

static void insist(int r, const char *what, const struct kvg_diag *diag)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench: %s: %s (%s)\n", what, strerror(-r), diag ? diag->msg : "");
	exit(1);
}

static void path_of(const struct bench *bench, int gate, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/g%d", bench->arena->base, gate);
}

static void open_gates(struct bench *bench)
{
	const struct kvg_gates_options options = {
		.bpffs_dir = bench->arena->bpffs,
		.cgroup_root = bench->arena->root,
	};
	struct kvg_diag diag = {0};

	insist(kvg_gates_open(&options, &bench->gates, &diag), "open", &diag);
}

static void fill(struct bench *bench, struct kvg_policy *const *policies)
{
	struct kvg_diag diag = {0};
	char name[32];

	for (int i = 0; i < bench->profiles_count; i++) {
		snprintf(name, sizeof(name), "profile%d", i);
		insist(kvg_gates_set_policy(bench->gates, name, policies[i], &diag), "policy",
		       &diag);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Return: the median of one */
static double put_all(struct bench *bench)
{
	KVG_CLEANUP(kvg_freep) double *took = calloc(bench->gates_count, sizeof(*took));
	struct kvg_diag diag = {0};
	char path[PATH_MAX], name[32];

	for (int i = 0; i < bench->gates_count; i++) {
		double start = now_ms();

		path_of(bench, i, path);
		snprintf(name, sizeof(name), "profile%d", i % bench->profiles_count);
		insist(kvg_gates_put(bench->gates, path, name, &diag), "put", &diag);
		took[i] = now_ms() - start;
	}
	qsort(took, bench->gates_count, sizeof(*took), by_value);
	return took[bench->gates_count / 2];
}

static struct kvg_policy **make_policies(const struct bench *bench, unsigned int seed)
{
	struct kvg_policy **policies = calloc(bench->profiles_count, sizeof(*policies));
	char name[32];

	for (int i = 0; i < bench->profiles_count; i++) {
		snprintf(name, sizeof(name), "profile%d", i);
		policies[i] = arena_large_policy(name, bench->prefixes_count, seed + i);
		if (!policies[i])
			insist(-ENOMEM, "policy", NULL);
	}
	return policies;
}

static void first_start(struct bench *bench, struct kvg_policy *const *policies)
{
	double start = now_ms(), filled, median;

	open_gates(bench);
	report(bench, "an empty set", now_ms() - start, "ms", 0);
	fill(bench, policies);
	filled = now_ms() - start;
	report(bench, "  and every policy", filled, "ms", 0);
	median = put_all(bench);
	report(bench, "  and every gate", now_ms() - start, "ms", 2000);
	report(bench, "one gate, median", median, "ms", 5);
}

static long read_status_kb(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long value = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtol(line + strlen(name) + 1, NULL, 10);
	}
	if (file)
		fclose(file);
	return value;
}

/* In a process that never held more than one policy, as the agent does. */
static void restart(struct bench *bench)
{
	long before = read_status_kb("VmRSS");
	struct kvg_diag diag = {0};
	double start = now_ms(), making = 0;
	char name[32];

	open_gates(bench);
	report(bench, "all of it taken over", now_ms() - start, "ms", 0);
	for (int i = 0; i < bench->profiles_count; i++) {
		double made = now_ms();
		struct kvg_policy *policy;

		snprintf(name, sizeof(name), "profile%d", i);
		policy = arena_large_policy(name, bench->prefixes_count, i);
		making += now_ms() - made;
		insist(kvg_gates_set_policy(bench->gates, name, policy, &diag), "policy", &diag);
		kvg_policy_free(policy);
	}
	report(bench, "  and every policy compared", now_ms() - start - making, "ms", 0);
	put_all(bench);
	report(bench, "  and every gate put again", now_ms() - start - making, "ms", 2000);
	report(bench, "memory then", read_status_kb("VmRSS") / 1024.0, "MB", 30);
	report(bench, "  of it before", before / 1024.0, "MB", 0);
}

static void rounds(struct bench *bench, const char *canary_parent)
{
	struct kvg_check *check;
	double cpu, start, longest = 0;
	int problems = 0;

	insist(kvg_check_open(bench->gates, canary_parent, &check), "check", NULL);
	kvg_check_round(check);
	cpu = cpu_ms();
	for (int i = 0; i < ROUNDS; i++) {
		start = now_ms();
		problems += kvg_check_round(check);
		if (now_ms() - start > longest)
			longest = now_ms() - start;
	}
	cpu = (cpu_ms() - cpu) / ROUNDS;
	report(bench,
	       canary_parent ? "a round of the check, with the canary" : "a round of the check",
	       cpu, "ms", 0);
	report(bench, "  every 10 seconds, of a core", cpu / (ROUND_SECONDS * 10), "%", 0.2);
	report(bench, "  the longest one", longest, "ms", 0);
	if (problems)
		insist(-EIO, "the check found problems", NULL);
	kvg_check_close(check);
}

static void change(struct bench *bench, const struct kvg_policy *policy)
{
	struct kvg_diag diag = {0};
	char path[PATH_MAX];
	double start;

	for (int i = 0; i < bench->gates_count; i++) {
		path_of(bench, i, path);
		insist(kvg_gates_put(bench->gates, path, "profile0", &diag), "move", &diag);
	}
	start = now_ms();
	insist(kvg_gates_set_policy(bench->gates, "profile0", policy, &diag), "change", &diag);
	report(bench, "another policy on all gates", now_ms() - start, "ms", 100);
}

static void in_child(struct bench *bench, void (*work)(struct bench *bench))
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		work(bench);
		_exit(bench->missed);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		exit(1);
	bench->missed += WEXITSTATUS(status);
}

static void later(struct bench *bench)
{
	struct kvg_policy *policy;

	restart(bench);
	rounds(bench, NULL);
	rounds(bench, bench->arena->base);
	policy = arena_large_policy("profile0", bench->prefixes_count, 1000);
	change(bench, policy);
	kvg_policy_free(policy);
}

static void begin(struct bench *bench)
{
	struct kvg_policy **policies = make_policies(bench, 0);

	first_start(bench, policies);
}

int main(int argc, char **argv)
{
	struct bench bench = {
		.gates_count = argc > 1 ? atoi(argv[1]) : 500,
		.profiles_count = argc > 2 ? atoi(argv[2]) : 50,
		.prefixes_count = argc > 3 ? atoi(argv[3]) : 10000,
	};
	char path[PATH_MAX], name[32];

	insist(arena_open(&bench.arena), "arena", NULL);
	for (int i = 0; i < bench.gates_count; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		arena_cgroup(bench.arena, name, path);
	}
	in_child(&bench, begin);
	in_child(&bench, later);
	arena_close(bench.arena);
	return bench.missed ? 1 : 0;
}
