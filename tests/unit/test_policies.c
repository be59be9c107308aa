// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "audit/policies.h"
#include "base/cleanup.h"
#include "folder.h"
#include "policy/history.h"
#include "policy/saved_policy.h"

#define POLICIES KVG_CLEANUP(kvg_policies_closep) struct kvg_policies
#define POLICY   KVG_CLEANUP(kvg_policy_freep) struct kvg_policy

/* @count prefixes, others for another @seed. */
static struct kvg_policy *make_policy(const char *profile, __u32 seed, __u32 count)
{
	KVG_CLEANUP(kvg_freep) struct kvg_permit *permits = calloc(count, sizeof(*permits));
	struct kvg_policy *policy;

	assert_non_null(permits);
	assert_int_equal(kvg_policy_new(profile, KVG_CLOUD_PUBLIC, &policy), 0);
	for (__u32 i = 0; i < count; i++) {
		const __be32 addr = htonl(seed << 24 | i << 5);

		permits[i] = (struct kvg_permit){
			.prefix = {.family = AF_INET, .bits = 32},
			.service = {.protocol = IPPROTO_TCP, .port = htons(443)},
			.from = "SomeTag.SomeRegion",
		};
		memcpy(permits[i].prefix.addr, &addr, sizeof(addr));
	}
	assert_int_equal(kvg_policy_set_permits(policy, permits, count, NULL), 0);
	return policy;
}

static struct kvg_policies *open_policies(void **state)
{
	struct kvg_policies *policies = NULL;

	assert_int_equal(kvg_policies_open(*state, &policies), 0);
	return policies;
}

static bool is_found(struct kvg_policies *policies, const struct kvg_policy *policy)
{
	const struct kvg_policies_row *row =
		kvg_policies_find(policies, policy->profile, policy->digest);

	if (!row)
		return false;
	assert_memory_equal(row->policy->digest, policy->digest, sizeof(policy->digest));
	assert_non_null(row->nearest);
	return true;
}

static void a_policy_is_found_wherever_it_is_kept(void **state)
{
	POLICY *by_digest = make_policy("one", 1, 2);
	POLICY *last = make_policy("two", 2, 2);
	POLICY *held = make_policy("two", 3, 2);
	POLICY *nowhere = make_policy("two", 4, 2);
	POLICIES *policies = open_policies(state);

	assert_int_equal(kvg_saved_policy_put(*state, by_digest), 0);
	assert_int_equal(kvg_saved_policy_put_last(*state, last), 0);
	assert_int_equal(kvg_history_hold(*state, "two", held), 0);
	assert_true(is_found(policies, by_digest));
	assert_true(is_found(policies, last));
	assert_true(is_found(policies, held));
	assert_false(is_found(policies, nowhere));
}

static void a_policy_in_memory_needs_no_folder(void **state)
{
	POLICY *known = make_policy("one", 1, 2);
	POLICY *other = make_policy("one", 2, 2);
	POLICIES *policies = NULL;

	(void)state;
	assert_int_equal(kvg_policies_open(NULL, &policies), 0);
	assert_false(is_found(policies, known));
	assert_int_equal(kvg_policies_know(policies, known), 0);
	assert_true(is_found(policies, known));
	assert_false(is_found(policies, other));
}

static void few_are_in_memory_and_all_are_found(void **state)
{
	struct kvg_policy *all[2 * KVG_POLICIES_MAX];
	POLICIES *policies = open_policies(state);

	for (__u32 i = 0; i < KVG_ARRAY_SIZE(all); i++) {
		all[i] = make_policy("one", i + 1, 2);
		assert_int_equal(kvg_saved_policy_put(*state, all[i]), 0);
	}
	for (size_t i = 0; i < 3 * KVG_ARRAY_SIZE(all); i++)
		assert_true(is_found(policies, all[i % KVG_ARRAY_SIZE(all)]));
	for (size_t i = 0; i < KVG_ARRAY_SIZE(all); i++)
		kvg_policy_free(all[i]);
}

/* It is not asked for at every record. */
static void what_was_not_there_is_looked_for_later(void **state)
{
	POLICY *policy = make_policy("one", 1, 2);
	POLICIES *policies = open_policies(state);

	assert_false(is_found(policies, policy));
	assert_int_equal(kvg_saved_policy_put(*state, policy), 0);
	assert_false(is_found(policies, policy));
}

static void a_file_that_is_too_long_is_left_alone(void **state)
{
	POLICY *policy = make_policy("one", 1, 100000);
	POLICIES *policies = open_policies(state);

	assert_int_equal(kvg_saved_policy_put(*state, policy), 0);
	assert_false(is_found(policies, policy));
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Prints what the first record of a policy costs; no limit: machines differ, and sanitizers are slow. */
static void a_policy_is_read_in_milliseconds(void **state)
{
	static const __u32 counts[] = {1000, 5000, 40000};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(counts); i++) {
		POLICY *policy = make_policy("one", (__u32)i + 1, counts[i]);
		POLICIES *policies = open_policies(state);
		double start;

		assert_int_equal(kvg_saved_policy_put(*state, policy), 0);
		start = now_ms();
		assert_true(is_found(policies, policy));
		print_message("%u prefixes: %.1f ms\n", counts[i], now_ms() - start);
	}
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(a_policy_is_found_wherever_it_is_kept),
		EACH(a_policy_in_memory_needs_no_folder),
		EACH(few_are_in_memory_and_all_are_found),
		EACH(what_was_not_there_is_looked_for_later),
		EACH(a_file_that_is_too_long_is_left_alone),
		EACH(a_policy_is_read_in_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
