// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "folder.h"
#include "policy/history.h"
#include "policy/saved_policy.h"

#define TEXT    KVG_CLEANUP(kvg_freep) char *
#define POLICY  KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *
#define HISTORY KVG_CLEANUP(kvg_history_done) struct kvg_history

/* A policy of one rule; @number makes it another one. */
static struct kvg_policy *policy_of(const char *profile, unsigned int number)
{
	struct kvg_permit permit = {
		.service = {.protocol = IPPROTO_TCP, .port = htons(443)},
		.from = "test",
	};
	struct kvg_policy *policy = NULL;
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "192.0.2.%u/32", number);
	assert_int_equal(kvg_prefix_parse(prefix, &permit.prefix, NULL), 0);
	assert_int_equal(kvg_policy_new(profile, KVG_CLOUD_PUBLIC, &policy), 0);
	assert_int_equal(kvg_policy_set_permits(policy, &permit, 1, NULL), 0);
	return policy;
}

static void add(void **state, const char *profile, unsigned int number)
{
	POLICY policy = policy_of(profile, number);
	struct kvg_diag diag = {};

	if (kvg_history_add(*state, policy, &diag) < 0)
		fail_msg("%s", diag.msg);
}

static void assert_same(const struct kvg_policy *policy, unsigned int number)
{
	POLICY expected = policy_of("app", number);

	assert_non_null(policy);
	assert_memory_equal(policy->digest, expected->digest, KVG_DIGEST_BYTES);
}

static void a_profile_without_history_has_an_empty_one(void **state)
{
	HISTORY history = {};

	assert_int_equal(kvg_history_read(*state, "app", &history), 0);
	assert_int_equal(history.count, 0);
}

static ino_t file_of(void **state, const char *name)
{
	TEXT path = NULL;
	struct stat st;

	assert_true(asprintf(&path, "%s/%s", (const char *)*state, name) > 0);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void save(void **state, unsigned int number)
{
	POLICY policy = policy_of("app", number);

	assert_int_equal(kvg_saved_policy_put_last(*state, policy), 0);
}

static void the_last_good_policy_is_on_disk_once(void **state)
{
	save(state, 1);
	add(state, "app", 1);
	assert_int_equal(file_of(state, "history/app/000001.json"),
			 file_of(state, "policies/app.json"));
}

/* Each entry has a time of its own, and a policy of its own. */
static void an_entry_is_linked_to_no_other_and_to_no_other_policy(void **state)
{
	HISTORY history = {};

	save(state, 1);
	add(state, "app", 1);
	add(state, "app", 2);
	add(state, "app", 1);
	save(state, 3);
	assert_int_not_equal(file_of(state, "history/app/000003.json"),
			     file_of(state, "history/app/000001.json"));
	assert_int_equal(kvg_history_read(*state, "app", &history), 0);
	assert_int_equal(history.count, 3);
	assert_same(history.entries[0].policy, 1);
	assert_same(history.entries[1].policy, 2);
	assert_same(history.entries[2].policy, 1);
}

static void policies_are_listed_oldest_first_and_whole(void **state)
{
	time_t before = time(NULL);
	HISTORY history = {};

	add(state, "app", 1);
	add(state, "app", 2);
	assert_int_equal(kvg_history_read(*state, "app", &history), 0);
	assert_int_equal(history.count, 2);
	assert_int_equal(history.entries[0].number, 1);
	assert_int_equal(history.entries[1].number, 2);
	assert_true(history.entries[0].since >= before);
	assert_same(history.entries[0].policy, 1);
	assert_same(history.entries[1].policy, 2);
}

static void the_same_policy_is_noted_once_until_another_comes(void **state)
{
	HISTORY history = {};

	add(state, "app", 1);
	add(state, "app", 1);
	add(state, "app", 2);
	add(state, "app", 1);
	assert_int_equal(kvg_history_read(*state, "app", &history), 0);
	assert_int_equal(history.count, 3);
	assert_same(history.entries[2].policy, 1);
}

static void the_oldest_above_the_bound_are_removed(void **state)
{
	HISTORY history = {};

	for (unsigned int i = 1; i <= KVG_HISTORY_MAX + 5; i++)
		add(state, "app", i);
	assert_int_equal(kvg_history_read(*state, "app", &history), 0);
	assert_int_equal(history.count, KVG_HISTORY_MAX);
	assert_int_equal(history.entries[0].number, 6);
	assert_same(history.entries[0].policy, 6);
	assert_int_equal(history.entries[KVG_HISTORY_MAX - 1].number, KVG_HISTORY_MAX + 5);
}

static void profiles_have_histories_of_their_own(void **state)
{
	HISTORY app = {};
	HISTORY other = {};

	add(state, "app", 1);
	add(state, "other", 2);
	add(state, "other", 3);
	assert_int_equal(kvg_history_read(*state, "app", &app), 0);
	assert_int_equal(kvg_history_read(*state, "other", &other), 0);
	assert_int_equal(app.count, 1);
	assert_int_equal(other.count, 2);
}

static void a_damaged_entry_is_listed_without_a_policy(void **state)
{
	HISTORY history = {};
	TEXT damaged = NULL;

	add(state, "app", 1);
	add(state, "app", 2);
	damaged = folder_write(state, "history/app/000002.json", "{");
	assert_non_null(damaged);
	add(state, "app", 2);
	assert_int_equal(kvg_history_read(*state, "app", &history), 0);
	assert_int_equal(history.count, 3);
	assert_null(history.entries[1].policy);
	assert_same(history.entries[2].policy, 2);
}

static void other_files_are_no_entries(void **state)
{
	static const char *const names[] = {"history/app/held.json", "history/app/2.json",
					    "history/app/000000.json", "history/app/000002.json.x",
					    "history/app/README"};
	HISTORY history = {};

	add(state, "app", 1);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(names); i++) {
		TEXT path = folder_write(state, names[i], "{");

		assert_non_null(path);
	}
	assert_int_equal(kvg_history_read(*state, "app", &history), 0);
	assert_int_equal(history.count, 1);
}

