// SPDX-License-Identifier: BSD-2-Clause
/* The agent's gates in a real kernel: what stays in force, whatever happens to them and to the agent. */
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/canary.h"
#include "agent/check.h"
#include "agent/gates.h"
#include "arena.h"
#include "base/cleanup.h"
#include "gate/gate.h"
#include "gate/pins.h"
#include "gate/slots.h"
#include "kvg_policy.h"

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

/* struct fixture - an agent's gates, and two cgroups that are not gated yet */
struct fixture {
	struct arena *arena;
	struct kvg_gates *gates;
	char a[PATH_MAX];
	char b[PATH_MAX];
	struct kvg_policy *narrow; /* 192.0.2.0/24 */
	struct kvg_policy *other;  /* 198.51.100.0/24 */
};

static void open_gates(struct fixture *fixture)
{
	const struct kvg_gates_options options = {
		.bpffs_dir = fixture->arena->bpffs,
		.cgroup_root = fixture->arena->root,
	};
	struct kvg_diag diag = {0};
	int r = kvg_gates_open(&options, &fixture->gates, &diag);

	if (r < 0)
		fail_msg("%s: %s", strerror(-r), diag.msg);
}

/* As after a kill: nothing of what is in the kernel is touched. */
static void open_again(struct fixture *fixture)
{
	fixture->gates = kvg_gates_close(fixture->gates);
	open_gates(fixture);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int r;

	*state = fixture;
	r = arena_open(&fixture->arena);
	if (r < 0) {
		print_error("no cgroups, no bpffs: %s\n", strerror(-r));
		return r;
	}
	arena_cgroup(fixture->arena, "a", fixture->a);
	arena_cgroup(fixture->arena, "b", fixture->b);
	fixture->narrow = arena_policy("web", ARENA_INSIDE);
	fixture->other = arena_policy("web", "198.51.100.0/24");
	open_gates(fixture);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	updates_left = -1;
	if (fixture->gates)
		kvg_gates_remove_all(fixture->gates, NULL);
	kvg_gates_close(fixture->gates);
	kvg_policy_free(fixture->narrow);
	kvg_policy_free(fixture->other);
	arena_close(fixture->arena);
	free(fixture);
	return 0;
}

static void set_policy(struct fixture *fixture, const char *profile,
		       const struct kvg_policy *policy)
{
	struct kvg_diag diag = {0};
	int r = kvg_gates_set_policy(fixture->gates, profile, policy, &diag);

	if (r < 0)
		fail_msg("%s: %s", strerror(-r), diag.msg);
}

static void put(struct fixture *fixture, const char *cgroup, const char *profile)
{
	struct kvg_diag diag = {0};
	int r = kvg_gates_put(fixture->gates, cgroup, profile, &diag);

	if (r < 0)
		fail_msg("%s: %s", strerror(-r), diag.msg);
}

static void assert_reaches(struct fixture *fixture, const char *cgroup, bool inside, bool other)
{
	assert_int_equal(arena_connects(fixture->arena, cgroup, "192.0.2.1"), inside);
	assert_int_equal(arena_connects(fixture->arena, cgroup, "198.51.100.1"), other);
	assert_false(arena_connects(fixture->arena, cgroup, ARENA_OUTSIDE));
}

static struct kvg_gate read_gate(struct fixture *fixture, const char *cgroup)
{
	struct kvg_gate gate = {0};

	assert_int_equal(kvg_gate_read(kvg_gates_set(fixture->gates),
				       arena_cgroup_id(fixture->arena, cgroup), &gate, NULL),
			 0);
	return gate;
}

static int open_link(struct fixture *fixture, const char *cgroup, const char *label)
{
	char folder[64];
	int link;

	snprintf(folder, sizeof(folder), "links/%llu",
		 (unsigned long long)arena_cgroup_id(fixture->arena, cgroup));
	link = kvg_pins_get(kvg_set_path(kvg_gates_set(fixture->gates)), folder, label);
	assert_true(link >= 0);
	return link;
}

