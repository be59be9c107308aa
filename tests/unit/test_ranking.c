// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/ranking.h"

static void add(struct kvg_ranking *ranking, const char *key, __u64 count)
{
	const struct kvg_ranking_entry entry = {.key = key, .count = {.refused = count}};

	assert_int_equal(kvg_ranking_add(ranking, &entry), 0);
}

static __u64 sum_all(const struct kvg_ranking *ranking)
{
	__u64 sum = kvg_ranking_sum(&ranking->others);

	for (size_t i = 0; i < ranking->count; i++)
		sum += kvg_ranking_sum(&ranking->rows[i]->count);
	return sum;
}

static void the_most_frequent_comes_first(void **state)
{
	KVG_CLEANUP(kvg_ranking_done) struct kvg_ranking ranking = {0};

	(void)state;
	add(&ranking, "b", 2);
	add(&ranking, "c", 5);
	add(&ranking, "a", 2);
	add(&ranking, "c", 1);
	kvg_ranking_sort(&ranking);
	assert_int_equal(ranking.count, 3);
	assert_string_equal(ranking.rows[0]->key, "c");
	assert_int_equal(ranking.rows[0]->count.refused, 6);
	assert_string_equal(ranking.rows[1]->key, "a");
}

/* A scan of ten thousand destinations, and one that is asked for all the time. */
static void a_scan_hides_nothing_that_is_frequent_and_sums_stay_exact(void **state)
{
	KVG_CLEANUP(kvg_ranking_done) struct kvg_ranking ranking = {.rows_max = 64};
	char key[16];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "scan %d", i);
		add(&ranking, key, 1);
		add(&ranking, "frequent", 1);
	}
	kvg_ranking_sort(&ranking);
	assert_true(ranking.count <= 64);
	assert_string_equal(ranking.rows[0]->key, "frequent");
	assert_int_equal(ranking.rows[0]->count.refused, 10000);
	assert_int_equal(sum_all(&ranking), 20000);
	assert_true(ranking.others_rows > 0);
}

static void texts_are_those_of_the_last_line_that_had_them(void **state)
{
	KVG_CLEANUP(kvg_ranking_done) struct kvg_ranking ranking = {0};
	struct kvg_ranking_entry entry = {.key = "a", .time_us = 5};

	(void)state;
	entry.texts[KVG_RANKING_DOMAIN] = "one.example";
	kvg_ranking_add(&ranking, &entry);
	entry.texts[KVG_RANKING_DOMAIN] = "two.example";
	entry.time_us = 9;
	kvg_ranking_add(&ranking, &entry);
	entry.texts[KVG_RANKING_DOMAIN] = NULL;
	entry.time_us = 1;
	kvg_ranking_add(&ranking, &entry);
	assert_string_equal(ranking.rows[0]->texts[KVG_RANKING_DOMAIN], "two.example");
	assert_int_equal(ranking.rows[0]->first_us, 1);
	assert_int_equal(ranking.rows[0]->last_us, 9);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	KVG_CLEANUP(kvg_ranking_done) struct kvg_ranking ranking = {0};
	struct kvg_ranking_entry entry = {.key = "a"};
	char text[2001] = "x";

	(void)state;
	for (int i = 1; i < 2000; i += 2)
		memcpy(text + i, "\xc3\xa9", i + 1 < 2000 ? 2 : 0);
	entry.texts[KVG_RANKING_GATE] = text;
	kvg_ranking_add(&ranking, &entry);
	assert_int_equal(strlen(ranking.rows[0]->texts[KVG_RANKING_GATE]),
			 KVG_RANKING_TEXT_LEN - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_frequent_comes_first),
		cmocka_unit_test(a_scan_hides_nothing_that_is_frequent_and_sums_stay_exact),
		cmocka_unit_test(texts_are_those_of_the_last_line_that_had_them),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
