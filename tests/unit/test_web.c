// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "agent/web.h"
#include "base/cleanup.h"

#define TURN_US     20000
#define LONG_ANSWER 20000000 /* more than socket buffers hold */
#define GET         "GET /text HTTP/1.1\r\nHost: node\r\n\r\n"

/* struct fixture - a server at an address of this process's own */
struct fixture {
	sd_event *event;
	struct kvg_web *web;
	struct sockaddr_in address;
	char listen[32];
	unsigned int ran;
};

static int run_text(void *data, struct kvg_web_answer *ret)
{
	((struct fixture *)data)->ran++;
	*ret = (struct kvg_web_answer){200, "text/plain", strdup("what was asked for\n")};
	return ret->text ? 0 : -ENOMEM;
}

static int run_long(void *data, struct kvg_web_answer *ret)
{
	char *text = malloc(LONG_ANSWER + 1);

	(void)data;
	memset(text, 'x', LONG_ANSWER);
	text[LONG_ANSWER] = '\0';
	*ret = (struct kvg_web_answer){200, "text/plain", text};
	return 0;
}

static int run_broken(void *data, struct kvg_web_answer *ret)
{
	(void)data;
	(void)ret;
	return -ENOMEM;
}

static const struct kvg_web_row rows[] = {
	{"/text", run_text},
	{"/long", run_long},
	{"/broken", run_broken},
	{},
};

static int try_open(struct fixture *fixture, const char *listen, struct kvg_diag *diag)
{
	const struct kvg_web_options options = {
		.listen = listen,
		.event = fixture->event,
		.rows = rows,
		.data = fixture,
		.deadline_ms = 300,
	};

	return kvg_web_open(&options, &fixture->web, diag);
}

/* Every process has an address below 127.64.0.0/10 to itself. */
static int make(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct kvg_diag diag = {};

	if (sd_event_new(&fixture->event) < 0)
		return -1;
	fixture->address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(9435),
		.sin_addr.s_addr = htonl(0x7f400000U | ((unsigned int)getpid() & 0x3fffffU)),
	};
	snprintf(fixture->listen, sizeof(fixture->listen), "%s:9435",
		 inet_ntoa(fixture->address.sin_addr));
	*state = fixture;
	return try_open(fixture, fixture->listen, &diag);
}

static int unmake(void **state)
{
	struct fixture *fixture = *state;

	kvg_web_close(fixture->web);
	sd_event_unref(fixture->event);
	free(fixture);
	return 0;
}

/* Until nothing happens any more. */
static void turn(struct fixture *fixture)
{
	while (sd_event_run(fixture->event, TURN_US) > 0)
		;
}

static unsigned long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* Return: how often there was something to do */
static unsigned int turn_for_ms(struct fixture *fixture, unsigned int ms)
{
	unsigned long long end = now_ms() + ms;
	unsigned int turns = 0;

	while (now_ms() < end)
		turns += sd_event_run(fixture->event, 5000) > 0;
	return turns;
}

static size_t clients(struct fixture *fixture)
{
	struct kvg_web_counts ret;

	kvg_web_counts(fixture->web, &ret);
	return ret.clients;
}

static size_t cuts(struct fixture *fixture)
{
	struct kvg_web_counts ret;

	kvg_web_counts(fixture->web, &ret);
	return ret.cut;
}

