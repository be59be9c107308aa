// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "audit/fold.h"
#include "base/cleanup.h"
#include "random.h"

#define SECOND 1000000000ULL
#define PORTS  2000

/* struct lines - what came out */
struct lines {
	__u64 sums[PORTS];
	size_t count;
	struct kvg_record last;
};

static void on_line(void *data, const struct kvg_record *record)
{
	struct lines *lines = data;

	assert_int_not_equal(record->count, 0);
	lines->sums[ntohs(record->refusal.dport)] += record->count;
	lines->count++;
	lines->last = *record;
}

static struct kvg_fold *open_fold(struct lines *lines, size_t flows_max)
{
	const struct kvg_fold_options options = {
		.interval_ns = 10 * SECOND, .flows_max = flows_max, .line = on_line, .data = lines};
	struct kvg_fold *fold = NULL;

	assert_int_equal(kvg_fold_open(&options, &fold), 0);
	return fold;
}

static bool add(struct kvg_fold *fold, unsigned int port, __u64 count, __u64 now_ns)
{
	const struct kvg_record record = {
		.refusal = {.dport = htons(port)},
		.owner = {.tgid = 7, .comm = "curl"},
		.first_ns = now_ns,
		.last_ns = now_ns,
		.sport = htons(1000 + now_ns / SECOND),
		.saddr = {[15] = 1},
		.count = count,
	};

	return kvg_fold_add(fold, &record, now_ns);
}

static void the_first_refusal_is_a_line_at_once(void **state)
{
	struct lines lines = {0};
	KVG_CLEANUP(kvg_fold_closep) struct kvg_fold *fold = open_fold(&lines, 10);

	(void)state;
	add(fold, 443, 1, 0);
	assert_int_equal(lines.count, 1);
	assert_int_equal(lines.last.count, 1);
	add(fold, 444, 1, 0);
	assert_int_equal(lines.count, 2);
}

static void a_flow_is_new_until_it_is_forgotten_and_then_again(void **state)
{
	struct lines lines = {0};
	KVG_CLEANUP(kvg_fold_closep) struct kvg_fold *fold = open_fold(&lines, 10);

	(void)state;
	assert_true(add(fold, 443, 1, 0));
	assert_false(add(fold, 443, 1, 9 * SECOND));
	assert_true(add(fold, 444, 1, 9 * SECOND));
	kvg_fold_tick(fold, 10 * SECOND);
	assert_false(add(fold, 443, 1, 11 * SECOND));
	kvg_fold_tick(fold, 20 * SECOND);
	kvg_fold_tick(fold, 30 * SECOND);
	assert_true(add(fold, 443, 1, 30 * SECOND));
}

static void repeats_are_one_line_when_the_interval_ends(void **state)
{
	struct lines lines = {0};
	KVG_CLEANUP(kvg_fold_closep) struct kvg_fold *fold = open_fold(&lines, 10);

	(void)state;
	add(fold, 443, 1, 0);
	add(fold, 443, 3, SECOND);
	add(fold, 443, 4, 2 * SECOND);
	kvg_fold_tick(fold, 10 * SECOND - 1);
	assert_int_equal(lines.count, 1);
	kvg_fold_tick(fold, 10 * SECOND);
	assert_int_equal(lines.count, 2);
	assert_int_equal(lines.last.count, 7);
	assert_int_equal(lines.last.first_ns, SECOND);
	assert_int_equal(lines.last.last_ns, 2 * SECOND);
}

static void a_source_that_is_not_the_same_for_all_is_not_named(void **state)
{
	struct lines lines = {0};
	KVG_CLEANUP(kvg_fold_closep) struct kvg_fold *fold = open_fold(&lines, 10);

	(void)state;
	add(fold, 443, 1, 0);
	assert_int_equal(lines.last.sport, htons(1000));
	add(fold, 443, 1, SECOND);
	add(fold, 443, 1, 2 * SECOND);
	kvg_fold_tick(fold, 10 * SECOND);
	assert_int_equal(lines.last.sport, 0);
	assert_int_equal(lines.last.saddr[15], 1);
	assert_int_equal(lines.last.owner.tgid, 7);
}

static void flows_that_differ_in_anything_are_apart(void **state)
{
	struct lines lines = {0};
	KVG_CLEANUP(kvg_fold_closep) struct kvg_fold *fold = open_fold(&lines, 100);
	struct kvg_record record = {.count = 1};
	unsigned char *bytes = (unsigned char *)&record.refusal;

	(void)state;
	kvg_fold_add(fold, &record, 0);
	for (size_t i = 0; i < offsetof(struct kvg_refusal, pad); i++) {
		if (i / 2 == offsetof(struct kvg_refusal, dport) / 2)
			continue; /* lines.sums is by port */
		bytes[i] = 1;
		kvg_fold_add(fold, &record, 0);
		bytes[i] = 0;
	}
	assert_int_equal(lines.count, kvg_fold_flows(fold));
	assert_int_equal(lines.count, 1 + offsetof(struct kvg_refusal, pad) - 2);
}