static void detach_link(struct fixture *fixture, const char *cgroup, const char *label)
{
	KVG_CLEANUP(kvg_closep) int link = open_link(fixture, cgroup, label);

	assert_int_equal(bpf_link_detach(link), 0);
}

static size_t filled_slots(struct fixture *fixture)
{
	size_t count = 0;
	__u32 ids[2];

	for (__u32 slot = 1; slot < KVG_SLOTS_MAX; slot++)
		count += kvg_slots_read_ids(kvg_gates_set(fixture->gates), slot, ids) == 0;
	return count;
}

static void tidy(struct fixture *fixture)
{
	while (kvg_gates_tidy(fixture->gates))
		;
}

/* The attacker had its chances, and used none. */
static void assert_held(struct attacker *attacker, unsigned long attempts)
{
	for (int i = 0; i < 5000 && attacker->attempts < attempts; i++)
		usleep(1000);
	assert_true(attacker->attempts >= attempts);
	assert_int_equal(attacker->leaks[0], 0);
	assert_int_equal(attacker->leaks[1], 0);
}

static void without_a_policy_everything_is_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_gates_entry *entries;

	put(fixture, fixture->a, "web");
	assert_reaches(fixture, fixture->a, false, false);
	assert_int_equal(kvg_gates_list(fixture->gates, &entries), 1);
	assert_true(entries[0].policy_missing);

	set_policy(fixture, "web", fixture->narrow);
	assert_reaches(fixture, fixture->a, true, false);
	set_policy(fixture, "web", NULL);
	assert_reaches(fixture, fixture->a, false, false);
}

static void gates_of_a_profile_share_a_slot(void **state)
{
	struct fixture *fixture = *state;

	set_policy(fixture, "web", fixture->narrow);
	set_policy(fixture, "also", fixture->narrow);
	put(fixture, fixture->a, "web");
	put(fixture, fixture->b, "also");
	assert_int_equal(read_gate(fixture, fixture->a).slot, read_gate(fixture, fixture->b).slot);
	assert_int_equal(filled_slots(fixture), 1);
}

static void a_change_reaches_every_gate_of_the_profile_and_no_other(void **state)
{
	struct fixture *fixture = *state;
	char c[PATH_MAX];

	arena_cgroup(fixture->arena, "c", c);
	set_policy(fixture, "web", fixture->narrow);
	set_policy(fixture, "still", fixture->narrow);
	put(fixture, fixture->a, "web");
	put(fixture, fixture->b, "web");
	put(fixture, c, "still");

	set_policy(fixture, "web", fixture->other);
	assert_reaches(fixture, fixture->a, false, true);
	assert_reaches(fixture, fixture->b, false, true);
	assert_reaches(fixture, c, true, false);
	assert_int_equal(read_gate(fixture, fixture->a).generation, 2);
	assert_int_equal(read_gate(fixture, c).generation, 1);
}

static void the_same_again_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_gate before, after;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	before = read_gate(fixture, fixture->a);
	put(fixture, fixture->a, "web");
	set_policy(fixture, "web", fixture->narrow);
	after = read_gate(fixture, fixture->a);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void a_gate_moves_to_another_profile(void **state)
{
	struct fixture *fixture = *state;

	set_policy(fixture, "web", fixture->narrow);
	set_policy(fixture, "batch", fixture->other);
	put(fixture, fixture->a, "web");
	put(fixture, fixture->a, "batch");
	assert_reaches(fixture, fixture->a, false, true);
	set_policy(fixture, "web", NULL);
	assert_reaches(fixture, fixture->a, false, true);
}

static void policies_that_nobody_names_are_freed(void **state)
{
	struct fixture *fixture = *state;

	set_policy(fixture, "web", fixture->narrow);
	set_policy(fixture, "idle", fixture->other);
	put(fixture, fixture->a, "web");
	tidy(fixture);
	assert_int_equal(filled_slots(fixture), 2); /* a profile's, also without a gate */

	kvg_gates_forget_profile(fixture->gates, "idle");
	tidy(fixture);
	assert_int_equal(filled_slots(fixture), 1);
	assert_reaches(fixture, fixture->a, true, false);
}

