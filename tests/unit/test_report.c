// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/lines.h"
#include "base/cleanup.h"
#include "report/html.h"
#include "report/numbers.h"
#include "report/page.h"

#define NOW_US 1764000000000000LL /* 2025-11-24T16:00:00Z */

static int make(void **state)
{
	struct kvg_numbers *numbers = calloc(1, sizeof(*numbers));

	*state = numbers;
	numbers->now_us = NOW_US;
	numbers->files = calloc(1, sizeof(*numbers->files));
	numbers->files[0].path = "a<b>.jsonl";
	numbers->files_count = 1;
	return 0;
}

static int unmake(void **state)
{
	kvg_numbers_done(*state);
	free(*state);
	return 0;
}

static void add(struct kvg_numbers *numbers, const char *time, const char *rest)
{
	json_t *line = NULL;
	char text[4096];

	snprintf(text, sizeof(text), "{\"@timestamp\":\"%s\",%s}", time, rest);
	assert_int_equal(kvg_line_parse(text, strlen(text), &line, NULL), 0);
	assert_int_equal(kvg_numbers_add(numbers, line), 0);
	json_decref(line);
}

#define REFUSED(count)                                                                      \
	"\"event\":{\"action\":\"egress-refused\",\"reason\":\"destination\"},\"kvgate\":{" \
	"\"gate\":\"/a\",\"count\":" #count "}"
#define AUDITED                                                                         \
	"\"event\":{\"action\":\"egress-would-refuse\",\"reason\":\"port\"},\"kvgate\"" \
	":{\"gate\":\"/b\",\"count\":5}"

static char *page_of(struct kvg_numbers *numbers)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	kvg_numbers_finish(numbers);
	kvg_page_write(out, numbers);
	fclose(out);
	return text;
}

static char *html_of(const char *text)
{
	char *html = NULL;
	size_t size;
	FILE *out = open_memstream(&html, &size);

	kvg_html_text(out, text);
	fclose(out);
	return html;
}

static void assert_html(const char *text, const char *expected)
{
	KVG_CLEANUP(kvg_freep) char *html = html_of(text);

	assert_string_equal(html, expected);
}

static void what_means_something_to_a_browser_is_escaped(void **state)
{
	(void)state;
	assert_html("<script>", "&#60;script&#62;");
	assert_html("a&b\"c'd`e", "a&#38;b&#34;c&#39;d&#96;e");
	assert_html("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92",
		    "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92");
	assert_html(NULL, "");
}

static void what_does_not_show_as_itself_is_spelled_out(void **state)
{
	(void)state;
	assert_html("\033[2J\n", "\\u001b[2J\\u000a");
	assert_html("gpj\xe2\x80\xae"
		    "exe",
		    "gpj\\u202eexe");
	assert_html("a\xe2\x80\x8b\xef\xbb\xbf", "a\\u200b\\ufeff");
	assert_html("\x80<\xff\xc3", "\\ufffd&#60;\\ufffd\\ufffd");
	assert_html("\xe2\x80", "\\ufffd\\ufffd");
}

static void verdicts_are_told_apart(void **state)
{
	struct kvg_numbers *numbers = *state;

	add(numbers, "2025-11-24T10:00:00Z", REFUSED(3));
	add(numbers, "2025-11-24T10:00:01Z", AUDITED);
	add(numbers, "2025-11-24T10:00:02Z",
	    "\"event\":{\"action\":\"connection-closed\",\"reason\":\"destination\"},\"kvgate\":"
	    "{\"count\":2}");
	add(numbers, "2025-11-24T10:00:03Z",
	    "\"event\":{\"action\":\"records-lost\"},\"kvgate\":{\"lost\":7}");
	assert_int_equal(numbers->total.refused, 3);
	assert_int_equal(numbers->total.would, 5);
	assert_int_equal(numbers->closed, 2);
	assert_int_equal(numbers->lost, 7);
	assert_int_equal(numbers->reasons.count, 2);
	assert_int_equal(numbers->gates.count, 2);
}

static void only_the_period_counts(void **state)
{
	struct kvg_numbers *numbers = *state;

	numbers->since_us = kvg_line_time_parse("2025-11-24T10:00:00Z");
	numbers->until_us = kvg_line_time_parse("2025-11-24T11:00:00Z");
	add(numbers, "2025-11-24T09:59:59.999999Z", REFUSED(1));
	add(numbers, "2025-11-24T10:00:00Z", REFUSED(10));
	add(numbers, "2025-11-24T10:59:59.999999Z", REFUSED(100));
	add(numbers, "2025-11-24T11:00:00Z", REFUSED(1000));
	assert_int_equal(numbers->total.refused, 110);
	assert_int_equal(numbers->outside, 2);
}

static void a_time_to_come_is_passed_over_and_told(void **state)
{
	struct kvg_numbers *numbers = *state;
	KVG_CLEANUP(kvg_freep) char *page = NULL;

	add(numbers, "2025-11-24T10:00:00Z", REFUSED(1));
	add(numbers, "9999-12-31T23:59:59Z", REFUSED(1));
	assert_int_equal(numbers->total.refused, 1);
	assert_int_equal(kvg_timeline_width_s(&numbers->timeline), 1);
	page = page_of(numbers);
	assert_non_null(strstr(page, "1 lines are of a time to come"));
}

