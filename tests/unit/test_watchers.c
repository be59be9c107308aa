// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "agent/watchers.h"
#include "base/cleanup.h"
#include "discover/request.h"
#include "lines.h"

/* struct fixture - watchers, and the other ends of their connections */
struct fixture {
	sd_event *event;
	struct kvg_watchers *watchers;
	int fds[KVG_WATCHERS_MAX + 1];
	size_t count;
};

static int make(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (sd_event_new(&fixture->event) < 0)
		return -1;
	return kvg_watchers_open(fixture->event, &fixture->watchers);
}

static int unmake(void **state)
{
	struct fixture *fixture = *state;

	kvg_watchers_close(fixture->watchers);
	for (size_t i = 0; i < fixture->count; i++)
		kvg_closep(&fixture->fds[i]);
	sd_event_unref(fixture->event);
	free(fixture);
	return 0;
}

static void turn(struct fixture *fixture)
{
	while (sd_event_run(fixture->event, 0) > 0)
		;
}

/* What is there to be read; "" if nothing is, "end" if the connection was closed. */
static const char *hear(int fd)
{
	static char text[KVG_REQUEST_MESSAGE_MAX + 1];
	ssize_t size = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (size == 0)
		return "end";
	text[size < 0 ? 0 : size] = '\0';
	return text;
}

/* Return: the other end's descriptor, or a negative errno */
static int add(struct fixture *fixture, const char *request)
{
	json_t *json = json_loads(request, 0, NULL);
	int pair[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	r = kvg_watchers_take(fixture->watchers, json, pair[0], NULL);
	json_decref(json);
	if (r < 0) {
		close(pair[0]);
		close(pair[1]);
		return r;
	}
	fixture->fds[fixture->count++] = pair[1];
	assert_string_equal(hear(pair[1]), "{\"result\":\"watching\"}\n");
	return pair[1];
}

static void put_record(struct fixture *fixture, const struct kvg_record *record)
{
	KVG_CLEANUP(kvg_freep) char *json = NULL;
	size_t size = 0;

	assert_int_equal(kvg_record_format_json(record, 0, &json, &size), 0);
	kvg_watchers_put(fixture->watchers, record, json, size);
}

static void put_port(struct fixture *fixture, unsigned int port)
{
	const struct kvg_record record = some_record(port);

	put_record(fixture, &record);
}

/* Adds up what is there to be read, until nothing comes any more. */
static void sum(struct fixture *fixture, int fd, json_int_t *count, json_int_t *lost)
{
	const char *text, *end;

	while (turn(fixture), *(text = hear(fd))) {
		for (; (end = strchr(text, '\n')); text = end + 1) {
			json_t *line = json_loadb(text, end - text, 0, NULL), *kvgate;

			assert_non_null(line);
			kvgate = json_object_get(line, "kvgate");
			*count += json_integer_value(json_object_get(kvgate, "count"));
			*lost += json_integer_value(json_object_get(kvgate, "lost"));
			json_decref(line);
		}
		assert_string_equal(text, "");
	}
}

static void several_watch_at_once_each_by_its_filter(void **state)
{
	struct fixture *fixture = *state;
	int all = add(fixture, "{}");
	int one = add(fixture, "{\"profile\":[\"one\"]}");
	int none = add(fixture, "{\"destination\":[\"192.0.2.0/24\"]}");
	struct kvg_record record = some_record(443);
	json_int_t seen[3] = {0}, lost = 0;

	put_record(fixture, &record);
	record.profile = "one";
	put_record(fixture, &record);
	sum(fixture, all, &seen[0], &lost);
	sum(fixture, one, &seen[1], &lost);
	sum(fixture, none, &seen[2], &lost);
	assert_int_equal(seen[0], 2);
	assert_int_equal(seen[1], 1);
	assert_int_equal(seen[2], 0);
	assert_int_equal(lost, 0);
}

static void one_that_does_not_read_is_told_what_it_missed_and_holds_up_nobody(void **state)
{
	struct fixture *fixture = *state;
	int slow = add(fixture, "{}"), other = add(fixture, "{}");
	json_int_t count = 0, lost = 0, others = 0, others_lost = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		put_port(fixture, 1 + i);
		if (i % 100 == 0)
			sum(fixture, other, &others, &others_lost);
	}
	sum(fixture, other, &others, &others_lost);
	assert_int_equal(others, 20000);
	assert_int_equal(others_lost, 0);

	sum(fixture, slow, &count, &lost);
	assert_true(lost > 0);
	assert_int_equal(count + lost, 20000);
	assert_int_equal(kvg_watchers_dropped(fixture->watchers), lost);

	put_port(fixture, 443);
	sum(fixture, slow, &count, &lost);
	assert_int_equal(count + lost, 20001);
}

static void what_was_lost_before_is_told_to_all(void **state)
{
	struct fixture *fixture = *state;
	int filtered = add(fixture, "{\"profile\":[\"one\"]}");
	json_int_t count = 0, lost = 0;

	kvg_watchers_put_loss(fixture->watchers, 7, "too many flows at once");
	sum(fixture, filtered, &count, &lost);
	assert_int_equal(lost, 7);
}

static void a_line_that_could_not_be_formatted_is_lost_and_told(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_record record = some_record(443);
	int fd = add(fixture, "{}");
	json_int_t count = 0, lost = 0;

	kvg_watchers_put(fixture->watchers, &record, NULL, 0);
	put_port(fixture, 1);
	sum(fixture, fd, &count, &lost);
	assert_int_equal(count, 1);
	assert_int_equal(lost, 1);
}

static void who_hangs_up_makes_room(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < KVG_WATCHERS_MAX; i++)
		assert_true(add(fixture, "{}") >= 0);
	assert_int_equal(add(fixture, "{}"), -EBUSY);

	kvg_closep(&fixture->fds[3]);
	fixture->fds[3] = -1;
	turn(fixture);
	assert_int_equal(kvg_watchers_count(fixture->watchers), KVG_WATCHERS_MAX - 1);
	assert_true(add(fixture, "{}") >= 0);
	put_port(fixture, 1);
	turn(fixture);
}

static void a_wrong_filter_is_refused_and_nobody_watches(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(add(fixture, "{\"reason\":[\"why\"]}"), -EINVAL);
	assert_int_equal(kvg_watchers_count(fixture->watchers), 0);
}

static void who_talks_is_not_listened_to_but_stays(void **state)
{
	struct fixture *fixture = *state;
	int fd = add(fixture, "{}");
	json_int_t count = 0, lost = 0;

	assert_int_equal(send(fd, "hello", 5, 0), 5);
	turn(fixture);
	put_port(fixture, 1);
	sum(fixture, fd, &count, &lost);
	assert_int_equal(count, 1);
}

static void at_the_end_they_have_what_their_sockets_take(void **state)
{
	struct fixture *fixture = *state;
	int fd = add(fixture, "{}");

	put_port(fixture, 1);
	fixture->watchers = kvg_watchers_close(fixture->watchers);
	assert_non_null(strstr(hear(fd), "\"port\":1"));
	assert_string_equal(hear(fd), "end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
		TEST(several_watch_at_once_each_by_its_filter),
		TEST(one_that_does_not_read_is_told_what_it_missed_and_holds_up_nobody),
		TEST(what_was_lost_before_is_told_to_all),
		TEST(a_line_that_could_not_be_formatted_is_lost_and_told),
		TEST(who_hangs_up_makes_room),
		TEST(a_wrong_filter_is_refused_and_nobody_watches),
		TEST(who_talks_is_not_listened_to_but_stays),
		TEST(at_the_end_they_have_what_their_sockets_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