static void detaching_one_gate_leaves_the_others_their_policy(void **state)
{
	struct fixture *fixture = *state;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	put(fixture, fixture->b, "web");
	assert_int_equal(kvg_gate_detach(kvg_gates_set(fixture->gates),
					 arena_cgroup_id(fixture->arena, fixture->a), NULL),
			 0);
	assert_reaches(fixture, fixture->b, true, false);
	assert_true(arena_connects(fixture->arena, fixture->a, ARENA_OUTSIDE));
}

static void a_gate_that_was_taken_away_starts_anew_with_its_policy(void **state)
{
	struct fixture *fixture = *state;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	assert_int_equal(
		kvg_gates_remove(fixture->gates, arena_cgroup_id(fixture->arena, fixture->a), NULL),
		0);
	assert_true(arena_connects(fixture->arena, fixture->a, ARENA_OUTSIDE));
	set_policy(fixture, "web", fixture->other);
	put(fixture, fixture->a, "web");
	assert_reaches(fixture, fixture->a, false, true);
}

static void what_is_in_force_is_taken_over(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_gates_entry *entries;
	struct kvg_gate before, after;
	struct attacker *attacker = attacker_start(fixture->arena, fixture->a);

	assert_non_null(attacker);
	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	put(fixture, fixture->b, "web");
	attacker->armed = true;
	before = read_gate(fixture, fixture->a);

	open_again(fixture);
	assert_int_equal(kvg_gates_list(fixture->gates, &entries), 2);
	assert_string_equal(entries[0].cgroup, fixture->a);
	assert_string_equal(entries[0].profile, "web");
	assert_memory_equal(entries[0].digest, fixture->narrow->digest, 32);
	assert_reaches(fixture, fixture->a, true, false);

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	after = read_gate(fixture, fixture->a);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(filled_slots(fixture), 1);
	assert_held(attacker, 100);
	attacker_stop(attacker);
}

static void gates_of_cgroups_that_are_gone_are_forgotten(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_gates_entry *entries;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	put(fixture, fixture->b, "web");
	arena_remove_cgroup(fixture->arena, fixture->a);
	tidy(fixture);
	assert_int_equal(kvg_gates_list(fixture->gates, &entries), 1);

	arena_remove_cgroup(fixture->arena, fixture->b);
	open_again(fixture);
	assert_int_equal(kvg_gates_list(fixture->gates, &entries), 0);
}

static size_t check_round(struct kvg_check *check)
{
	int count = kvg_check_round(check);
	const char *const *problems;

	assert_true(count >= 0);
	assert_int_equal(kvg_check_problems(check, &problems), count);
	for (int i = 0; i < count; i++)
		print_message("# %s\n", problems[i]);
	return count;
}