static void a_quiet_flow_is_forgotten_and_then_new_again(void **state)
{
	struct lines lines = {0};
	KVG_CLEANUP(kvg_fold_closep) struct kvg_fold *fold = open_fold(&lines, 10);

	(void)state;
	add(fold, 443, 1, 0);
	kvg_fold_tick(fold, 10 * SECOND);
	assert_int_equal(kvg_fold_flows(fold), 0);
	add(fold, 443, 1, 11 * SECOND);
	assert_int_equal(lines.count, 2);
}

static void closing_writes_what_was_pending(void **state)
{
	struct lines lines = {0};
	struct kvg_fold *fold = open_fold(&lines, 10);

	(void)state;
	add(fold, 443, 1, 0);
	add(fold, 443, 41, 0);
	assert_null(kvg_fold_close(fold));
	assert_int_equal(lines.sums[443], 42);
}

static void at_the_bound_the_oldest_is_written_and_not_lost(void **state)
{
	struct lines lines = {0};
	KVG_CLEANUP(kvg_fold_closep) struct kvg_fold *fold = open_fold(&lines, 2);

	(void)state;
	add(fold, 1, 1, 0);
	add(fold, 1, 5, 0);
	add(fold, 2, 1, 1);
	assert_int_equal(lines.sums[1], 1);
	add(fold, 3, 1, 2);
	assert_int_equal(lines.sums[1], 6);
	assert_int_equal(kvg_fold_flows(fold), 2);
}

static void lines_add_up_to_what_went_in(void **state)
{
	(void)state;
	random_seed();
	for (int round = 0; round < 50; round++) {
		size_t flows_max = 1 + random_below(300);
		size_t ports = 1 + random_below(PORTS - 1);
		struct lines lines = {0};
		struct kvg_fold *fold = open_fold(&lines, flows_max);
		__u64 sums[PORTS] = {0};
		__u64 now_ns = 0;

		for (int i = 0; i < 5000; i++) {
			unsigned int port = random_below(ports);
			__u64 count = 1 + random_below(random_below(10) ? 3 : 1000000);

			sums[port] += count;
			add(fold, port, count, now_ns);
			now_ns += random_below(SECOND / 10);
			if (random_below(20) == 0)
				kvg_fold_tick(fold, now_ns);
			assert_in_range(kvg_fold_flows(fold), 0, flows_max);
		}
		kvg_fold_close(fold);
		assert_memory_equal(sums, lines.sums, sizeof(sums));
	}
}

static void a_flood_of_one_flow_is_a_line_an_interval(void **state)
{
	struct lines lines = {0};
	KVG_CLEANUP(kvg_fold_closep) struct kvg_fold *fold = open_fold(&lines, 10);

	(void)state;
	for (__u64 now_ns = 0; now_ns <= 60 * SECOND; now_ns += SECOND / 100) {
		add(fold, 443, 100, now_ns);
		kvg_fold_tick(fold, now_ns);
	}
	assert_int_equal(lines.count, 1 + 6);
}

static void each_closed_connection_is_a_line(void **state)
{
	struct kvg_record record = {.refusal = {.hook = KVG_HOOK_SOCK_DESTROY}, .count = 1};
	struct lines lines = {0};
	KVG_CLEANUP(kvg_fold_closep) struct kvg_fold *fold = open_fold(&lines, 10);

	(void)state;
	for (unsigned int port = 1; port <= 100; port++) {
		record.sport = htons(port);
		kvg_fold_add(fold, &record, 0);
		assert_int_equal(lines.last.sport, htons(port));
	}
	assert_int_equal(lines.count, 100);
	assert_int_equal(kvg_fold_flows(fold), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_refusal_is_a_line_at_once),
		cmocka_unit_test(a_flow_is_new_until_it_is_forgotten_and_then_again),
		cmocka_unit_test(repeats_are_one_line_when_the_interval_ends),
		cmocka_unit_test(a_source_that_is_not_the_same_for_all_is_not_named),
		cmocka_unit_test(flows_that_differ_in_anything_are_apart),
		cmocka_unit_test(a_quiet_flow_is_forgotten_and_then_new_again),
		cmocka_unit_test(closing_writes_what_was_pending),
		cmocka_unit_test(at_the_bound_the_oldest_is_written_and_not_lost),
		cmocka_unit_test(lines_add_up_to_what_went_in),
		cmocka_unit_test(a_flood_of_one_flow_is_a_line_an_interval),
		cmocka_unit_test(each_closed_connection_is_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
