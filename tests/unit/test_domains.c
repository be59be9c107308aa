// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "audit/domains.h"

#define S   1000000000ULL
#define NOW (1000 * S)

/* Good for a minute, where the test does not say otherwise. */
static __u32 ttl_s;

static int set_up(void **state)
{
	ttl_s = 60;
	return kvg_domains_open((struct kvg_domains **)state);
}

static int tear_down(void **state)
{
	*state = kvg_domains_close(*state);
	return 0;
}

static void set_address(__u8 ret[16], __u32 number)
{
	memset(ret, 0, 16);
	ret[0] = 0x20;
	memcpy(ret + 12, &number, sizeof(number));
}

static void learn(void **state, __u64 gate, const char *name, __u32 number, __u64 now_ns)
{
	struct kvg_answer_names names = {.count = 1, .ttl_s = ttl_s};

	snprintf(names.name, sizeof(names.name), "%s", name);
	set_address(names.addresses[0].addr, number);
	kvg_domains_learn(*state, gate, &names, now_ns);
}

static const char *find(void **state, __u64 gate, __u32 number, __u64 now_ns)
{
	__u8 addr[16];

	set_address(addr, number);
	return kvg_domains_find(*state, gate, addr, now_ns);
}

static void an_address_has_the_name_that_was_looked_up_last(void **state)
{
	learn(state, 1, "one.example", 9, NOW);
	assert_string_equal(find(state, 1, 9, NOW), "one.example");
	learn(state, 1, "a-longer-name.example", 9, NOW + S);
	assert_string_equal(find(state, 1, 9, NOW + S), "a-longer-name.example");
	assert_null(find(state, 1, 8, NOW));
	assert_int_equal(kvg_domains_count(*state), 1);
}

static void what_one_gate_looks_up_is_not_anothers(void **state)
{
	learn(state, 1, "one.example", 9, NOW);
	assert_null(find(state, 2, 9, NOW));
	learn(state, 2, "two.example", 9, NOW);
	assert_string_equal(find(state, 1, 9, NOW), "one.example");
	assert_string_equal(find(state, 2, 9, NOW), "two.example");
}

static void a_name_runs_out_with_its_answer_but_not_at_once(void **state)
{
	ttl_s = 5;
	learn(state, 1, "short.example", 1, NOW);
	assert_non_null(find(state, 1, 1, NOW + KVG_DOMAINS_TTL_MIN_S * S - 1));
	assert_null(find(state, 1, 1, NOW + KVG_DOMAINS_TTL_MIN_S * S));

	ttl_s = 3600;
	learn(state, 1, "hour.example", 2, NOW);
	assert_non_null(find(state, 1, 2, NOW + 3600 * S - 1));
	assert_null(find(state, 1, 2, NOW + 3600 * S));

	ttl_s = ~0U;
	learn(state, 1, "ever.example", 3, NOW);
	assert_null(find(state, 1, 3, NOW + KVG_DOMAINS_TTL_MAX_S * S));
}

static void a_gate_that_looks_up_very_much_pushes_out_its_own(void **state)
{
	learn(state, 2, "other.example", 1, NOW);
	for (__u32 i = 0; i < 100000; i++)
		learn(state, 1, "many.example", i, NOW + i);
	assert_int_equal(kvg_domains_count(*state), KVG_DOMAINS_OF_GATE_MAX + 1);
	assert_string_equal(find(state, 2, 1, NOW), "other.example");
	assert_null(find(state, 1, 0, NOW));
	assert_non_null(find(state, 1, 99999, NOW));
	assert_non_null(find(state, 1, 100000 - KVG_DOMAINS_OF_GATE_MAX, NOW));
	assert_null(find(state, 1, 100000 - KVG_DOMAINS_OF_GATE_MAX - 1, NOW));
}

static void all_gates_together_are_bounded(void **state)
{
	for (__u64 gate = 1; gate <= 1000; gate++) {
		for (__u32 i = 0; i < 100; i++)
			learn(state, gate, "many.example", i, NOW);
	}
	assert_int_equal(kvg_domains_count(*state), KVG_DOMAINS_MAX);
	assert_null(find(state, 1, 99, NOW));
	assert_non_null(find(state, 1000, 0, NOW));
}

static void one_address_each_is_bounded_too(void **state)
{
	for (__u64 gate = 1; gate <= 2 * KVG_DOMAINS_MAX; gate++)
		learn(state, gate, "one.example", 1, NOW);
	assert_int_equal(kvg_domains_count(*state), KVG_DOMAINS_MAX);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(an_address_has_the_name_that_was_looked_up_last),
		EACH(what_one_gate_looks_up_is_not_anothers),
		EACH(a_name_runs_out_with_its_answer_but_not_at_once),
		EACH(a_gate_that_looks_up_very_much_pushes_out_its_own),
		EACH(all_gates_together_are_bounded),
		EACH(one_address_each_is_bounded_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