static void all_is_well(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_check *check;
	char child[PATH_MAX];

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	arena_cgroup(fixture->arena, "a/child", child);
	put(fixture, child, "web");
	put(fixture, fixture->b, "without");
	assert_int_equal(kvg_check_open(fixture->gates, fixture->arena->base, &check), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(check_round(check), 0);
	assert_int_equal(kvg_check_repaired(check), 0);
	assert_int_equal(kvg_check_foreign(check), 0);
	kvg_check_close(check);
}

/* Found by the next round, mended in it, listed, and whole in the one after. */
static void assert_mended(struct fixture *fixture, size_t repaired)
{
	struct kvg_check *check;

	assert_int_equal(kvg_check_open(fixture->gates, NULL, &check), 0);
	assert_true(check_round(check) > 0);
	assert_int_equal(kvg_check_repaired(check), repaired);
	assert_reaches(fixture, fixture->a, true, false);
	assert_int_equal(check_round(check), 0);
	kvg_check_close(check);
}

static void a_foreign_detach_is_noticed_and_mended(void **state)
{
	struct fixture *fixture = *state;
	char child[PATH_MAX];

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	detach_link(fixture, fixture->a, "connect4");
	assert_true(arena_connects(fixture->arena, fixture->a, ARENA_OUTSIDE));
	assert_mended(fixture, 1);

	/* Below another gate the same program runs all the same, once less. */
	arena_cgroup(fixture->arena, "a/child", child);
	put(fixture, child, "web");
	detach_link(fixture, child, "egress");
	assert_mended(fixture, 1);
}

static void a_foreign_detach_is_mended_by_the_next_start(void **state)
{
	struct fixture *fixture = *state;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	detach_link(fixture, fixture->a, "connect4");
	detach_link(fixture, fixture->a, "egress");
	open_again(fixture);
	assert_reaches(fixture, fixture->a, true, false);
}

static void removed_pins_are_noticed_and_mended(void **state)
{
	struct fixture *fixture = *state;
	char folder[64];

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	snprintf(folder, sizeof(folder), "links/%llu",
		 (unsigned long long)arena_cgroup_id(fixture->arena, fixture->a));
	assert_int_equal(
		kvg_pins_drop(kvg_set_path(kvg_gates_set(fixture->gates)), folder, "connect4"), 0);
	for (int i = 0; i < 1000 && !arena_connects(fixture->arena, fixture->a, ARENA_OUTSIDE); i++)
		usleep(1000); /* the kernel frees the link some time later */
	assert_mended(fixture, 1);
}

static void prefixes_that_are_gone_are_put_in_force_again(void **state)
{
	struct fixture *fixture = *state;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	put(fixture, fixture->b, "web");
	assert_int_equal(
		kvg_slots_clear(kvg_gates_set(fixture->gates), read_gate(fixture, fixture->a).slot),
		0);
	assert_reaches(fixture, fixture->a, false, false);
	assert_mended(fixture, 1);
	assert_reaches(fixture, fixture->b, true, false);
}

static void a_slot_that_another_took_is_noticed(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_set *set = kvg_gates_set(fixture->gates);
	__u32 slot;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	assert_int_equal(kvg_slots_clear(set, read_gate(fixture, fixture->a).slot), 0);
	fixture->other->rules[0].prefix.addr[3] = 0;
	{
		/* Another's policy in the same place. */
		struct kvg_gate gate = read_gate(fixture, fixture->a);
		struct kvg_gate away = gate;

		away.slot = 0;
		assert_int_equal(bpf_map_update_elem(kvg_set_map(set, KVG_MAP_GATES),
						     &away.cgroup_id, &away, BPF_ANY),
				 0);
		assert_int_equal(kvg_slots_fill(set, fixture->other, &slot, NULL), 0);
		assert_int_equal(slot, gate.slot);
		assert_int_equal(bpf_map_update_elem(kvg_set_map(set, KVG_MAP_GATES),
						     &gate.cgroup_id, &gate, BPF_ANY),
				 0);
	}
	assert_reaches(fixture, fixture->a, false, true);
	assert_mended(fixture, 1);
}

static void an_entry_that_somebody_changed_is_put_right(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_gate gate;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	gate = read_gate(fixture, fixture->a);
	gate.mode = KVG_MODE_AUDIT;
	assert_int_equal(
		bpf_map_update_elem(kvg_set_map(kvg_gates_set(fixture->gates), KVG_MAP_GATES),
				    &gate.cgroup_id, &gate, BPF_ANY),
		0);
	assert_true(arena_connects(fixture->arena, fixture->a, ARENA_OUTSIDE));
	assert_mended(fixture, 1);
}

static void another_cgroup_of_the_same_name_is_gated(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_gates_entry *entries;
	char again[PATH_MAX];

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	arena_remove_cgroup(fixture->arena, fixture->a);
	arena_cgroup(fixture->arena, "a", again);
	assert_mended(fixture, 1);
	assert_int_equal(kvg_gates_list(fixture->gates, &entries), 1);
	assert_int_equal(entries[0].cgroup_id, arena_cgroup_id(fixture->arena, fixture->a));
}

static void kvgates_own_cgroups_are_refused(void **state)
{
	struct fixture *fixture = *state;
	char canary[PATH_MAX];
	pid_t pid;
	int status;

	arena_cgroup(fixture->arena, KVG_CANARY_CGROUP, canary);
	set_policy(fixture, "web", fixture->narrow);
	assert_int_equal(kvg_gates_put(fixture->gates, canary, "web", NULL), -ELOOP);
	assert_int_equal(kvg_gates_put(fixture->gates, "/", "web", NULL), -EPERM);
	assert_int_equal(kvg_gates_put(fixture->gates, "", "web", NULL), -EPERM);
	assert_int_equal(kvg_gates_put(fixture->gates, "/nothing-here", "web", NULL), -ENOENT);

	pid = fork();
	if (pid == 0) {
		char procs[PATH_MAX + 64];
		FILE *file;

		snprintf(procs, sizeof(procs), "%s%s/cgroup.procs", fixture->arena->root,
			 fixture->b);
		file = fopen(procs, "w");
		_exit(!file || fprintf(file, "0") < 0 || fclose(file) != 0 ||
		      kvg_gates_put(fixture->gates, fixture->b, "web", NULL) != -ELOOP ||
		      kvg_gates_put(fixture->gates, fixture->arena->base, "web", NULL) != -ELOOP);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A program that lets everything through. */
static int load_open_gate(enum bpf_prog_type type, enum bpf_attach_type at)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = at);

	return bpf_prog_load(type, "open_gate", "Dual BSD/GPL", insns, KVG_ARRAY_SIZE(insns),
			     &options);
}

static void the_canary_finds_a_gate_that_does_not_hold(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_set *set = kvg_gates_set(fixture->gates);
	KVG_CLEANUP(kvg_closep)
	int program = load_open_gate(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT);
	const struct kvg_gate nothing = {0};
	struct kvg_canary *canary = NULL;
	struct kvg_diag diag = {0};

	assert_int_equal(
		kvg_canary_open(set, fixture->arena->root, fixture->arena->base, &canary, &diag),
		0);
	assert_int_equal(kvg_canary_try(canary, &nothing, &diag), 0);
	assert_true(program >= 0);
	assert_true(dup3(program, kvg_set_program(set, KVG_PROGRAM_CONNECT4), O_CLOEXEC) >= 0);
	assert_int_equal(kvg_canary_try(canary, &nothing, &diag), -EBADE);
	assert_non_null(strstr(diag.msg, "connect() over IPv4"));
	kvg_canary_close(canary);
}

static void another_program_in_a_link_is_replaced(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int link = -1;
	KVG_CLEANUP(kvg_closep)
	int program = load_open_gate(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT);

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	link = open_link(fixture, fixture->a, "connect4");
	assert_int_equal(bpf_link_update(link, program, NULL), 0);
	assert_true(arena_connects(fixture->arena, fixture->a, ARENA_OUTSIDE));
	assert_mended(fixture, 1);
}

static void programs_of_another_version_are_replaced(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_set *set = kvg_gates_set(fixture->gates);
	struct bpf_link_info before = {}, after = {};
	__u32 size = sizeof(before);
	KVG_CLEANUP(kvg_closep) int link = -1;
	KVG_CLEANUP(kvg_closep)
	int program = load_open_gate(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT);

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	assert_int_equal(kvg_pins_replace(kvg_set_path(set), "progs", "kvg_connect4", program), 0);
	link = open_link(fixture, fixture->a, "connect4");
	assert_int_equal(bpf_link_update(link, program, NULL), 0);
	assert_int_equal(bpf_obj_get_info_by_fd(link, &before, &size), 0);

	open_again(fixture);
	size = sizeof(after);
	assert_int_equal(bpf_obj_get_info_by_fd(link, &after, &size), 0);
	assert_int_equal(before.id, after.id); /* the same link, another program */
	assert_int_not_equal(before.prog_id, after.prog_id);
	assert_reaches(fixture, fixture->a, true, false);
}

/* As another version would have left it. */
static void make_other(struct fixture *fixture)
{
	struct kvg_set *set = kvg_gates_set(fixture->gates);
	struct kvg_gate_info info;
	__u64 *ids = NULL;
	size_t count;

	assert_int_equal(kvg_gate_list(set, &ids, &count), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(kvg_gate_read(set, ids[i], NULL, &info), 0);
		info.abi = KVG_ABI + 1;
		assert_int_equal(bpf_map_update_elem(kvg_set_map(set, KVG_MAP_INFOS), &ids[i],
						     &info, BPF_ANY),
				 0);
	}
	free(ids);
}

static void gates_of_another_layout_stay_until_they_have_ours(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_gates_entry *entries;
	char **sets = NULL;
	struct attacker *attacker = attacker_start(fixture->arena, fixture->a);

	assert_non_null(attacker);
	set_policy(fixture, "web", fixture->narrow);
	set_policy(fixture, "batch", fixture->other);
	put(fixture, fixture->a, "web");
	put(fixture, fixture->b, "batch");
	attacker->armed = true;
	make_other(fixture);

	open_again(fixture);
	assert_string_equal(kvg_set_name(kvg_gates_set(fixture->gates)), "agent-1");
	assert_int_equal(kvg_gates_list(fixture->gates, &entries), 2);
	assert_string_equal(entries[0].set, "agent");
	assert_string_equal(entries[0].profile, "web");
	assert_reaches(fixture, fixture->a, true, false);
	assert_reaches(fixture, fixture->b, false, true);

	set_policy(fixture, "web", fixture->narrow);
	set_policy(fixture, "batch", NULL); /* the old one is better than none */
	put(fixture, fixture->a, "web");
	put(fixture, fixture->b, "batch");
	assert_int_equal(kvg_gates_list(fixture->gates, &entries), 2);
	assert_string_equal(entries[0].set, "agent-1");
	assert_string_equal(entries[1].set, "agent");
	assert_true(entries[1].policy_missing);
	assert_reaches(fixture, fixture->b, false, true);

	set_policy(fixture, "batch", fixture->narrow);
	assert_reaches(fixture, fixture->b, true, false);
	assert_int_equal(kvg_set_list(fixture->arena->bpffs, &sets), 0);
	assert_string_equal(sets[0], "agent-1");
	assert_null(sets[1]);
	kvg_set_list_free(sets);
	assert_held(attacker, 100);
	attacker_stop(attacker);
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

		if (pid == 0)
			work(fixture);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_policy_everything_is_refused),
		TEST(gates_of_a_profile_share_a_slot),
		TEST(a_change_reaches_every_gate_of_the_profile_and_no_other),
		TEST(the_same_again_changes_nothing),
		TEST(a_gate_moves_to_another_profile),
		TEST(policies_that_nobody_names_are_freed),
		TEST(detaching_one_gate_leaves_the_others_their_policy),
		TEST(a_gate_that_was_taken_away_starts_anew_with_its_policy),
		TEST(what_is_in_force_is_taken_over),
		TEST(gates_of_cgroups_that_are_gone_are_forgotten),
		TEST(all_is_well),
		TEST(a_foreign_detach_is_noticed_and_mended),
		TEST(a_foreign_detach_is_mended_by_the_next_start),
		TEST(removed_pins_are_noticed_and_mended),
		TEST(prefixes_that_are_gone_are_put_in_force_again),
		TEST(a_slot_that_another_took_is_noticed),
		TEST(an_entry_that_somebody_changed_is_put_right),
		TEST(another_cgroup_of_the_same_name_is_gated),
		TEST(kvgates_own_cgroups_are_refused),
		TEST(the_canary_finds_a_gate_that_does_not_hold),
		TEST(another_program_in_a_link_is_replaced),
		TEST(programs_of_another_version_are_replaced),
		TEST(gates_of_another_layout_stay_until_they_have_ours),
		TEST(without_memory_the_old_policy_stays),
		TEST(without_memory_a_new_gate_is_no_gate),
		TEST(killed_at_any_instant_nothing_is_open),
		TEST(a_thousand_gates_that_come_and_go_leave_nothing),
	};

	cmocka_set_test_filter(getenv("KVGATE_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
