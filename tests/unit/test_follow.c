// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/follow.h"
#include "base/cleanup.h"
#include "folder.h"

#define LINE(n) \
	"{\"@timestamp\":\"2026-01-02T03:04:05Z\",\"event\":{\"action\":\"x\"},\"n\":" #n "}\n"

struct seen {
	char numbers[64];
	unsigned int bad;
	unsigned long last_bad;
};

static int on_line(void *data, const json_t *line)
{
	struct seen *seen = data;
	size_t len = strlen(seen->numbers);

	snprintf(seen->numbers + len, sizeof(seen->numbers) - len, "%lld ",
		 kvg_line_number(line, "n", -1));
	return 0;
}

static void on_bad(void *data, const char *path, unsigned long number, const char *why)
{
	struct seen *seen = data;

	(void)path;
	assert_true(*why);
	seen->bad++;
	seen->last_bad = number;
}

static void append(const char *path, const char *text)
{
	FILE *file = fopen(path, "a");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static struct seen look(struct kvg_follow *follow)
{
	struct seen seen = {0};
	const struct kvg_lines_handler handler = {on_line, on_bad, &seen};

	assert_int_equal(kvg_follow_read(follow, &handler, NULL), 0);
	return seen;
}

static struct kvg_follow *open_follow(const char *path, bool whole)
{
	struct kvg_follow *follow = NULL;

	assert_int_equal(kvg_follow_open(path, whole, &follow, NULL), 0);
	return follow;
}

static void only_what_comes_later_is_read_unless_all_is_asked_for(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "a", LINE(1) LINE(2));
	KVG_CLEANUP(kvg_follow_closep) struct kvg_follow *late = open_follow(path, false);
	KVG_CLEANUP(kvg_follow_closep) struct kvg_follow *all = open_follow(path, true);

	assert_string_equal(look(late).numbers, "");
	assert_string_equal(look(all).numbers, "1 2 ");
	append(path, LINE(3));
	assert_string_equal(look(late).numbers, "3 ");
	assert_string_equal(look(all).numbers, "3 ");
	assert_string_equal(look(all).numbers, "");
}

static void a_line_is_read_when_its_end_is_written(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "a", "");
	KVG_CLEANUP(kvg_follow_closep) struct kvg_follow *follow = open_follow(path, false);

	append(path, "{\"@timestamp\":\"2026-01-02T03:04:05Z\",");
	assert_string_equal(look(follow).numbers, "");
	append(path, "\"event\":{\"action\":\"x\"},\"n\":7}\n" LINE(8));
	assert_string_equal(look(follow).numbers, "7 8 ");
}

static void rotation_loses_and_repeats_nothing(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "a", LINE(1));
	KVG_CLEANUP(kvg_freep) char *old = folder_path(state, "a.1");
	KVG_CLEANUP(kvg_follow_closep) struct kvg_follow *follow = open_follow(path, true);

	assert_string_equal(look(follow).numbers, "1 ");
	append(path, LINE(2));
	assert_int_equal(rename(path, old), 0);
	assert_string_equal(look(follow).numbers, "2 "); /* there is no new one yet */
	append(old, LINE(3));
	append(path, LINE(4));
	assert_string_equal(look(follow).numbers, "3 4 ");
	append(path, LINE(5));
	assert_string_equal(look(follow).numbers, "5 ");
}

static void a_file_that_is_cut_is_read_from_its_beginning(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "a", LINE(1) LINE(2));
	KVG_CLEANUP(kvg_follow_closep) struct kvg_follow *follow = open_follow(path, true);

	look(follow);
	assert_int_equal(truncate(path, 0), 0);
	append(path, LINE(3));
	assert_string_equal(look(follow).numbers, "3 ");
}

static void what_is_no_record_is_named_and_the_next_line_read(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "a", LINE(1) "torn\n\n" LINE(2));
	KVG_CLEANUP(kvg_follow_closep) struct kvg_follow *follow = open_follow(path, true);
	struct seen seen = look(follow);

	assert_string_equal(seen.numbers, "1 2 ");
	assert_int_equal(seen.bad, 1);
	assert_int_equal(seen.last_bad, 2);
}

static void a_line_without_end_is_passed_over_in_bounded_memory(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "a", "");
	KVG_CLEANUP(kvg_follow_closep) struct kvg_follow *follow = open_follow(path, true);
	KVG_CLEANUP(kvg_freep) char *text = malloc(1000001);
	struct seen seen;

	memset(text, 'x', 1000000);
	text[1000000] = '\0';
	append(path, text);
	append(path, "\n" LINE(1));
	seen = look(follow);
	assert_string_equal(seen.numbers, "1 ");
	assert_int_equal(seen.bad, 1);
}

static void what_is_no_file_is_refused(void **state)
{
	KVG_CLEANUP(kvg_freep) char *missing = folder_path(state, "missing");
	struct kvg_follow *follow = NULL;
	struct kvg_diag diag = {0};

	assert_int_equal(kvg_follow_open(missing, false, &follow, &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "missing"));
	assert_int_equal(kvg_follow_open(*state, false, &follow, NULL), -EINVAL);
	assert_int_equal(kvg_follow_open("/dev/null", false, &follow, NULL), -EINVAL);
	assert_null(follow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
		TEST(only_what_comes_later_is_read_unless_all_is_asked_for),
		TEST(a_line_is_read_when_its_end_is_written),
		TEST(rotation_loses_and_repeats_nothing),
		TEST(a_file_that_is_cut_is_read_from_its_beginning),
		TEST(what_is_no_record_is_named_and_the_next_line_read),
		TEST(a_line_without_end_is_passed_over_in_bounded_memory),
		TEST(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
