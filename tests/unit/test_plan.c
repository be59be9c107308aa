// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/plan.h"
#include "compiled.h"
#include "folder.h"
#include "policy/history.h"
#include "policy/saved_policy.h"

#define TEXT   KVG_CLEANUP(kvg_freep) char *
#define CONFIG KVG_CLEANUP(kvg_config_freep) struct kvg_config *
#define PLAN   KVG_CLEANUP(kvg_plan_closep) struct kvg_plan *
#define ROW    KVG_CLEANUP(kvg_plan_row_done) struct kvg_plan_row
#define POLICY KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *

#define PROFILE(name, more)                                                      \
	"  - {name: " name ", resolvers: [none], crl: {hosts: none}, identity: " \
	"[work]" more "}\n"
#define TWO_PROFILES "profiles:\n" PROFILE("one", "") PROFILE("two", ", functions: [data]")

/* The state folder is the test's, and so are the documents in it, if @documents is not NULL. */
static struct kvg_config *prepare(void **state, const char *text, const char *documents)
{
	TEXT ranges = folder_path(state, "ranges");
	struct kvg_config *config = NULL;
	struct kvg_diag diag = {};

	if (kvg_config_parse(text, strlen(text), &config, &diag) < 0)
		fail_msg("%u: %s", diag.line, diag.msg);
	if (documents) {
		mkdir(ranges, 0755);
		TEXT path =
			folder_write(state, "ranges/ServiceTags_Public_20260105.json", documents);
		assert_non_null(path);
	}
	return config;
}

static struct kvg_plan *open_plan(struct kvg_config *config, const struct kvg_plan_inputs *inputs)
{
	struct kvg_plan *plan = NULL;

	assert_int_equal(kvg_plan_open(config, inputs, &plan), 0);
	return plan;
}

static void next(struct kvg_plan *plan, const char *profile, struct kvg_plan_row *ret)
{
	assert_int_equal(kvg_plan_next(plan, ret, NULL), 1);
	assert_string_equal(ret->profile, profile);
}

static void every_profile_gets_the_policy_of_the_documents(void **state)
{
	const struct kvg_plan_inputs inputs = {.state_dir = *state};
	CONFIG config = prepare(state, TWO_PROFILES, TAGS(CLIENT_TAGS));
	PLAN plan = open_plan(config, &inputs);
	ROW one = {}, two = {}, none = {};

	next(plan, "one", &one);
	next(plan, "two", &two);
	assert_int_equal(kvg_plan_next(plan, &none, NULL), 0);
	assert_non_null(one.policy);
	assert_false(one.from_saved);
	assert_int_equal(one.save_error, 0);
	assert_string_equal(one.problem.msg, "");
	assert_rules(two.policy, "198.51.100.0/28 tcp/443 AzureKeyVault; "
				 "198.51.100.32/28 tcp/443 AzureKeyVault; "
				 "198.51.100.64/28 tcp/443 AzureKeyVault; "
				 "2001:db8:2::/64 tcp/443 AzureKeyVault");
}

/* Plans once with documents, then again without; Return: the digest of profile one */
static void plan_twice(void **state, unsigned char ret_digest[KVG_DIGEST_BYTES],
		       struct kvg_plan_row *ret)
{
	const struct kvg_plan_inputs inputs = {.state_dir = *state};
	CONFIG first = prepare(state, TWO_PROFILES, TAGS(CLIENT_TAGS));
	CONFIG second = prepare(state, TWO_PROFILES, NULL);
	TEXT document = folder_path(state, "ranges/ServiceTags_Public_20260105.json");
	PLAN with = open_plan(first, &inputs);
	ROW row = {};

	next(with, "one", &row);
	memcpy(ret_digest, row.policy->digest, KVG_DIGEST_BYTES);
	assert_int_equal(unlink(document), 0);
	{
		PLAN without = open_plan(second, &inputs);

		next(without, "one", ret);
		ret->profile = "one"; /* the plan's own goes with it */
	}
}

static void without_documents_the_last_good_policy_takes_their_place(void **state)
{
	unsigned char digest[KVG_DIGEST_BYTES];
	ROW row = {};

	plan_twice(state, digest, &row);
	assert_true(row.from_saved);
	assert_memory_equal(row.policy->digest, digest, sizeof(digest));
	assert_non_null(strstr(row.problem.msg, "no service tags"));
}

static void with_neither_there_is_no_policy_and_a_reason(void **state)
{
	const struct kvg_plan_inputs inputs = {.state_dir = *state};
	CONFIG config = prepare(state, TWO_PROFILES, NULL);
	PLAN plan = open_plan(config, &inputs);
	ROW row = {};

	next(plan, "one", &row);
	assert_null(row.policy);
	assert_non_null(strstr(row.problem.msg, "no range documents"));
}

