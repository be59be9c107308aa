// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/lines.h"

#define WHEN   "\"@timestamp\":\"2026-01-02T03:04:05.000006Z\""
#define RECORD "{" WHEN ",\"event\":{\"action\":\"egress-refused\"},\"kvgate\":{\"count\":3}}"

struct seen {
	unsigned int lines;
	unsigned int bad;
	unsigned long last_bad;
	long long count;
	int answer;
};

static int on_line(void *data, const json_t *line)
{
	struct seen *seen = data;

	seen->lines++;
	seen->count += kvg_line_number(line, "kvgate.count", 0);
	return seen->answer;
}

static void on_bad(void *data, const char *path, unsigned long number, const char *why)
{
	struct seen *seen = data;

	(void)path;
	assert_true(*why);
	seen->bad++;
	seen->last_bad = number;
}

static struct seen read_text(const char *text, size_t size)
{
	struct seen seen = {0};
	const struct kvg_lines_handler handler = {on_line, on_bad, &seen};
	struct kvg_diag diag = {0};
	char path[] = "/tmp/kvgate-lines-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	close(fd);
	assert_int_equal(kvg_lines_read(path, &handler, &diag), 0);
	unlink(path);
	return seen;
}

#define READ(text) read_text(text, sizeof(text) - 1)

static void each_line_is_a_record(void **state)
{
	struct seen seen = READ(RECORD "\n" RECORD "\n");

	(void)state;
	assert_int_equal(seen.lines, 2);
	assert_int_equal(seen.count, 6);
	assert_int_equal(seen.bad, 0);
}

static void a_last_line_without_its_end_counts_if_it_is_whole(void **state)
{
	(void)state;
	assert_int_equal(READ(RECORD "\n" RECORD).lines, 2);
	assert_int_equal(READ(RECORD "\n{\"@timest").lines, 1);
	assert_int_equal(READ(RECORD "\n{\"@timest").bad, 1);
}

static void what_is_no_record_is_named_and_hides_no_other(void **state)
{
	static const char text[] =
		RECORD "\n"
		       "no JSON\n"
		       "[1]\n"
		       "{" WHEN "}\n"
		       "{\"event\":{\"action\":\"x\"}}\n"
		       "{\"@timestamp\":\"yesterday\",\"event\":{\"action\":\"x\"}}\n"
		       "\0\0\0\n"
		       "\n" RECORD "\n";
	struct seen seen = read_text(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(seen.lines, 2);
	assert_int_equal(seen.bad, 6);
	assert_int_equal(seen.last_bad, 7);
}

static void a_line_without_end_is_passed_over(void **state)
{
	size_t size = KVG_LINES_MAX_BYTES + 2;
	char *text = malloc(size + sizeof(RECORD));
	struct seen seen;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	text[size - 1] = '\n';
	memcpy(text + size, RECORD, sizeof(RECORD));
	seen = read_text(text, size + sizeof(RECORD) - 1);
	free(text);
	assert_int_equal(seen.bad, 1);
	assert_int_equal(seen.lines, 1);
}

static void a_folder_or_a_missing_file_is_an_error_that_names_it(void **state)
{
	const struct kvg_lines_handler handler = {on_line, on_bad, NULL};
	struct kvg_diag diag = {0};

	(void)state;
	assert_int_equal(kvg_lines_read("/tmp", &handler, &diag), -EISDIR);
	assert_non_null(strstr(diag.msg, "'/tmp'"));
	assert_int_equal(kvg_lines_read("/nonexistent/record", &handler, &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "'/nonexistent/record'"));
}

static void times_are_utc_to_the_microsecond(void **state)
{
	(void)state;
	assert_int_equal(kvg_line_time_parse("1970-01-01T00:00:01Z"), 1000000);
	assert_int_equal(kvg_line_time_parse("2026-01-02T03:04:05.000006Z"), 1767323045000006);
	assert_int_equal(kvg_line_time_parse("2026-01-02T03:04:05.5Z"), 1767323045500000);
	assert_int_equal(kvg_line_time_parse("2026-01-02T03:04:05"), -1);
	assert_int_equal(kvg_line_time_parse("2026-01-02T03:04:05+01:00"), -1);
	assert_int_equal(kvg_line_time_parse("2026-13-02T03:04:05Z"), -1);
	assert_int_equal(kvg_line_time_parse(""), -1);
}

static void what_is_not_there_is_not_made_up(void **state)
{
	json_t *line = json_loads("{\"a\":{\"b\":\"c\",\"n\":7}}", 0, NULL);

	(void)state;
	assert_string_equal(kvg_line_text(line, "a.b"), "c");
	assert_null(kvg_line_text(line, "a.n"));
	assert_null(kvg_line_text(line, "a.b.c"));
	assert_null(kvg_line_text(line, "b"));
	assert_int_equal(kvg_line_number(line, "a.n", 1), 7);
	assert_int_equal(kvg_line_number(line, "a.b", 1), 1);
	json_decref(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_is_a_record),
		cmocka_unit_test(a_last_line_without_its_end_counts_if_it_is_whole),
		cmocka_unit_test(what_is_no_record_is_named_and_hides_no_other),
		cmocka_unit_test(a_line_without_end_is_passed_over),
		cmocka_unit_test(a_folder_or_a_missing_file_is_an_error_that_names_it),
		cmocka_unit_test(times_are_utc_to_the_microsecond),
		cmocka_unit_test(what_is_not_there_is_not_made_up),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
