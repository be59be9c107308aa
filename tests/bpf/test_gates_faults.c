// SPDX-License-Identifier: BSD-2-Clause
/* The agent's gates without memory, killed at any instant, and after thousands of them. */
#include <dlfcn.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "agency.h"

/* Updates of BPF maps that fail from now on, for want of memory; < 0: none. */
static int updates_left = -1;

/* libbpf's way into the kernel. */
long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	long arguments[6];
	va_list args;

	if (!real)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf && updates_left >= 0 &&
	    (arguments[0] == BPF_MAP_UPDATE_ELEM || arguments[0] == BPF_MAP_UPDATE_BATCH) &&
	    updates_left-- == 0) {
		updates_left = 0; /* and so do all after it */
		errno = ENOMEM;
		return -1;
	}
	return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
		    arguments[5]);
}

static void without_memory_the_old_policy_stays(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_diag diag = {0};

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	put(fixture, fixture->b, "web");
	for (int at = 0; at < 4; at++) {
		int r;

		updates_left = at;
		r = kvg_gates_set_policy(fixture->gates, "web", fixture->other, &diag);
		updates_left = -1;
		assert_int_equal(r, -ENOMEM);
		assert_true(diag.msg[0]);
		assert_reaches(fixture, fixture->a, true, false);
		assert_reaches(fixture, fixture->b, true, false);
	}
	set_policy(fixture, "web", fixture->other);
	assert_reaches(fixture, fixture->a, false, true);
	assert_reaches(fixture, fixture->b, false, true);
}

static void without_memory_a_new_gate_is_no_gate(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_gates_entry *entries;

	set_policy(fixture, "web", fixture->narrow);
	for (int at = 0; at < 2; at++) {
		int r;

		updates_left = at;
		r = kvg_gates_put(fixture->gates, fixture->a, "web", NULL);
		updates_left = -1;
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(kvg_gates_list(fixture->gates, &entries), 0);
	}
	put(fixture, fixture->a, "web");
	assert_reaches(fixture, fixture->a, true, false);
}

