// SPDX-License-Identifier: BSD-2-Clause
/* What others do to the agent's gates is noticed and mended. */
#include "agency.h"
#include "agent/canary.h"

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

/* Above the gate, and alone there: the kernel takes no other of its kind below. Return: the cgroup */
static int put_lone_ingress(struct fixture *fixture, int *ret_program)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET_INGRESS);
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	int cgroup;

	assert_true(asprintf(&path, "%s%s", fixture->arena->root, fixture->arena->base) > 0);
	cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_program = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "kvg_alone", "Dual BSD/GPL", insns,
				     KVG_ARRAY_SIZE(insns), &options);
	assert_true(cgroup >= 0 && *ret_program >= 0);
	assert_int_equal(bpf_prog_attach(*ret_program, cgroup, BPF_CGROUP_INET_INGRESS, 0), 0);
	return cgroup;
}

static void a_gate_holds_without_its_ingress_program_and_says_so(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int program = -1;
	KVG_CLEANUP(kvg_closep) int cgroup = put_lone_ingress(fixture, &program);
	const char *const *problems;
	struct kvg_check *check;

	set_policy(fixture, "web", fixture->narrow);
	put(fixture, fixture->a, "web");
	assert_reaches(fixture, fixture->a, true, false);
	assert_int_equal(kvg_check_open(fixture->gates, NULL, &check), 0);
	assert_int_equal(check_round(check), 1);
	kvg_check_problems(check, &problems);
	assert_non_null(
		strstr(problems[0], "the ingress program cannot be attached: the gate holds"));
	assert_int_equal(kvg_check_repaired(check), 0);

	assert_int_equal(bpf_prog_detach2(program, cgroup, BPF_CGROUP_INET_INGRESS), 0);
	assert_int_equal(check_round(check), 1);
	assert_int_equal(kvg_check_repaired(check), 1);
	assert_int_equal(check_round(check), 0);
	kvg_check_close(check);
	assert_reaches(fixture, fixture->a, true, false);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_is_well),
		TEST(a_foreign_detach_is_noticed_and_mended),
		TEST(a_foreign_detach_is_mended_by_the_next_start),
		TEST(removed_pins_are_noticed_and_mended),
		TEST(a_gate_holds_without_its_ingress_program_and_says_so),
		TEST(prefixes_that_are_gone_are_put_in_force_again),
		TEST(a_slot_that_another_took_is_noticed),
		TEST(an_entry_that_somebody_changed_is_put_right),
		TEST(another_cgroup_of_the_same_name_is_gated),
		TEST(the_canary_finds_a_gate_that_does_not_hold),
		TEST(another_program_in_a_link_is_replaced),
	};

	cmocka_set_test_filter(getenv("KVGATE_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
