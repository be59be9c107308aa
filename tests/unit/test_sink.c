// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#include "audit/sink.h"
#include "base/cleanup.h"
#include "folder.h"
#include "lines.h"

static void words_are_lines_for_people(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "words");
	struct kvg_sink *sink;

	sink = open_sink(&(struct kvg_sink_options){.path = path, .kind = KVG_SINK_WORDS});
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

	sink = open_sink(&(struct kvg_sink_options){.path = path, .kind = KVG_SINK_WORDS});
	put(sink, 1);
	usleep(20 * 1000);
	assert_content(path, "");
	assert_int_equal(kvg_sink_settle(sink, WAIT_MS), 0);
	assert_content(path, "refused tcp 203.0.113.9:1 (destination)\n");
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
		kvg_sink_settle(sink, WAIT_MS);
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
		kvg_sink_settle(sink, WAIT_MS);
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
	struct timespec before, after;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sink = open_sink(&(struct kvg_sink_options){.kind = KVG_SINK_WORDS,
						    .fd = fds[1],
						    .buffer_bytes = 8192,
						    .trouble = on_trouble,
						    .data = &told});
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 10000; i++) {
		put(sink, i);
		kvg_sink_flush(sink);
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 5);
	assert_in_range(kvg_sink_lost(sink), 1, 10000);
	assert_int_equal(told.times, 1);
	assert_non_null(strstr(told.last, "too slow"));
	close(fds[0]);
	kvg_sink_close(sink);
	close(fds[1]);
}

/* Reads words: how many lines, and what they say is not listed. */
static void sum_words(int fd, unsigned long long *ret_lines, unsigned long long *ret_lost)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = fdopen(fd, "r");
	char line[512];
	unsigned long long lost;

	*ret_lines = 0;
	*ret_lost = 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llu refusals are not listed", &lost) == 1)
			*ret_lost += lost;
		else
			++*ret_lines;
	}
}

static void *read_late(void *data)
{
	unsigned long long *sums = data;

	usleep(300 * 1000);
	sum_words((int)sums[0], &sums[1], &sums[2]);
	return NULL;
}

static void what_a_slow_reader_missed_is_said_to_it_when_there_is_room(void **state)
{
	unsigned long long sums[3] = {0};
	struct kvg_sink *sink;
	pthread_t reader;
	__u64 lost;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sums[0] = fds[0];
	sink = open_sink(&(struct kvg_sink_options){
		.kind = KVG_SINK_WORDS, .fd = fds[1], .buffer_bytes = 8192});
	close(fds[1]);
	for (int i = 0; i < 5000; i++) {
		put(sink, i);
		kvg_sink_flush(sink);
	}
	lost = kvg_sink_lost(sink);
	assert_int_equal(kvg_sink_dropped(sink), lost);
	assert_int_equal(pthread_create(&reader, NULL, read_late, sums), 0);
	kvg_sink_close(sink);
	pthread_join(reader, NULL);
	assert_int_equal(sums[2], lost);
	assert_int_equal(sums[1] + sums[2], 5000);
}

static void a_sink_that_hangs_is_closed_within_seconds_and_says_what_is_lost(void **state)
{
	struct told told = {0};
	struct kvg_sink *sink;
	struct timespec before, after;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sink = open_sink(&(struct kvg_sink_options){
		.kind = KVG_SINK_WORDS, .fd = fds[1], .trouble = on_trouble, .data = &told});
	for (int i = 0; i < 5000; i++)
		put(sink, i);
	clock_gettime(CLOCK_MONOTONIC, &before);
	kvg_sink_close(sink);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 3);
	assert_non_null(strstr(told.last, "could not be written"));
	close(fds[0]);
	close(fds[1]);
}

/* --- syslog --- */

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* The JSON behind the cookie; what stands before it is by RFC 3164. */
static json_t *receive_line(int fd)
{
	char line[4096];
	unsigned int priority, day;
	char month[4], time[9];
	int pid, end = 0;
	ssize_t n = recv(fd, line, sizeof(line) - 1, 0);
	json_t *json;

	assert_true(n > 0);
	line[n] = '\0';
	assert_int_equal(sscanf(line, "<%u>%3s %u %8s kvgate[%d]: @cee: %n", &priority, month, &day,
				time, &pid, &end),
			 5);
	assert_int_equal(priority, LOG_AUTHPRIV | LOG_WARNING);
	assert_int_equal(pid, getpid());
	json = json_loads(line + end, 0, NULL);
	assert_non_null(json);
	return json;
}