static void a_damaged_last_good_policy_is_none(void **state)
{
	const struct kvg_plan_inputs inputs = {.state_dir = *state};
	CONFIG config = prepare(state, TWO_PROFILES, NULL);
	TEXT folder = folder_path(state, "policies");
	ROW row = {};

	mkdir(folder, 0755);
	TEXT path = folder_write(state, "policies/one.json", "{\"kvgate_policy\": 1");
	assert_non_null(path);
	PLAN plan = open_plan(config, &inputs);
	next(plan, "one", &row);
	assert_null(row.policy);
}

static void a_broken_document_is_named_and_replaces_nothing(void **state)
{
	const struct kvg_plan_inputs inputs = {.state_dir = *state};
	CONFIG config =
		prepare(state, TWO_PROFILES, TAGS(TAG("AzureKeyVault", "", "\"192.0.2.1/24\"")));
	PLAN plan = open_plan(config, &inputs);
	ROW row = {};

	next(plan, "one", &row);
	assert_null(row.policy);
	assert_non_null(strstr(row.problem.msg, "ServiceTags_Public_20260105.json"));
	assert_non_null(strstr(row.problem.msg, "192.0.2.1/24"));
}

static void one_profile_that_cannot_be_compiled_leaves_the_others(void **state)
{
	const struct kvg_plan_inputs inputs = {.state_dir = *state};
	CONFIG config = prepare(
		state, "profiles:\n" PROFILE("bad", ", regions: [atlantis]") PROFILE("good", ""),
		TAGS(CLIENT_TAGS));
	PLAN plan = open_plan(config, &inputs);
	ROW bad = {}, good = {};

	next(plan, "bad", &bad);
	next(plan, "good", &good);
	assert_null(bad.policy);
	assert_non_null(strstr(bad.problem.msg, "atlantis"));
	assert_non_null(good.policy);
}

static void a_policy_that_cannot_be_kept_is_a_policy_all_the_same(void **state)
{
	TEXT in_the_way = folder_write(state, "policies", "");
	const struct kvg_plan_inputs inputs = {.state_dir = *state};
	CONFIG config = prepare(state, TWO_PROFILES, TAGS(CLIENT_TAGS));
	PLAN plan = open_plan(config, &inputs);
	ROW row = {};

	assert_non_null(in_the_way);
	next(plan, "one", &row);
	assert_non_null(row.policy);
	assert_int_equal(row.save_error, -ENOTDIR);
}

static int add_one_name(void *data, struct kvg_profile *profile, struct kvg_notes *notes)
{
	const struct kvg_service service = {.protocol = IPPROTO_TCP, .port = htons(80)};
	struct kvg_prefix address;

	(void)notes;
	++*(int *)data;
	assert_int_equal(kvg_prefix_parse("203.0.113.7/32", &address, NULL), 0);
	return kvg_profile_add_resolved(profile, "crl.example", &address, &service);
}

static void what_is_known_of_names_is_part_of_the_policy(void **state)
{
	int asked = 0;
	const struct kvg_plan_inputs inputs = {
		.state_dir = *state, .add_resolved = add_one_name, .data = &asked};
	CONFIG config = prepare(state, TWO_PROFILES, TAGS(CLIENT_TAGS));
	PLAN plan = open_plan(config, &inputs);
	ROW one = {}, two = {};

	next(plan, "one", &one);
	next(plan, "two", &two);
	assert_int_equal(asked, 2);
	assert_rules(two.policy, "198.51.100.0/28 tcp/443 AzureKeyVault; "
				 "198.51.100.32/28 tcp/443 AzureKeyVault; "
				 "198.51.100.64/28 tcp/443 AzureKeyVault; "
				 "203.0.113.7/32 tcp/80 dns:crl.example; "
				 "2001:db8:2::/64 tcp/443 AzureKeyVault");
}

static void a_profile_that_is_held_gets_that_policy_and_no_other(void **state)
{
	const struct kvg_plan_inputs inputs = {.state_dir = *state};
	CONFIG config = prepare(state, TWO_PROFILES, TAGS(CLIENT_TAGS));
	KVG_CLEANUP(workshop_done) struct workshop shop = {};
	PLAN plan = open_plan(config, &inputs);
	ROW one = {}, two = {};

	workshop_init(&shop, TAGS(CLIENT_TAGS));
	assert_int_equal(kvg_profile_set_name(&shop.profile, "one", NULL), 0);
	shop.profile.functions = 1U << KVG_FUNCTION_MANAGEMENT;
	workshop_must(&shop);
	assert_int_equal(kvg_history_hold(*state, "one", shop.policy), 0);

	next(plan, "one", &one);
	next(plan, "two", &two);
	assert_true(one.held);
	assert_memory_equal(one.policy->digest, shop.policy->digest, KVG_DIGEST_BYTES);
	assert_false(two.held);
}