static void an_entry_that_cannot_be_written_is_told_by_name(void **state)
{
	TEXT in_the_way = folder_write(state, "history", "");
	POLICY policy = policy_of("app", 1);
	struct kvg_diag diag = {};

	assert_non_null(in_the_way);
	assert_true(kvg_history_add(*state, policy, &diag) < 0);
	assert_non_null(strstr(diag.msg, "/history/app'"));
}

static void a_profile_is_held_until_it_is_released(void **state)
{
	POLICY policy = policy_of("app", 1);
	POLICY next = policy_of("app", 2);
	POLICY held = NULL;
	POLICY again = NULL;
	POLICY none = NULL;

	assert_int_equal(kvg_history_held(*state, "app", &none, NULL), -ENOENT);
	assert_int_equal(kvg_history_hold(*state, "app", policy), 0);
	assert_int_equal(kvg_history_held(*state, "app", &held, NULL), 0);
	assert_same(held, 1);
	assert_int_equal(kvg_history_hold(*state, "app", next), 0);
	assert_int_equal(kvg_history_held(*state, "app", &again, NULL), 0);
	assert_same(again, 2);

	assert_int_equal(kvg_history_held(*state, "other", &none, NULL), -ENOENT);
	assert_int_equal(kvg_history_release(*state, "app"), 0);
	assert_int_equal(kvg_history_held(*state, "app", &none, NULL), -ENOENT);
	assert_int_equal(kvg_history_release(*state, "app"), -ENOENT);
	assert_null(none);
}

static void what_is_noted_does_not_release(void **state)
{
	POLICY policy = policy_of("app", 1);
	POLICY held = NULL;

	assert_int_equal(kvg_history_hold(*state, "app", policy), 0);
	for (unsigned int i = 1; i <= KVG_HISTORY_MAX + 2; i++)
		add(state, "app", i);
	assert_int_equal(kvg_history_held(*state, "app", &held, NULL), 0);
	assert_same(held, 1);
}

static void a_damaged_hold_is_not_taken_for_none(void **state)
{
	POLICY policy = policy_of("app", 1);
	struct kvg_diag diag = {};
	POLICY none = NULL;
	TEXT damaged = NULL;
	int r;

	assert_int_equal(kvg_history_hold(*state, "app", policy), 0);
	damaged = folder_write(state, "history/app/held.json", "{");
	assert_non_null(damaged);
	r = kvg_history_held(*state, "app", &none, &diag);
	assert_int_equal(r, -EINVAL);
	assert_null(none);
	assert_string_not_equal(diag.msg, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
		TEST(a_profile_without_history_has_an_empty_one),
		TEST(the_last_good_policy_is_on_disk_once),
		TEST(an_entry_is_linked_to_no_other_and_to_no_other_policy),
		TEST(policies_are_listed_oldest_first_and_whole),
		TEST(the_same_policy_is_noted_once_until_another_comes),
		TEST(the_oldest_above_the_bound_are_removed),
		TEST(profiles_have_histories_of_their_own),
		TEST(a_damaged_entry_is_listed_without_a_policy),
		TEST(other_files_are_no_entries),
		TEST(an_entry_that_cannot_be_written_is_told_by_name),
		TEST(a_profile_is_held_until_it_is_released),
		TEST(what_is_noted_does_not_release),
		TEST(a_damaged_hold_is_not_taken_for_none),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
