// SPDX-License-Identifier: BSD-2-Clause
/* The agent's gates in a real kernel: what is in force, and what another agent takes over. */
#include <sys/wait.h>

#include "agency.h"
#include "agent/canary.h"

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
		TEST(kvgates_own_cgroups_are_refused),
		TEST(programs_of_another_version_are_replaced),
		TEST(gates_of_another_layout_stay_until_they_have_ours),
	};

	cmocka_set_test_filter(getenv("KVGATE_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
