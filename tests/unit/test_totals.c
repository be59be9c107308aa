// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "audit/totals.h"

static int set_up(void **state)
{
	struct kvg_totals *totals = NULL;
	int r = kvg_totals_open(&totals);

	*state = totals;
	return r;
}

static int tear_down(void **state)
{
	kvg_totals_close(*state);
	return 0;
}

static void a_profile_keeps_its_row(void **state)
{
	kvg_totals_row(*state, "one")->packets[KVG_REASON_PORT] += 3;
	kvg_totals_row(*state, "two")->packets[KVG_REASON_PORT] += 4;
	kvg_totals_row(*state, "one")->packets[KVG_REASON_PORT] += 5;

	assert_int_equal(kvg_totals_row(*state, "one")->packets[KVG_REASON_PORT], 8);
	assert_int_equal(kvg_totals_row(*state, "two")->packets[KVG_REASON_PORT], 4);
	assert_int_equal(kvg_totals_row(*state, "two")->packets[KVG_REASON_DESTINATION], 0);
}

static void no_profile_is_the_empty_one(void **state)
{
	const struct kvg_totals_row *rows;

	kvg_totals_row(*state, NULL)->allowed++;
	assert_int_equal(kvg_totals_row(*state, "")->allowed, 1);
	assert_int_equal(kvg_totals_list(*state, &rows), 1);
	assert_string_equal(rows[0].profile, "");
}

static void rows_are_listed_in_the_order_they_came(void **state)
{
	const struct kvg_totals_row *rows;

	kvg_totals_row(*state, "b");
	kvg_totals_row(*state, "a");
	kvg_totals_row(*state, "b");
	assert_int_equal(kvg_totals_list(*state, &rows), 3);
	assert_string_equal(rows[1].profile, "b");
	assert_string_equal(rows[2].profile, "a");
}

static void beyond_the_bound_nothing_is_lost(void **state)
{
	const struct kvg_totals_row *rows;
	__u64 sum = 0;
	size_t count;

	for (int i = 0; i < KVG_TOTALS_PROFILES_MAX + 10; i++) {
		char name[32];

		snprintf(name, sizeof(name), "profile-%d", i);
		kvg_totals_row(*state, name)->allowed++;
	}
	count = kvg_totals_list(*state, &rows);
	assert_int_equal(count, KVG_TOTALS_PROFILES_MAX + 1);
	for (size_t i = 0; i < count; i++)
		sum += rows[i].allowed;
	assert_int_equal(sum, KVG_TOTALS_PROFILES_MAX + 10);
	assert_int_equal(rows[0].allowed, 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_profile_keeps_its_row),
		TEST(no_profile_is_the_empty_one),
		TEST(rows_are_listed_in_the_order_they_came),
		TEST(beyond_the_bound_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