static void on_a_read_only_bpffs_gates_hold_and_new_ones_are_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_gates_options options = {
		.bpffs_dir = fixture->arena->bpffs,
		.cgroup_root = fixture->arena->root,
	};
	const struct kvg_gates_entry *entries;
	struct kvg_diag diag = {0};
	struct kvg_check *check;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	assert_int_equal(mount(NULL, fixture->arena->mount, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	set_policy(fixture, "web", fixture->other);
	assert_reaches(fixture, fixture->a, false, true);
	assert_int_equal(kvg_gates_put(fixture->gates, fixture->b, "web", &diag), -EROFS);
	assert_non_null(strstr(diag.msg, fixture->arena->mount));
	assert_true(arena_connects(fixture->arena, fixture->b, ARENA_OUTSIDE));
	assert_int_equal(kvg_check_open(fixture->gates, NULL, &check), 0);
	assert_int_equal(check_round(check), 0);
	kvg_check_close(check);

	/* Nobody can start there, but nothing is lost. */
	fixture->gates = kvg_gates_close(fixture->gates);
	assert_int_equal(kvg_gates_open(&options, &fixture->gates, &diag), -EROFS);
	assert_reaches(fixture, fixture->a, false, true);
	assert_int_equal(mount(NULL, fixture->arena->mount, NULL, MS_REMOUNT, NULL), 0);
	open_gates(fixture);
	set_policy(fixture, "web", fixture->other);
	put(fixture, fixture->b, "web");
	assert_int_equal(kvg_gates_list(fixture->gates, &entries), 2);
	assert_reaches(fixture, fixture->b, false, true);
}

static void without_a_bpffs_it_says_so(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_gates_options options = {
		.bpffs_dir = "/tmp/kvg-nowhere/kvgate",
		.cgroup_root = fixture->arena->root,
	};
	struct kvg_gates *gates = NULL;
	struct kvg_diag diag = {0};

	assert_int_equal(kvg_gates_open(&options, &gates, &diag), -ENODEV);
	assert_non_null(strstr(diag.msg, "bpffs"));
	assert_null(gates);
}

/* What an agent does all day, again and again. */
static void work(struct fixture *fixture)
{
	const __u64 id = arena_cgroup_id(fixture->arena, fixture->b);

	for (unsigned int i = 0;; i++) {
		fixture->gates = kvg_gates_close(fixture->gates);
		open_gates(fixture);
		kvg_gates_set_policy(fixture->gates, "web",
				     i % 2 ? fixture->narrow : fixture->other, NULL);
		kvg_gates_put(fixture->gates, fixture->a, "web", NULL);
		kvg_gates_put(fixture->gates, fixture->b, "web", NULL);
		if (i % 4 == 3) {
			detach_link(fixture, fixture->b, "egress");
			make_other(fixture);
		}
		if (i % 3 == 2)
			kvg_gates_remove(fixture->gates, id, NULL);
		kvg_gates_tidy(fixture->gates);
	}
}

static void killed_at_any_instant_nothing_is_open(void **state)
{
	struct fixture *fixture = *state;
	struct attacker *attacker = attacker_start(fixture->arena, fixture->a);
	struct kvg_check *check;

	assert_non_null(attacker);
	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	put(fixture, fixture->b, "web");
	attacker->armed = true;
	srandom(getpid());
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work(fixture);
		}
		usleep(1000 + random() % 150000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		if (i % 8 != 7)
			continue;
		open_again(fixture);
		set_policy(fixture, "web", fixture->narrow);
		put(fixture, fixture->a, "web");
		put(fixture, fixture->b, "web");
		assert_reaches(fixture, fixture->a, true, false);
		assert_reaches(fixture, fixture->b, true, false);
		assert_int_equal(kvg_check_open(fixture->gates, NULL, &check), 0);
		assert_int_equal(check_round(check), 0);
		kvg_check_close(check);
	}
	assert_held(attacker, 1000);
	print_message("# %lu attempts\n", attacker->attempts);
	attacker_stop(attacker);
}

static size_t count_folder(const char *path)
{
	char command[PATH_MAX + 64];
	size_t count = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "find %s -mindepth 1 | wc -l", path);
	pipe = popen(command, "r");
	assert_int_equal(fscanf(pipe, "%zu", &count), 1);
	pclose(pipe);
	return count;
}

static long resident_kb(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size = 0, resident = 0;

	assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
	fclose(file);
	return resident * 4;
}

static void cycle(struct fixture *fixture, int count)
{
	char path[PATH_MAX];

	for (int i = 0; i < count; i++) {
		arena_cgroup(fixture->arena, "brief", path);
		put(fixture, path, "web");
		arena_remove_cgroup(fixture->arena, path);
		if (i % 10 == 9)
			kvg_gates_tidy(fixture->gates);
	}
	tidy(fixture);
}

static void a_thousand_gates_that_come_and_go_leave_nothing(void **state)
{
	struct fixture *fixture = *state;
	const char *cycles = getenv("KVGATE_TEST_CYCLES");
	size_t fds, pins;
	long memory;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	cycle(fixture, 100);
	fds = count_folder("/proc/self/fd");
	pins = count_folder(fixture->arena->bpffs);
	memory = resident_kb();

	cycle(fixture, cycles ? atoi(cycles) : 1000);
	assert_int_equal(count_folder("/proc/self/fd"), fds);
	assert_int_equal(count_folder(fixture->arena->bpffs), pins);
	assert_true(resident_kb() < memory + 512);
	assert_reaches(fixture, fixture->a, true, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_memory_the_old_policy_stays),
		TEST(without_memory_a_new_gate_is_no_gate),
		TEST(on_a_read_only_bpffs_gates_hold_and_new_ones_are_refused),
		TEST(without_a_bpffs_it_says_so),
		TEST(killed_at_any_instant_nothing_is_open),
		TEST(a_thousand_gates_that_come_and_go_leave_nothing),
	};

	cmocka_set_test_filter(getenv("KVGATE_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
