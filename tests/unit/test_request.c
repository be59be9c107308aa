// SPDX-License-Identifier: BSD-2-Clause
/* The client's side of the control socket, against servers that a child plays, well or badly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "discover/request.h"
#include "folder.h"
#include "ranges/json.h"

#define PATIENCE_MS 30000
#define SHORT_MS    100

/* struct fixture - a socket that listens, and who answers on it */
struct fixture {
	char *folder;
	int fd;
	pid_t pid;
};

static int make(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (folder_make((void **)&fixture->folder) < 0)
		return -1;
	kvg_request_path(fixture->folder, address.sun_path, sizeof(address.sun_path));
	fixture->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	*state = fixture;
	return bind(fixture->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	       listen(fixture->fd, 1) < 0;
}

static int unmake(void **state)
{
	struct fixture *fixture = *state;
	int r;

	close(fixture->fd);
	if (fixture->pid) {
		kill(fixture->pid, SIGKILL);
		waitpid(fixture->pid, NULL, 0);
	}
	r = folder_remove((void **)&fixture->folder);
	free(fixture);
	return r;
}

/* The child takes one request and answers it by these messages, NULL after the last. */
static void serve(struct fixture *fixture, const char *const *messages)
{
	static char request[KVG_REQUEST_MESSAGE_MAX];
	int fd;

	fixture->pid = fork();
	if (fixture->pid)
		return;
	fd = accept(fixture->fd, NULL, NULL);
	if (recv(fd, request, sizeof(request), 0) < 0)
		_exit(1);
	for (; *messages; messages++)
		send(fd, *messages, strlen(*messages), MSG_NOSIGNAL);
	close(fd);
	_exit(0);
}

static int ask(struct fixture *fixture, unsigned int timeout_ms, json_t **ret,
	       struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *request = json_pack("{s:s}", "request", "ping");

	return kvg_request_send(fixture->folder, request, timeout_ms, ret, diag);
}

static void assert_refused(struct fixture *fixture, const char *message, int error, const char *why)
{
	json_t *untouched = NULL;
	struct kvg_diag diag = {};

	serve(fixture, (const char *const[]){message, NULL});
	assert_int_equal(ask(fixture, PATIENCE_MS, &untouched, &diag), error);
	assert_null(untouched);
	if (!strstr(diag.msg, why))
		fail_msg("'%s' was refused by '%s', not '%s'", message, diag.msg, why);
	waitpid(fixture->pid, NULL, 0);
	fixture->pid = 0;
}

static void an_answer_in_several_messages_is_put_together(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_json_decrefp) json_t *answer = NULL;

	serve(fixture, (const char *const[]){"{\"result\":", "\"po", "ng\"}\n", NULL});
	assert_int_equal(ask(fixture, PATIENCE_MS, &answer, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(answer, "result")), "pong");
}

static void what_is_no_answer_is_refused_with_the_reason(void **state)
{
	assert_refused(*state, "\n", -EPROTO, "gave no answer");
	assert_refused(*state, "{\"result\"\n", -EPROTO, "broken JSON");
	assert_refused(*state, "[1]\n", -EPROTO, "it is a list");
	assert_refused(*state, "{\"a\":1,\"a\":2}\n", -EPROTO, "duplicate");
}

static void an_agent_that_ends_amid_its_answer_is_a_reset(void **state)
{
	assert_refused(*state, "{\"result\":\"gated\"}", -ECONNRESET, "ended before it answered");
	assert_refused(*state, NULL, -ECONNRESET, "ended before it answered");
}

static long long ms_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000LL + (now.tv_nsec - start->tv_nsec) / 1000000;
}

static void assert_timed_out(struct fixture *fixture)
{
	struct kvg_diag diag = {};
	struct timespec start;
	json_t *untouched = NULL;

	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(ask(fixture, SHORT_MS, &untouched, &diag), -ETIMEDOUT);
	assert_true(ms_since(&start) >= SHORT_MS - 1);
	assert_true(ms_since(&start) < PATIENCE_MS);
	assert_non_null(strstr(diag.msg, "does not answer within 100 ms"));
	assert_null(untouched);
}

static void an_agent_that_hangs_is_a_time_out(void **state)
{
	assert_timed_out(*state);
}

static void a_queue_that_is_full_is_a_time_out(void **state)
{
	struct fixture *fixture = *state;
	int fds[3];

	/* listen(1) lets two wait. */
	for (size_t i = 0; i < KVG_ARRAY_SIZE(fds); i++) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};

		kvg_request_path(fixture->folder, address.sun_path, sizeof(address.sun_path));
		fds[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(fds[i], (struct sockaddr *)&address, sizeof(address)) < 0)
			assert_int_equal(errno, EAGAIN);
	}
	assert_timed_out(fixture);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

static void assert_nobody_listens(const char *folder)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *request = json_object();
	struct kvg_diag diag = {};
	json_t *untouched = NULL;

	assert_int_equal(kvg_request_send(folder, request, PATIENCE_MS, &untouched, &diag),
			 -ECONNREFUSED);
	assert_non_null(strstr(diag.msg, "no agent listens on "));
	assert_null(untouched);
}

static void no_socket_and_one_that_nobody_serves_both_mean_no_agent(void **state)
{
	struct fixture *fixture = *state;

	assert_nobody_listens("/proc/nothing");
	close(fixture->fd);
	fixture->fd = -1;
	assert_nobody_listens(fixture->folder);
}

static void a_listener_who_is_not_root_is_not_believed(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_diag diag = {};
	json_t *untouched = NULL;
	int status = -1;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("SKIP: only root can listen as another user\n");
		skip();
	}
	/* listen(2) takes down who listens: the child does it anew, as somebody else. */
	pid = fork();
	if (pid == 0)
		_exit(setuid(65534) < 0 || listen(fixture->fd, 1) < 0);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(ask(fixture, PATIENCE_MS, &untouched, &diag), -EPERM);
	assert_non_null(strstr(diag.msg, "user 65534 listens"));
}

static void a_request_longer_than_a_message_is_refused_here(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_json_decrefp) json_t *request = NULL;
	static char text[KVG_REQUEST_MESSAGE_MAX + 1];
	struct kvg_diag diag = {};
	json_t *untouched = NULL;

	memset(text, 'x', sizeof(text) - 1);
	request = json_pack("{s:s}", "request", text);
	assert_int_equal(kvg_request_send(fixture->folder, request, PATIENCE_MS, &untouched, &diag),
			 -EMSGSIZE);
	assert_non_null(strstr(diag.msg, "65536 at most"));
}

static void a_folder_too_deep_for_a_socket_is_refused(void **state)
{
	struct kvg_diag diag = {};
	json_t *untouched = NULL;
	char deep[200];

	(void)state;
	memset(deep, '/', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(kvg_request_send(deep, NULL, PATIENCE_MS, &untouched, &diag),
			 -ENAMETOOLONG);
	assert_non_null(strstr(diag.msg, "too long"));
}

#define test(claim) cmocka_unit_test_setup_teardown(claim, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(an_answer_in_several_messages_is_put_together),
		test(what_is_no_answer_is_refused_with_the_reason),
		test(an_agent_that_ends_amid_its_answer_is_a_reset),
		test(an_agent_that_hangs_is_a_time_out),
		test(a_queue_that_is_full_is_a_time_out),
		test(no_socket_and_one_that_nobody_serves_both_mean_no_agent),
		test(a_listener_who_is_not_root_is_not_believed),
		test(a_request_longer_than_a_message_is_refused_here),
		test(a_folder_too_deep_for_a_socket_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
