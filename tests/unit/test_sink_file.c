// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

#include "audit/sink.h"
#include "base/cleanup.h"
#include "folder.h"
#include "lines.h"

static void lines_are_appended_to_a_file_that_others_may_not_read(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "denied.jsonl");
	struct kvg_sink *sink;
	json_int_t count, lost;
	struct stat st;

	for (int i = 0; i < 2; i++) {
		sink = open_sink(&(struct kvg_sink_options){.path = path});
		put(sink, 443);
		kvg_sink_close(sink);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0007, 0);
	sum_lines(path, &count, &lost);
	assert_int_equal(count, 2);
}

static void a_file_that_was_moved_away_is_made_again(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "words");
	KVG_CLEANUP(kvg_freep) char *moved = folder_path(state, "words.1");
	KVG_CLEANUP(kvg_sink_closep) struct kvg_sink *sink = NULL;

	sink = open_sink(&(struct kvg_sink_options){.path = path, .kind = KVG_SINK_WORDS});
	put(sink, 1);
	kvg_sink_settle(sink, WAIT_MS);
	assert_int_equal(rename(path, moved), 0);
	put(sink, 2);
	kvg_sink_settle(sink, WAIT_MS);
	assert_content(moved, "refused tcp 203.0.113.9:1 (destination)\n");
	assert_content(path, "refused tcp 203.0.113.9:2 (destination)\n");
}

static void a_file_that_cannot_be_opened_is_an_error(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "none/denied.jsonl");
	struct kvg_sink *sink = NULL;

	struct kvg_diag diag = {0};

	assert_int_equal(kvg_sink_open(&(struct kvg_sink_options){.path = path}, &sink, &diag),
			 -ENOENT);
	assert_non_null(strstr(diag.msg, path));
	assert_int_equal(kvg_sink_open(&(struct kvg_sink_options){.path = *state}, &sink, NULL),
			 -EISDIR);
	assert_null(sink);
}

static size_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

static void a_file_is_rotated_before_it_is_too_long_and_no_line_is_lost(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "denied.jsonl");
	json_int_t count, lost, sum = 0;
	struct kvg_sink *sink;
	char name[64];

	sink = open_sink(&(struct kvg_sink_options){.path = path, .max_bytes = 4000, .keep = 1000});
	for (int i = 0; i < 1000; i++)
		put(sink, i);
	kvg_sink_close(sink);
	sum_lines(path, &sum, &lost);
	for (int i = 1; i <= 1000; i++) {
		snprintf(name, sizeof(name), "denied.jsonl.%d", i);
		KVG_CLEANUP(kvg_freep) char *old = folder_path(state, name);

		if (access(old, F_OK) < 0)
			break;
		assert_in_range(size_of(old), 3000, 4000);
		sum_lines(old, &count, &lost);
		sum += count;
	}
	assert_int_equal(sum, 1000);
}

static void only_so_many_old_files_are_kept(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "words");
	KVG_CLEANUP(kvg_freep) char *one = folder_path(state, "words.1");
	KVG_CLEANUP(kvg_freep) char *two = folder_path(state, "words.2");
	KVG_CLEANUP(kvg_freep) char *three = folder_path(state, "words.3");
	struct kvg_sink *sink;

	sink = open_sink(&(struct kvg_sink_options){
		.kind = KVG_SINK_WORDS, .path = path, .max_bytes = 1, .keep = 2});
	for (int i = 1; i <= 9; i++)
		put(sink, i);
	kvg_sink_close(sink);
	assert_content(path, "refused tcp 203.0.113.9:9 (destination)\n");
	assert_content(one, "refused tcp 203.0.113.9:8 (destination)\n");
	assert_content(two, "refused tcp 203.0.113.9:7 (destination)\n");
	assert_int_equal(access(three, F_OK), -1);
}