static void a_profile_that_is_held_at_something_unreadable_keeps_what_it_has(void **state)
{
	const struct kvg_plan_inputs inputs = {.state_dir = *state};
	CONFIG config = prepare(state, TWO_PROFILES, TAGS(CLIENT_TAGS));
	TEXT history = folder_path(state, "history");
	TEXT folder = folder_path(state, "history/one");
	PLAN plan = open_plan(config, &inputs);
	ROW row = {};

	assert_int_equal(mkdir(history, 0755) | mkdir(folder, 0755), 0);
	TEXT path = folder_write(state, "history/one/held.json", "{");
	assert_non_null(path);
	next(plan, "one", &row);
	assert_true(row.keep);
	assert_false(row.held);
	assert_non_null(strstr(row.problem.msg, "it is held"));
}

/* --- the last good one on disk --------------------------------------------------------------- */

static void the_last_good_policy_reads_back_as_it_was(void **state)
{
	KVG_CLEANUP(workshop_done) struct workshop shop = {};
	POLICY read = NULL;

	workshop_init(&shop, TAGS(CLIENT_TAGS));
	workshop_must(&shop);
	assert_int_equal(kvg_saved_policy_put_last(*state, shop.policy), 0);
	assert_int_equal(kvg_saved_policy_get_last(*state, "test", &read), 0);
	assert_memory_equal(read->digest, shop.policy->digest, KVG_DIGEST_BYTES);
	assert_int_equal(kvg_saved_policy_get_last(*state, "other", &read), -ENOENT);
}

static void another_profiles_policy_is_not_taken(void **state)
{
	KVG_CLEANUP(workshop_done) struct workshop shop = {};
	TEXT from = folder_path(state, "policies/test.json");
	TEXT to = folder_path(state, "policies/other.json");
	POLICY read = NULL;

	workshop_init(&shop, TAGS(CLIENT_TAGS));
	workshop_must(&shop);
	assert_int_equal(kvg_saved_policy_put_last(*state, shop.policy), 0);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(kvg_saved_policy_get_last(*state, "other", &read), -EINVAL);
	assert_null(read);
}

static void the_same_policy_is_not_written_again(void **state)
{
	KVG_CLEANUP(workshop_done) struct workshop shop = {};
	TEXT path = folder_path(state, "policies/test.json");
	struct stat before, same, other;

	workshop_init(&shop, TAGS(CLIENT_TAGS));
	workshop_must(&shop);
	assert_int_equal(kvg_saved_policy_put_last(*state, shop.policy), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(kvg_saved_policy_put_last(*state, shop.policy), 0);
	assert_int_equal(stat(path, &same), 0);
	assert_int_equal(before.st_ino, same.st_ino);

	shop.profile.functions = 1U << KVG_FUNCTION_DATA;
	workshop_must(&shop);
	assert_int_equal(kvg_saved_policy_put_last(*state, shop.policy), 0);
	assert_int_equal(stat(path, &other), 0);
	assert_int_not_equal(before.st_ino, other.st_ino);
}

#define PLAN_TEST(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAN_TEST(every_profile_gets_the_policy_of_the_documents),
		PLAN_TEST(without_documents_the_last_good_policy_takes_their_place),
		PLAN_TEST(with_neither_there_is_no_policy_and_a_reason),
		PLAN_TEST(a_damaged_last_good_policy_is_none),
		PLAN_TEST(a_broken_document_is_named_and_replaces_nothing),
		PLAN_TEST(one_profile_that_cannot_be_compiled_leaves_the_others),
		PLAN_TEST(a_policy_that_cannot_be_kept_is_a_policy_all_the_same),
		PLAN_TEST(what_is_known_of_names_is_part_of_the_policy),
		PLAN_TEST(a_profile_that_is_held_gets_that_policy_and_no_other),
		PLAN_TEST(a_profile_that_is_held_at_something_unreadable_keeps_what_it_has),
		PLAN_TEST(the_last_good_policy_reads_back_as_it_was),
		PLAN_TEST(another_profiles_policy_is_not_taken),
		PLAN_TEST(the_same_policy_is_not_written_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