static int dial(const struct fixture *fixture)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
		connect(fd, (struct sockaddr *)&fixture->address, sizeof(fixture->address)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All that was said until the server closed the connection. */
static char *hear(struct fixture *fixture, int fd)
{
	size_t size = 0, room = LONG_ANSWER + 4096;
	char *text = calloc(1, room);

	for (;;) {
		ssize_t got;

		turn_for_ms(fixture, 10);
		got = recv(fd, text + size, room - 1 - size, MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN)
			continue;
		if (got <= 0)
			break;
		size += got;
	}
	return text;
}

static char *ask(struct fixture *fixture, const char *request)
{
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	say(fd, request);
	return hear(fixture, fd);
}

static void assert_answer(struct fixture *fixture, const char *request, const char *begin,
			  const char *end)
{
	KVG_CLEANUP(kvg_freep) char *text = ask(fixture, request);
	size_t size = strlen(text);

	if (strncmp(text, begin, strlen(begin)) != 0)
		fail_msg("'%.200s' does not begin with '%s'", text, begin);
	assert_true(size >= strlen(end));
	assert_string_equal(text + size - strlen(end), end);
}

static void a_path_is_answered_and_the_connection_closed(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_freep) char *text = ask(fixture, GET);

	assert_int_equal(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
	assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(text, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(text, "\r\n\r\nwhat was asked for\n"));
	assert_int_equal(clients(fixture), 0);
	assert_int_equal(cuts(fixture), 0);
}

static void head_has_no_body(void **state)
{
	assert_answer(*state, "HEAD /text HTTP/1.1\r\nHost: node\r\n\r\n", "HTTP/1.1 200 OK",
		      "\r\n\r\n");
}

static void a_query_behind_the_path_changes_nothing(void **state)
{
	assert_answer(*state, "GET /text?a=b HTTP/1.1\r\nHost: node\r\n\r\n", "HTTP/1.1 200 OK",
		      "what was asked for\n");
}

static void what_is_not_there_is_not_found(void **state)
{
	struct fixture *fixture = *state;

	assert_answer(fixture, "GET / HTTP/1.1\r\nHost: node\r\n\r\n", "HTTP/1.1 404", "\n");
	assert_answer(fixture, "GET /text/.. HTTP/1.1\r\nHost: node\r\n\r\n", "HTTP/1.1 404", "\n");
	assert_answer(fixture, "GET /text%00 HTTP/1.1\r\nHost: node\r\n\r\n", "HTTP/1.1 404", "\n");
	assert_int_equal(fixture->ran, 0);
}

static void other_methods_are_refused_and_no_body_is_read(void **state)
{
	struct fixture *fixture = *state;

	assert_answer(fixture,
		      "POST /text HTTP/1.1\r\nHost: node\r\nContent-Length: 1000000\r\n\r\nhalf",
		      "HTTP/1.1 405", "only to be read\n");
	assert_answer(fixture, "DELETE /text HTTP/1.1\r\nHost: node\r\n\r\n", "HTTP/1.1 405",
		      "only to be read\n");
	assert_answer(fixture, "PUT /none HTTP/1.1\r\nHost: node\r\n\r\n", "HTTP/1.1 405",
		      "only to be read\n");
	assert_int_equal(fixture->ran, 0);
}

static void a_handler_that_fails_is_told_as_such(void **state)
{
	assert_answer(*state, "GET /broken HTTP/1.1\r\nHost: node\r\n\r\n", "HTTP/1.1 500",
		      "failed\n");
}

static void an_answer_longer_than_the_buffers_comes_whole(void **state)
{
	KVG_CLEANUP(kvg_freep) char *text = ask(*state, "GET /long HTTP/1.1\r\nHost: node\r\n\r\n");
	const char *body = strstr(text, "\r\n\r\n");

	assert_non_null(body);
	assert_int_equal(strlen(body + 4), LONG_ANSWER);
}

static void a_request_that_is_too_long_is_not_answered(void **state)
{
	KVG_CLEANUP(kvg_freep) char *request = NULL, *answer = NULL;
	struct fixture *fixture = *state;

	assert_true(asprintf(&request, "GET /text HTTP/1.1\r\nHost: node\r\nLong: %020000d\r\n\r\n",
			     0) > 0);
	answer = ask(fixture, request);
	assert_true(!answer[0] || strncmp(answer, "HTTP/1.1 431", 12) == 0);
	assert_int_equal(fixture->ran, 0);
	assert_int_equal(clients(fixture), 0);
}

static void what_is_no_request_does_no_harm(void **state)
{
	struct fixture *fixture = *state;

	free(ask(fixture, "\r\n\r\n\x16\x03\x01 no HTTP at all\r\n\r\n"));
	free(ask(fixture, "GET /text HTTP/9.9\r\n\r\n"));
	assert_answer(fixture, GET, "HTTP/1.1 200 OK", "what was asked for\n");
	assert_int_equal(clients(fixture), 0);
}

static void a_client_that_says_nothing_has_its_time(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	turn(fixture);
	assert_int_equal(clients(fixture), 1);
	turn_for_ms(fixture, 600);
	assert_int_equal(clients(fixture), 0);
	assert_int_equal(cuts(fixture), 1);
}

/* Each byte would start a time-out of idleness anew. */
static void a_client_that_is_slow_has_no_more_time(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	for (int i = 0; i < 100 && !cuts(fixture); i++) {
		send(fd, "G", 1, MSG_NOSIGNAL);
		turn_for_ms(fixture, 10);
	}
	turn_for_ms(fixture, 50);
	assert_int_equal(cuts(fixture), 1);
	assert_int_equal(clients(fixture), 0);
}

static void a_client_that_takes_nothing_has_no_more_time(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	say(fd, "GET /long HTTP/1.1\r\nHost: node\r\n\r\n");
	assert_true(turn_for_ms(fixture, 200) < 20); /* nor does the loop spin */
	turn_for_ms(fixture, 400);
	assert_int_equal(clients(fixture), 0);
	assert_int_equal(cuts(fixture), 1);
}

static void those_who_hold_connections_keep_nobody_out(void **state)
{
	enum { MANY = 5 * KVG_WEB_CLIENTS_MAX };
	struct fixture *fixture = *state;
	int fds[MANY];

	for (int i = 0; i < MANY; i++) {
		fds[i] = dial(fixture);
		if (i % 8 == 0)
			turn_for_ms(fixture, 10);
		assert_true(clients(fixture) <= 2 * KVG_WEB_CLIENTS_MAX);
	}
	assert_answer(fixture, GET, "HTTP/1.1 200 OK", "what was asked for\n");
	assert_true(cuts(fixture) >= MANY - KVG_WEB_CLIENTS_MAX);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	turn_for_ms(fixture, 100);
	assert_int_equal(clients(fixture), 0);
}

static void a_port_in_use_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct fixture other = {.event = fixture->event};
	struct kvg_diag diag = {};
	char text[96];

	assert_int_equal(try_open(&other, fixture->listen, &diag), -EADDRINUSE);
	snprintf(text, sizeof(text), "cannot listen at %s: Address already in use",
		 fixture->listen);
	assert_string_equal(diag.msg, text);
	assert_null(other.web);
}

