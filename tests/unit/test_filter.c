// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "audit/filter.h"
#include "audit/lines.h"
#include "base/cleanup.h"

static struct kvg_filter filter_of(enum kvg_filter_kind kind, const char *text)
{
	struct kvg_filter filter = {0};

	assert_int_equal(kvg_filter_add(&filter, kind, text, NULL), 0);
	return filter;
}

static bool sees(enum kvg_filter_kind kind, const char *text, const struct kvg_filter_facts *facts)
{
	KVG_CLEANUP(kvg_filter_done) struct kvg_filter filter = filter_of(kind, text);

	return kvg_filter_matches(&filter, facts);
}

static struct kvg_filter_facts some_facts(const char *address)
{
	struct kvg_filter_facts facts = {
		.profile = "payments", .gate = "/payments.slice/app", .reason = "destination"};

	assert_int_equal(kvg_prefix_parse_address(address, &facts.destination, NULL), 0);
	return facts;
}

static void a_gate_stands_for_those_below_it_but_not_for_its_namesakes(void **state)
{
	struct kvg_filter_facts facts = some_facts("203.0.113.9");

	(void)state;
	assert_true(sees(KVG_FILTER_GATE, "/payments.slice/app", &facts));
	assert_true(sees(KVG_FILTER_GATE, "/payments.slice/", &facts));
	assert_true(sees(KVG_FILTER_GATE, "/pay*", &facts));
	assert_false(sees(KVG_FILTER_GATE, "/payments.slice/ap", &facts));
	assert_false(sees(KVG_FILTER_GATE, "/payments", &facts));
	facts.gate = NULL;
	assert_false(sees(KVG_FILTER_GATE, "*", &facts));
}

static void a_destination_is_an_address_or_a_prefix_of_either_family(void **state)
{
	struct kvg_filter_facts four = some_facts("203.0.113.9"), six = some_facts("2001:db8::9");

	(void)state;
	assert_true(sees(KVG_FILTER_DESTINATION, "203.0.113.9", &four));
	assert_true(sees(KVG_FILTER_DESTINATION, "203.0.113.0/24", &four));
	assert_false(sees(KVG_FILTER_DESTINATION, "203.0.113.8", &four));
	assert_false(sees(KVG_FILTER_DESTINATION, "2000::/3", &four));
	assert_true(sees(KVG_FILTER_DESTINATION, "2001:db8::/32", &six));
	assert_false(sees(KVG_FILTER_DESTINATION, "0.0.0.0/0", &six));
	six.destination.family = 0;
	assert_false(sees(KVG_FILTER_DESTINATION, "2000::/3", &six));
}

static void one_of_a_kind_must_match_and_so_must_every_kind(void **state)
{
	KVG_CLEANUP(kvg_filter_done) struct kvg_filter filter = {0};
	struct kvg_filter_facts facts = some_facts("203.0.113.9");

	(void)state;
	assert_true(kvg_filter_matches(&filter, &facts));
	kvg_filter_add(&filter, KVG_FILTER_REASON, "port", NULL);
	assert_false(kvg_filter_matches(&filter, &facts));
	kvg_filter_add(&filter, KVG_FILTER_REASON, "destination", NULL);
	assert_true(kvg_filter_matches(&filter, &facts));
	kvg_filter_add(&filter, KVG_FILTER_PROFILE, "other", NULL);
	assert_false(kvg_filter_matches(&filter, &facts));
}

static void what_can_match_nothing_is_refused(void **state)
{
	KVG_CLEANUP(kvg_filter_done) struct kvg_filter filter = {0};
	struct kvg_diag diag = {0};

	(void)state;
	assert_int_equal(kvg_filter_add(&filter, KVG_FILTER_REASON, "allowed", &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "'allowed' is no reason"));
	assert_int_equal(kvg_filter_add(&filter, KVG_FILTER_REASON, "why", NULL), -EINVAL);
	assert_int_equal(kvg_filter_add(&filter, KVG_FILTER_DESTINATION, "example.com", NULL),
			 -EINVAL);
	assert_int_equal(kvg_filter_add(&filter, KVG_FILTER_DESTINATION, "192.0.2.1/24", NULL),
			 -EINVAL);
	assert_int_equal(kvg_filter_add(&filter, KVG_FILTER_PROFILE, "", NULL), -EINVAL);
	assert_int_equal(filter.count, 0);
}

