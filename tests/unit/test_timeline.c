// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/cleanup.h"
#include "report/timeline.h"

#define SECOND_US 1000000LL

static void add(struct kvg_timeline *timeline, __s64 time_s)
{
	const struct kvg_ranking_count one = {.refused = 1, .would = 2};

	kvg_timeline_add(timeline, time_s * SECOND_US, &one);
}

static __u64 sum(const struct kvg_timeline *timeline)
{
	__u64 total = 0;

	for (size_t i = 0; i < timeline->count; i++)
		total += kvg_ranking_sum(&timeline->slots[i]);
	return total;
}

/* Is what came at @time_s in the slot that holds that second? */
static void assert_in_slot(const struct kvg_timeline *timeline, __s64 time_s, __u64 refused)
{
	__s64 width = kvg_timeline_width_s(timeline);

	for (size_t i = 0; i < timeline->count; i++) {
		__s64 begin = kvg_timeline_begins_s(timeline, i);

		if (time_s >= begin && time_s < begin + width) {
			assert_int_equal(timeline->slots[i].refused, refused);
			return;
		}
	}
	fail_msg("no slot holds %lld", (long long)time_s);
}

static void slots_become_longer_as_the_period_does_and_lose_nothing(void **state)
{
	KVG_CLEANUP(kvg_freep) struct kvg_timeline *timeline = calloc(1, sizeof(*timeline));
	__s64 start = 1700000000;

	(void)state;
	for (int i = 0; i < 3600; i++)
		add(timeline, start + i);
	assert_int_equal(kvg_timeline_width_s(timeline), 1);
	add(timeline, start + 86400);
	assert_int_equal(kvg_timeline_width_s(timeline), 60);
	add(timeline, start + 365 * 86400);
	assert_int_equal(kvg_timeline_width_s(timeline), 3 * 3600);
	assert_int_equal(sum(timeline), 3 * 3602);
	assert_in_slot(timeline, start + 365 * 86400, 1);
}

static void what_comes_out_of_order_finds_its_slot(void **state)
{
	KVG_CLEANUP(kvg_freep) struct kvg_timeline *timeline = calloc(1, sizeof(*timeline));

	(void)state;
	add(timeline, 1700000000);
	add(timeline, 1699999000);
	add(timeline, 1699999500);
	add(timeline, 1699999500);
	assert_in_slot(timeline, 1699999000, 1);
	assert_in_slot(timeline, 1699999500, 2);
	assert_in_slot(timeline, 1700000000, 1);
	add(timeline, 1600000000);
	assert_int_equal(sum(timeline), 3 * 5);
	assert_in_slot(timeline, 1600000000, 1);
}

static void times_from_1970_to_9999_fit(void **state)
{
	KVG_CLEANUP(kvg_freep) struct kvg_timeline *timeline = calloc(1, sizeof(*timeline));

	(void)state;
	add(timeline, 0);
	add(timeline, 253402300799);
	add(timeline, 1700000000);
	assert_int_equal(sum(timeline), 9);
	assert_true(timeline->count <= KVG_TIMELINE_SLOTS);
}

static void it_fits_a_period_and_a_number_of_slots(void **state)
{
	KVG_CLEANUP(kvg_freep) struct kvg_timeline *timeline = calloc(1, sizeof(*timeline));

	(void)state;
	add(timeline, 1700000000);
	kvg_timeline_fit(timeline, (1700000000 - 86400) * SECOND_US, 1700000000 * SECOND_US, 72);
	assert_int_equal(kvg_timeline_width_s(timeline), 3600);
	assert_int_equal(timeline->count, 25);
	assert_int_equal(sum(timeline), 3);
	assert_in_slot(timeline, 1700000000, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_become_longer_as_the_period_does_and_lose_nothing),
		cmocka_unit_test(what_comes_out_of_order_finds_its_slot),
		cmocka_unit_test(times_from_1970_to_9999_fit),
		cmocka_unit_test(it_fits_a_period_and_a_number_of_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