static void an_address_of_another_machine_is_refused(void **state)
{
	struct fixture other = {.event = ((struct fixture *)*state)->event};
	struct kvg_diag diag = {};

	assert_int_equal(try_open(&other, "203.0.113.1:9435", &diag), -EADDRNOTAVAIL);
	assert_int_equal(try_open(&other, "node:9435", &diag), -EINVAL);
	assert_null(other.web);
}

static void after_closing_the_address_is_free_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_diag diag = {};

	free(ask(fixture, GET));
	fixture->web = kvg_web_close(fixture->web);
	assert_int_equal(try_open(fixture, fixture->listen, &diag), 0);
	assert_answer(fixture, GET, "HTTP/1.1 200 OK", "what was asked for\n");
}

#define WEB_TEST(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WEB_TEST(a_path_is_answered_and_the_connection_closed),
		WEB_TEST(head_has_no_body),
		WEB_TEST(a_query_behind_the_path_changes_nothing),
		WEB_TEST(what_is_not_there_is_not_found),
		WEB_TEST(other_methods_are_refused_and_no_body_is_read),
		WEB_TEST(a_handler_that_fails_is_told_as_such),
		WEB_TEST(an_answer_longer_than_the_buffers_comes_whole),
		WEB_TEST(a_request_that_is_too_long_is_not_answered),
		WEB_TEST(what_is_no_request_does_no_harm),
		WEB_TEST(a_client_that_says_nothing_has_its_time),
		WEB_TEST(a_client_that_is_slow_has_no_more_time),
		WEB_TEST(a_client_that_takes_nothing_has_no_more_time),
		WEB_TEST(those_who_hold_connections_keep_nobody_out),
		WEB_TEST(a_port_in_use_is_named),
		WEB_TEST(an_address_of_another_machine_is_refused),
		WEB_TEST(after_closing_the_address_is_free_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