static void a_file_is_rotated_on_demand_at_the_next_line(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "denied.jsonl");
	KVG_CLEANUP(kvg_freep) char *old = folder_path(state, "denied.jsonl.1");
	KVG_CLEANUP(kvg_sink_closep) struct kvg_sink *sink = NULL;
	json_int_t count, lost;

	sink = open_sink(&(struct kvg_sink_options){.path = path, .keep = 5});
	put(sink, 1);
	kvg_sink_settle(sink, WAIT_MS);
	kvg_sink_rotate(sink);
	kvg_sink_settle(sink, WAIT_MS);
	assert_int_equal(access(old, F_OK), -1);
	for (int i = 0; i < 3; i++)
		put(sink, 2);
	kvg_sink_settle(sink, WAIT_MS);
	sum_lines(old, &count, &lost);
	assert_int_equal(count, 1);
	sum_lines(path, &count, &lost);
	assert_int_equal(count, 3);
}

static void two_that_write_to_one_file_rotate_it_without_loss(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "denied.jsonl");
	const struct kvg_sink_options options = {.path = path, .max_bytes = 20000, .keep = 1000};
	struct kvg_sink *sinks[2] = {open_sink(&options), open_sink(&options)};
	json_int_t count, lost, sum = 0;
	char name[64];

	for (int i = 0; i < 3000; i++) {
		put(sinks[i % 2], i);
		if (i % 20 < 2)
			kvg_sink_flush(sinks[i % 2]);
	}
	kvg_sink_close(sinks[0]);
	kvg_sink_close(sinks[1]);
	sum_lines(path, &sum, &lost);
	for (int i = 1; i <= 1000; i++) {
		snprintf(name, sizeof(name), "denied.jsonl.%d", i);
		KVG_CLEANUP(kvg_freep) char *old = folder_path(state, name);

		if (access(old, F_OK) < 0)
			break;
		sum_lines(old, &count, &lost);
		sum += count;
	}
	assert_int_equal(sum, 3000);
}

static void a_file_that_cannot_be_rotated_grows_on_and_it_is_said(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "denied.jsonl");
	KVG_CLEANUP(kvg_freep) char *obstacle = folder_path(state, "denied.jsonl.1");
	struct told told = {0};
	struct kvg_sink *sink;
	json_int_t count, lost;

	assert_int_equal(mkdir(obstacle, 0700), 0);
	sink = open_sink(&(struct kvg_sink_options){
		.path = path, .max_bytes = 1000, .keep = 1, .trouble = on_trouble, .data = &told});
	for (int i = 0; i < 20; i++) {
		put(sink, i);
		kvg_sink_settle(sink, WAIT_MS);
	}
	assert_int_equal(told.times, 1);
	assert_true(told.failing);
	assert_non_null(strstr(told.last, "cannot be rotated"));
	assert_int_equal(rmdir(obstacle), 0);
	put(sink, 21);
	kvg_sink_settle(sink, WAIT_MS);
	assert_int_equal(told.times, 2);
	assert_false(told.failing);
	kvg_sink_close(sink);
	sum_lines(obstacle, &count, &lost);
	assert_int_equal(count, 20);
	sum_lines(path, &count, &lost);
	assert_int_equal(count, 1);
}

static void every_policy_of_fsync_writes_all_lines(void **state)
{
	for (enum kvg_fsync fsync = 0; fsync < KVG_FSYNC_COUNT; fsync++) {
		KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "denied.jsonl");
		struct kvg_sink *sink;
		json_int_t count, lost;

		sink = open_sink(&(struct kvg_sink_options){.path = path, .fsync = fsync});
		for (int i = 0; i < 20; i++) {
			put(sink, i);
			assert_int_equal(kvg_sink_settle(sink, WAIT_MS), 0);
		}
		kvg_sink_close(sink);
		sum_lines(path, &count, &lost);
		assert_int_equal(count, 20);
		assert_int_equal(unlink(path), 0);
	}
}

#define test(function) cmocka_unit_test_setup_teardown(function, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(lines_are_appended_to_a_file_that_others_may_not_read),
		test(a_file_that_was_moved_away_is_made_again),
		test(a_file_that_cannot_be_opened_is_an_error),
		test(a_file_is_rotated_before_it_is_too_long_and_no_line_is_lost),
		test(only_so_many_old_files_are_kept),
		test(a_file_is_rotated_on_demand_at_the_next_line),
		test(two_that_write_to_one_file_rotate_it_without_loss),
		test(a_file_that_cannot_be_rotated_grows_on_and_it_is_said),
		test(every_policy_of_fsync_writes_all_lines),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