static void a_line_for_syslog_has_words_for_people_and_json_for_programs(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "log");
	KVG_CLEANUP(kvg_closep) int fd = listen_at(path);
	const struct kvg_sink_options options = {.kind = KVG_SINK_SYSLOG, .path = path};
	KVG_CLEANUP(kvg_sink_closep) struct kvg_sink *sink = open_sink(&options);
	json_t *json;

	put(sink, 443);
	kvg_sink_put_loss(sink, 7, "too many flows at once");
	kvg_sink_flush(sink);
	json = receive_line(fd);
	assert_string_equal(json_string_value(json_object_get(json, "message")),
			    "refused tcp 203.0.113.9:443 (destination)");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(json, "kvgate"), "count")), 1);
	json_decref(json);
	json = receive_line(fd);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(json, "kvgate"), "lost")), 7);
	json_decref(json);
}

static void a_logger_that_was_started_again_gets_the_lines_that_waited(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "log");
	int fd = listen_at(path);
	struct told told = {0};
	const struct kvg_sink_options options = {
		.kind = KVG_SINK_SYSLOG, .path = path, .trouble = on_trouble, .data = &told};
	struct kvg_sink *sink = open_sink(&options);

	close(fd);
	unlink(path);
	put(sink, 1);
	assert_int_equal(kvg_sink_settle(sink, WAIT_MS), -ENOENT);
	assert_true(told.failing);
	fd = listen_at(path);
	put(sink, 2);
	assert_int_equal(kvg_sink_settle(sink, WAIT_MS), 0);
	assert_false(told.failing);
	json_decref(receive_line(fd));
	json_decref(receive_line(fd));
	kvg_sink_close(sink);
	close(fd);
}

static void a_logger_that_does_not_read_blocks_neither_writer_nor_end(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "log");
	KVG_CLEANUP(kvg_closep) int fd = listen_at(path);
	const struct kvg_sink_options options = {
		.kind = KVG_SINK_SYSLOG, .path = path, .buffer_bytes = 16384};
	struct kvg_sink *sink = open_sink(&options);
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 5000; i++) {
		put(sink, i);
		kvg_sink_flush(sink);
	}
	assert_in_range(kvg_sink_dropped(sink), 1, 5000);
	kvg_sink_close(sink);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 8);
}

static void without_a_logger_syslog_is_refused_by_name(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "log");
	const struct kvg_sink_options options = {.kind = KVG_SINK_SYSLOG, .path = path};
	struct kvg_sink *sink = NULL;
	struct kvg_diag diag = {0};

	assert_int_equal(kvg_sink_open(&options, &sink, &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "no syslog"));
	assert_non_null(strstr(diag.msg, path));
}

/* --- callbacks --- */

struct seen {
	unsigned int lines;
	unsigned int losses;
};

static void on_line(void *data, const struct kvg_record *record, const char *json, size_t size)
{
	struct seen *seen = data;

	assert_int_equal(record->count, 1);
	assert_int_equal(json[size - 1], '\n');
	seen->lines++;
}

static void on_loss(void *data, __u64 count, const char *why)
{
	struct seen *seen = data;

	assert_non_null(why);
	seen->losses += (unsigned int)count;
}

static void a_callback_is_told_of_each_line_at_once(void **state)
{
	struct seen seen = {0};
	const struct kvg_sink_options options = {
		.kind = KVG_SINK_CALLBACK,
		.callback = {.put = on_line, .put_loss = on_loss, .data = &seen},
	};
	struct kvg_sink *sink = open_sink(&options);

	(void)state;
	put(sink, 1);
	put(sink, 2);
	kvg_sink_put_loss(sink, 5, "too many flows at once");
	assert_int_equal(seen.lines, 2);
	assert_int_equal(seen.losses, 5);
	kvg_sink_close(sink);
}

#define test(function) cmocka_unit_test_setup_teardown(function, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(words_are_lines_for_people),
		test(nothing_is_written_before_a_flush),
		test(a_full_disk_is_told_once_and_no_line_is_torn_or_forgotten),
		test(what_has_no_room_is_counted_and_said_in_the_file),
		test(a_reader_that_does_not_read_never_blocks_the_writer),
		test(what_a_slow_reader_missed_is_said_to_it_when_there_is_room),
		test(a_sink_that_hangs_is_closed_within_seconds_and_says_what_is_lost),
		test(a_line_for_syslog_has_words_for_people_and_json_for_programs),
		test(a_logger_that_was_started_again_gets_the_lines_that_waited),
		test(a_logger_that_does_not_read_blocks_neither_writer_nor_end),
		test(without_a_logger_syslog_is_refused_by_name),
		test(a_callback_is_told_of_each_line_at_once),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