static void a_filter_survives_its_way_through_JSON(void **state)
{
	KVG_CLEANUP(kvg_filter_done) struct kvg_filter filter = filter_of(KVG_FILTER_GATE, "/a");
	KVG_CLEANUP(kvg_filter_done) struct kvg_filter copy = {0};
	json_t *json;

	(void)state;
	kvg_filter_add(&filter, KVG_FILTER_DESTINATION, "203.0.113.0/24", NULL);
	json = kvg_filter_to_json(&filter);
	assert_int_equal(kvg_filter_from_json(json, &copy, NULL), 0);
	json_decref(json);
	assert_int_equal(copy.count, 2);
	assert_string_equal(copy.values[0].text, "/a");
	assert_int_equal(copy.values[1].prefix.bits, 24);
}

static void a_request_that_is_no_filter_is_refused(void **state)
{
	static const char *const requests[] = {"{\"gate\":\"/a\"}", "{\"gate\":[7]}",
					       "{\"reason\":[\"why\"]}", "{\"destination\":{}}"};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(requests); i++) {
		KVG_CLEANUP(kvg_filter_done) struct kvg_filter filter = {0};
		json_t *json = json_loads(requests[i], 0, NULL);

		assert_int_equal(kvg_filter_from_json(json, &filter, NULL), -EINVAL);
		json_decref(json);
	}
}

static void values_of_one_filter_have_an_end(void **state)
{
	KVG_CLEANUP(kvg_filter_done) struct kvg_filter filter = {0};

	(void)state;
	for (int i = 0; i < KVG_FILTER_VALUES_MAX; i++)
		assert_int_equal(kvg_filter_add(&filter, KVG_FILTER_PROFILE, "a", NULL), 0);
	assert_int_equal(kvg_filter_add(&filter, KVG_FILTER_PROFILE, "a", NULL), -E2BIG);
}

/* What the agent judges by its record, a file's reader judges by the line of it. */
static void a_record_and_its_line_say_the_same(void **state)
{
	const struct kvg_record record = {
		.refusal = {.family = AF_INET,
			    .daddr = {[10] = 0xff, [11] = 0xff, 203, 0, 113, 9},
			    .dport = htons(443),
			    .reason = KVG_REASON_DESTINATION},
		.count = 1,
		.gate = "/a/b",
		.profile = "one",
	};
	struct kvg_filter_facts own = kvg_filter_facts_of_record(&record), read;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	json_t *line = NULL;
	size_t size;

	(void)state;
	assert_int_equal(kvg_record_format_json(&record, 0, &text, &size), 0);
	assert_int_equal(kvg_line_parse(text, size - 1, &line, NULL), 0);
	read = kvg_filter_facts_of_line(line);
	assert_string_equal(own.gate, read.gate);
	assert_string_equal(own.profile, read.profile);
	assert_string_equal(own.reason, read.reason);
	assert_int_equal(kvg_prefix_compare(&own.destination, &read.destination), 0);
	json_decref(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gate_stands_for_those_below_it_but_not_for_its_namesakes),
		cmocka_unit_test(a_destination_is_an_address_or_a_prefix_of_either_family),
		cmocka_unit_test(one_of_a_kind_must_match_and_so_must_every_kind),
		cmocka_unit_test(what_can_match_nothing_is_refused),
		cmocka_unit_test(a_filter_survives_its_way_through_JSON),
		cmocka_unit_test(a_request_that_is_no_filter_is_refused),
		cmocka_unit_test(values_of_one_filter_have_an_end),
		cmocka_unit_test(a_record_and_its_line_say_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
