/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of the agent's gates begin with: an arena, gates, and questions to both. */
#ifndef KVG_TESTS_BPF_AGENCY_H
#define KVG_TESTS_BPF_AGENCY_H

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/check.h"
#include "agent/gates.h"
#include "arena.h"
#include "base/cleanup.h"
#include "gate/gate.h"
#include "gate/pins.h"
#include "gate/slots.h"
#include "kvg_policy.h"

/* struct fixture - an agent's gates, and two cgroups that are not gated yet */
struct fixture {
	struct arena *arena;
	struct kvg_gates *gates;
	char a[PATH_MAX];
	char b[PATH_MAX];
	struct kvg_policy *narrow; /* 192.0.2.0/24 */
	struct kvg_policy *other;  /* 198.51.100.0/24 */
};

static inline void open_gates(struct fixture *fixture)
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
static inline void open_again(struct fixture *fixture)
{
	fixture->gates = kvg_gates_close(fixture->gates);
	open_gates(fixture);
}

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->gates)
		kvg_gates_remove_all(fixture->gates, NULL);
	kvg_gates_close(fixture->gates);
	kvg_policy_free(fixture->narrow);
	kvg_policy_free(fixture->other);
	arena_close(fixture->arena);
	free(fixture);
	return 0;
}

static inline void set_policy(struct fixture *fixture, const char *profile,
			      const struct kvg_policy *policy)
{
	struct kvg_diag diag = {0};
	int r = kvg_gates_set_policy(fixture->gates, profile, policy, &diag);

	if (r < 0)
		fail_msg("%s: %s", strerror(-r), diag.msg);
}

static inline void put(struct fixture *fixture, const char *cgroup, const char *profile)
{
	struct kvg_diag diag = {0};
	int r = kvg_gates_put(fixture->gates, cgroup, profile, &diag);

	if (r < 0)
		fail_msg("%s: %s", strerror(-r), diag.msg);
}

static inline void assert_reaches(struct fixture *fixture, const char *cgroup, bool inside,
				  bool other)
{
	assert_int_equal(arena_connects(fixture->arena, cgroup, "192.0.2.1"), inside);
	assert_int_equal(arena_connects(fixture->arena, cgroup, "198.51.100.1"), other);
	assert_false(arena_connects(fixture->arena, cgroup, ARENA_OUTSIDE));
}

static inline struct kvg_gate read_gate(struct fixture *fixture, const char *cgroup)
{
	struct kvg_gate gate = {0};

	assert_int_equal(kvg_gate_read(kvg_gates_set(fixture->gates),
				       arena_cgroup_id(fixture->arena, cgroup), &gate, NULL),
			 0);
	return gate;
}

static inline int open_link(struct fixture *fixture, const char *cgroup, const char *label)
{
	char folder[64];
	int link;

	snprintf(folder, sizeof(folder), "links/%llu",
		 (unsigned long long)arena_cgroup_id(fixture->arena, cgroup));
	link = kvg_pins_get(kvg_set_path(kvg_gates_set(fixture->gates)), folder, label);
	assert_true(link >= 0);
	return link;
}

static inline void detach_link(struct fixture *fixture, const char *cgroup, const char *label)
{
	KVG_CLEANUP(kvg_closep) int link = open_link(fixture, cgroup, label);

	assert_int_equal(bpf_link_detach(link), 0);
}

static inline size_t filled_slots(struct fixture *fixture)
{
	size_t count = 0;
	__u32 ids[2];

	for (__u32 slot = 1; slot < KVG_SLOTS_MAX; slot++)
		count += kvg_slots_read_ids(kvg_gates_set(fixture->gates), slot, ids) == 0;
	return count;
}

static inline void tidy(struct fixture *fixture)
{
	while (kvg_gates_tidy(fixture->gates))
		;
}

/* The attacker had its chances, and used none. */
static inline void assert_held(struct attacker *attacker, unsigned long attempts)
{
	for (int i = 0; i < 5000 && attacker->attempts < attempts; i++)
		usleep(1000);
	assert_true(attacker->attempts >= attempts);
	assert_int_equal(attacker->leaks[0], 0);
	assert_int_equal(attacker->leaks[1], 0);
}

static inline size_t check_round(struct kvg_check *check)
{
	int count = kvg_check_round(check);
	const char *const *problems;

	assert_true(count >= 0);
	assert_int_equal(kvg_check_problems(check, &problems), count);
	for (int i = 0; i < count; i++)
		print_message("# %s\n", problems[i]);
	return count;
}

/* A program that lets everything through. */
static inline int load_open_gate(enum bpf_prog_type type, enum bpf_attach_type at)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = at);

	return bpf_prog_load(type, "open_gate", "Dual BSD/GPL", insns, KVG_ARRAY_SIZE(insns),
			     &options);
}

/* As another version would have left it. */
static inline void make_other(struct fixture *fixture)
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