static void counts_that_are_none_add_nothing(void **state)
{
	struct kvg_numbers *numbers = *state;

	add(numbers, "2025-11-24T10:00:00Z", REFUSED(-5));
	add(numbers, "2025-11-24T10:00:00Z", REFUSED("many"));
	add(numbers, "2025-11-24T10:00:00Z", "\"event\":{\"action\":\"egress-refused\"}");
	add(numbers, "2025-11-24T10:00:00Z", "\"event\":{\"action\":\"something-else\"}");
	assert_int_equal(numbers->total.refused, 0);
}

/* Process, gate, profile, domain, reason, tag: a client chooses some of them, a torn line all. */
static void no_name_becomes_a_part_of_the_page(void **state)
{
	struct kvg_numbers *numbers = *state;
	KVG_CLEANUP(kvg_freep) char *page = NULL;

	add(numbers, "2025-11-24T10:00:00Z",
	    "\"event\":{\"action\":\"egress-refused\",\"reason\":\"<script>1</script>\"},"
	    "\"network\":{\"transport\":\"<script>2\"},"
	    "\"destination\":{\"ip\":\"<script>3\",\"port\":1,\"domain\":\"<script>4\"},"
	    "\"process\":{\"pid\":1,\"name\":\"<script>5\"},"
	    "\"kvgate\":{\"gate\":\"/<script>6\",\"profile\":\"\\\"><script>7\",\"count\":1,"
	    "\"nearest\":{\"prefix\":\"<script>8\",\"from\":[\"<script>9\"]}}");
	kvg_numbers_add_bad(numbers, "<script>x", 7, "unexpected token near '<script>y'");
	page = page_of(numbers);
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "\"><script"));
	for (char digit = '1'; digit <= '9'; digit++) {
		char text[] = "&#60;script&#62;?";

		text[sizeof(text) - 2] = digit;
		if (!strstr(page, text))
			fail_msg("'%s' is not in the page", text);
	}
	assert_non_null(strstr(page, "&#60;script&#62;x:7:"));
	assert_non_null(strstr(page, "a&#60;b&#62;.jsonl"));
}

static void an_empty_record_is_a_page_that_says_so(void **state)
{
	KVG_CLEANUP(kvg_freep) char *page = page_of(*state);

	assert_non_null(strstr(page, "Nothing was refused in this period."));
	assert_null(strstr(page, "<svg"));
}

static void of_many_bad_lines_some_are_named_and_all_counted(void **state)
{
	struct kvg_numbers *numbers = *state;
	KVG_CLEANUP(kvg_freep) char *page = NULL;

	for (unsigned long i = 1; i <= 1000; i++)
		kvg_numbers_add_bad(numbers, "a", i, "it is no JSON object");
	page = page_of(numbers);
	assert_non_null(strstr(page, "1,000 lines are no records"));
	assert_non_null(strstr(page, "a:20: it is no JSON object"));
	assert_null(strstr(page, "a:21:"));
}

static void the_numbers_are_JSON_that_adds_up(void **state)
{
	struct kvg_numbers *numbers = *state;
	json_t *json, *by;
	json_int_t sum = 0;

	for (int i = 0; i < 2500; i++) {
		char rest[512];

		snprintf(rest, sizeof(rest),
			 "\"event\":{\"action\":\"egress-refused\",\"reason\":\"port\"},"
			 "\"destination\":{\"ip\":\"192.0.2.1\",\"port\":%d},\"kvgate\":"
			 "{\"gate\":\"/a\",\"count\":2}",
			 i + 1);
		add(numbers, "2025-11-24T10:00:00Z", rest);
	}
	kvg_numbers_finish(numbers);
	json = kvg_numbers_to_json(numbers);
	assert_int_equal(json_integer_value(json_object_get(json, "refused")), 5000);
	by = json_object_get(json, "by_destination");
	for (size_t i = 0; i < json_array_size(json_object_get(by, "rows")); i++)
		sum += json_integer_value(
			json_object_get(json_array_get(json_object_get(by, "rows"), i), "refused"));
	sum += json_integer_value(json_object_get(json_object_get(by, "others"), "refused"));
	assert_int_equal(sum, 5000);
	assert_true(json_is_true(json_object_get(by, "exact")));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
		TEST(what_means_something_to_a_browser_is_escaped),
		TEST(what_does_not_show_as_itself_is_spelled_out),
		TEST(verdicts_are_told_apart),
		TEST(only_the_period_counts),
		TEST(a_time_to_come_is_passed_over_and_told),
		TEST(counts_that_are_none_add_nothing),
		TEST(no_name_becomes_a_part_of_the_page),
		TEST(an_empty_record_is_a_page_that_says_so),
		TEST(of_many_bad_lines_some_are_named_and_all_counted),
		TEST(the_numbers_are_JSON_that_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
