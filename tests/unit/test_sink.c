// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "audit/sink.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "folder.h"

/* struct told - what a sink said of its troubles */
struct told {
	int times;
	char last[512];
};

static void on_trouble(void *data, const char *message)
{
	struct told *told = data;

	told->times++;
	snprintf(told->last, sizeof(told->last), "%s", message);
}

static struct kvg_record some_record(unsigned int port)
{
	return (struct kvg_record){
		.refusal = {.dport = htons(port),
			    .protocol = IPPROTO_TCP,
			    .family = AF_INET,
			    .daddr = {[10] = 0xff, [11] = 0xff, 203, 0, 113, 9},
			    .reason = KVG_REASON_DESTINATION},
		.count = 1,
	};
}

static struct kvg_sink *open_sink(const struct kvg_sink_options *options)
{
	struct kvg_sink *sink = NULL;

	assert_int_equal(kvg_sink_open(options, &sink), 0);
	return sink;
}

static void put(struct kvg_sink *sink, unsigned int port)
{
	const struct kvg_record record = some_record(port);

	kvg_sink_put(sink, &record);
}

/* Reads the file's lines as JSON: sum of counts, and of what they say was lost. */
static void sum_lines(const char *path, json_int_t *ret_count, json_int_t *ret_lost)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = fopen(path, "r");
	json_t *json, *kvgate;

	*ret_count = 0;
	*ret_lost = 0;
	assert_non_null(file);
	while ((json = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL))) {
		assert_int_equal(fgetc(file), '\n');
		kvgate = json_object_get(json, "kvgate");
		*ret_count += json_integer_value(json_object_get(kvgate, "count"));
		*ret_lost += json_integer_value(json_object_get(kvgate, "lost"));
		json_decref(json);
	}
	assert_int_equal(fgetc(file), EOF);
}

static void assert_content(const char *path, const char *expected)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	size_t size;

	assert_int_equal(kvg_file_read(path, 1 << 20, &data, &size), 0);
	assert_string_equal(data, expected);
}

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

static void words_are_lines_for_people(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "words");
	struct kvg_sink *sink;

	sink = open_sink(&(struct kvg_sink_options){.path = path, .format = KVG_SINK_WORDS});
	put(sink, 443);
	kvg_sink_put_loss(sink, 3, "too many flows at once");
	kvg_sink_close(sink);
	assert_content(path, "refused tcp 203.0.113.9:443 (destination)\n"
			     "3 refusals are not listed: too many flows at once\n");
}

static void nothing_is_written_before_a_flush(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "words");
	KVG_CLEANUP(kvg_sink_closep) struct kvg_sink *sink = NULL;

	sink = open_sink(&(struct kvg_sink_options){.path = path, .format = KVG_SINK_WORDS});
	put(sink, 1);
	assert_content(path, "");
	assert_int_equal(kvg_sink_flush(sink), 0);
	assert_content(path, "refused tcp 203.0.113.9:1 (destination)\n");
}

static void a_file_that_was_moved_away_is_made_again(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "words");
	KVG_CLEANUP(kvg_freep) char *moved = folder_path(state, "words.1");
	KVG_CLEANUP(kvg_sink_closep) struct kvg_sink *sink = NULL;

	sink = open_sink(&(struct kvg_sink_options){.path = path, .format = KVG_SINK_WORDS});
	put(sink, 1);
	kvg_sink_flush(sink);
	assert_int_equal(rename(path, moved), 0);
	put(sink, 2);
	kvg_sink_flush(sink);
	assert_content(moved, "refused tcp 203.0.113.9:1 (destination)\n");
	assert_content(path, "refused tcp 203.0.113.9:2 (destination)\n");
}

static void a_file_that_cannot_be_opened_is_an_error(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "none/denied.jsonl");
	struct kvg_sink *sink = NULL;

	assert_int_equal(kvg_sink_open(&(struct kvg_sink_options){.path = path}, &sink), -ENOENT);
	assert_int_equal(kvg_sink_open(&(struct kvg_sink_options){.path = *state}, &sink), -EISDIR);
	assert_null(sink);
}

/* RLIMIT_FSIZE stops a file in the middle of a line, just as a full disk does. */
static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_told_once_and_no_line_is_torn_or_forgotten(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "denied.jsonl");
	struct told told = {0};
	struct kvg_sink *sink;
	json_int_t count, lost;

	sink = open_sink(
		&(struct kvg_sink_options){.path = path, .trouble = on_trouble, .data = &told});
	limit_file_size(1000);
	for (int i = 0; i < 20; i++) {
		put(sink, i);
		kvg_sink_flush(sink);
	}
	assert_int_equal(told.times, 1);
	assert_non_null(strstr(told.last, "File too large"));
	assert_non_null(strstr(told.last, path));

	limit_file_size(RLIM_INFINITY);
	kvg_sink_close(sink);
	assert_int_equal(told.times, 2);
	sum_lines(path, &count, &lost);
	assert_int_equal(count, 20);
	assert_int_equal(lost, 0);
}

static void what_has_no_room_is_counted_and_said_in_the_file(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "denied.jsonl");
	struct told told = {0};
	struct kvg_sink *sink;
	json_int_t count, lost;
	__u64 lost_said;

	sink = open_sink(&(struct kvg_sink_options){
		.path = path, .buffer_bytes = 4096, .trouble = on_trouble, .data = &told});
	limit_file_size(1000);
	for (int i = 0; i < 100; i++) {
		put(sink, i);
		kvg_sink_flush(sink);
	}
	lost_said = kvg_sink_lost(sink);
	assert_in_range(lost_said, 80, 99);

	limit_file_size(RLIM_INFINITY);
	kvg_sink_close(sink);
	sum_lines(path, &count, &lost);
	assert_int_equal(lost, lost_said);
	assert_int_equal(count + lost, 100);
	assert_int_equal(told.times, 2);
}

static void a_reader_that_does_not_read_never_blocks_the_writer(void **state)
{
	struct told told = {0};
	struct kvg_sink *sink;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sink = open_sink(&(struct kvg_sink_options){.fd = fds[1],
						    .format = KVG_SINK_WORDS,
						    .buffer_bytes = 8192,
						    .trouble = on_trouble,
						    .data = &told});
	for (int i = 0; i < 10000; i++) {
		put(sink, i);
		kvg_sink_flush(sink);
	}
	assert_in_range(kvg_sink_lost(sink), 1, 10000);
	assert_int_equal(told.times, 1);
	assert_non_null(strstr(told.last, "too slow"));
	close(fds[0]);
	kvg_sink_close(sink);
	close(fds[1]);
}

#define test(function) cmocka_unit_test_setup_teardown(function, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(lines_are_appended_to_a_file_that_others_may_not_read),
		test(words_are_lines_for_people),
		test(nothing_is_written_before_a_flush),
		test(a_file_that_was_moved_away_is_made_again),
		test(a_file_that_cannot_be_opened_is_an_error),
		test(a_full_disk_is_told_once_and_no_line_is_torn_or_forgotten),
		test(what_has_no_room_is_counted_and_said_in_the_file),
		cmocka_unit_test(a_reader_that_does_not_read_never_blocks_the_writer),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
