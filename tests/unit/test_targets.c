// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "agent/targets.h"
#include "base/cleanup.h"

#define CONFIG  KVG_CLEANUP(kvg_config_freep) struct kvg_config *
#define TARGETS KVG_CLEANUP(kvg_targets_done) struct kvg_targets

#define PROFILE(name, pattern) \
	"  - {name: " name ", resolvers: [none], select: [{cgroup: \"" pattern "\"}]}\n"

/* No container's files: what a path says must do. */
static const struct kvg_identity_roots nowhere = {"/nonexistent", "/nonexistent"};

static struct kvg_config *configured(const char *text)
{
	struct kvg_config *config = NULL;
	struct kvg_diag diag = {};

	if (kvg_config_parse(text, strlen(text), &config, &diag) < 0)
		fail_msg("%u: %s", diag.line, diag.msg);
	return config;
}

/* As the agent does, with gates that can be had. */
static struct kvg_target *place(struct kvg_targets *targets, const struct kvg_config *config,
				const char *cgroup)
{
	struct kvg_target *target = NULL;

	assert_int_equal(kvg_targets_add(targets, cgroup, &target), 0);
	target->in_force = false;
	assert_int_equal(kvg_targets_decide(targets, target, config, &nowhere), 0);
	target->in_force = kvg_target_profile(target);
	return target;
}

static void assert_profile(const struct kvg_target *target, const char *profile)
{
	assert_non_null(kvg_target_profile(target));
	assert_string_equal(kvg_target_profile(target), profile);
}

static void cgroups_are_found_again_whatever_their_order(void **state)
{
	static const char *const names[] = {"/m", "/a", "/z", "/m/b", "/m-b", "/m/a"};
	TARGETS targets = {};
	struct kvg_target *target;
	char name[32];

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "/n/%d", i * 7919 % 500);
		assert_int_equal(kvg_targets_add(&targets, name, &target), 0);
	}
	for (size_t i = 0; i < KVG_ARRAY_SIZE(names); i++)
		assert_int_equal(kvg_targets_add(&targets, names[i], &target), 0);
	assert_int_equal(targets.count, 506);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(names); i++)
		assert_string_equal(kvg_targets_find(&targets, names[i])->cgroup, names[i]);
	assert_null(kvg_targets_find(&targets, "/m/"));

	kvg_targets_remove(&targets, "/m");
	kvg_targets_remove(&targets, "/nobody");
	assert_null(kvg_targets_find(&targets, "/m"));
	assert_non_null(kvg_targets_find(&targets, "/m/a"));
	assert_int_equal(targets.count, 505);
}

static void a_cgroup_is_there_once(void **state)
{
	struct kvg_target *one, *two;
	TARGETS targets = {};

	(void)state;
	assert_int_equal(kvg_targets_add(&targets, "/a", &one), 0);
	assert_int_equal(kvg_targets_add(&targets, "/a", &two), 0);
	assert_ptr_equal(one, two);
	assert_int_equal(targets.count, 1);
}

static void the_most_specific_profile_is_the_one_and_all_are_kept(void **state)
{
	CONFIG config = configured("profiles:\n" PROFILE("wide", "/a/**") PROFILE("exact", "/a/b"));
	TARGETS targets = {};
	struct kvg_target *target = place(&targets, config, "/a/b");

	(void)state;
	assert_profile(target, "exact");
	assert_int_equal(target->count, 2);
	assert_string_equal(target->matches[1].profile->profile.name, "wide");
}

static void what_nothing_selects_has_no_profile(void **state)
{
	CONFIG config = configured("profiles:\n" PROFILE("one", "/a/*"));
	TARGETS targets = {};

	(void)state;
	assert_null(kvg_target_profile(place(&targets, config, "/b")));
	assert_null(kvg_target_profile(place(&targets, config, "/a/b/c")));
}

static void below_a_gate_of_the_same_profile_none_is_needed(void **state)
{
	CONFIG config = configured("profiles:\n" PROFILE("one", "/a/**"));
	TARGETS targets = {};
	struct kvg_target *inner;

	(void)state;
	assert_profile(place(&targets, config, "/a/b"), "one");
	inner = place(&targets, config, "/a/b/c/d");
	assert_null(kvg_target_profile(inner));
	assert_string_equal(inner->cover, "/a/b");
	assert_profile(place(&targets, config, "/a/bc"), "one");
}

static void a_gate_that_is_not_in_force_covers_nothing(void **state)
{
	CONFIG config = configured("profiles:\n" PROFILE("one", "/a/**"));
	TARGETS targets = {};
	struct kvg_target *outer = place(&targets, config, "/a/b");

	(void)state;
	outer->in_force = false;
	assert_profile(place(&targets, config, "/a/b/c"), "one");
	outer->in_force = true;
	assert_null(kvg_target_profile(place(&targets, config, "/a/b/c")));
}

static void a_more_specific_profile_below_gates_in_addition(void **state)
{
	CONFIG config =
		configured("profiles:\n" PROFILE("wide", "/a/**") PROFILE("exact", "/a/b/c"));
	TARGETS targets = {};

	(void)state;
	assert_profile(place(&targets, config, "/a/b"), "wide");
	assert_profile(place(&targets, config, "/a/b/c"), "exact");
}

static void what_the_hook_told_counts_more_than_the_disk(void **state)
{
	CONFIG config =
		configured("profiles:\n"
			   "  - {name: named, resolvers: [none], select: [{container: c1}]}\n");
	struct kvg_target *target;
	TARGETS targets = {};

	(void)state;
	assert_null(kvg_target_profile(place(&targets, config, "/a")));
	target = kvg_targets_find(&targets, "/a");
	target->told = calloc(1, sizeof(*target->told));
	assert_non_null(target->told);
	assert_int_equal(kvg_identity_read(&nowhere, "/a", target->told), 0);
	free(target->told->container);
	target->told->container = strdup("c1");
	assert_profile(place(&targets, config, "/a"), "named");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroups_are_found_again_whatever_their_order),
		cmocka_unit_test(a_cgroup_is_there_once),
		cmocka_unit_test(the_most_specific_profile_is_the_one_and_all_are_kept),
		cmocka_unit_test(what_nothing_selects_has_no_profile),
		cmocka_unit_test(below_a_gate_of_the_same_profile_none_is_needed),
		cmocka_unit_test(a_gate_that_is_not_in_force_covers_nothing),
		cmocka_unit_test(a_more_specific_profile_below_gates_in_addition),
		cmocka_unit_test(what_the_hook_told_counts_more_than_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
