// SPDX-License-Identifier: BSD-2-Clause
/* The server's side of the control socket; test_request.c is about the other one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <systemd/sd-event.h>

#include "agent/control.h"
#include "base/cleanup.h"
#include "discover/request.h"
#include "folder.h"
#include "ranges/json.h"

#define LONG_ANSWER 1000000
#define TURN_US     20000

/* struct fixture - a server in a folder of its own */
struct fixture {
	char *folder;
	sd_event *event;
	struct kvg_control *control;
	unsigned int ran;
	int taken;
};

static json_t *run_echo(void *data, const json_t *request)
{
	struct fixture *fixture = data;

	fixture->ran++;
	return json_pack("{s:s, s:O*}", "result", "echo", "said", json_object_get(request, "say"));
}

static json_t *run_long(void *data, const json_t *request)
{
	KVG_CLEANUP(kvg_freep) char *text = malloc(LONG_ANSWER);

	(void)data;
	(void)request;
	memset(text, 'x', LONG_ANSWER);
	return json_pack("{s:s%}", "text", text, (size_t)LONG_ANSWER);
}

static json_t *run_none(void *data, const json_t *request)
{
	(void)data;
	(void)request;
	return NULL;
}

/* Keeps the connection, and says so over it; "no" is refused. */
static int take(void *data, const json_t *request, int fd, struct kvg_diag *reterr_diag)
{
	struct fixture *fixture = data;

	if (json_object_get(request, "no"))
		return kvg_diag_set(reterr_diag, -EBUSY, "no room");
	assert_int_equal(send(fd, "taken", 5, MSG_DONTWAIT), 5);
	fixture->taken = fd;
	return 0;
}

static const struct kvg_control_row rows[] = {
	{.request = "echo", .run = run_echo},
	{.request = "long", .run = run_long},
	{.request = "none", .run = run_none},
	{.request = "take", .take = take},
	{},
};

static void open_control(struct fixture *fixture, unsigned int idle_ms)
{
	const struct kvg_control_options options = {
		.run_dir = fixture->folder,
		.event = fixture->event,
		.rows = rows,
		.data = fixture,
		.idle_ms = idle_ms,
	};

	assert_int_equal(kvg_control_open(&options, &fixture->control, NULL), 0);
}

static int make(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (folder_make((void **)&fixture->folder) < 0 || sd_event_new(&fixture->event) < 0)
		return -1;
	*state = fixture;
	open_control(fixture, 0);
	return 0;
}

static int unmake(void **state)
{
	struct fixture *fixture = *state;
	int r;

	kvg_control_close(fixture->control);
	sd_event_unref(fixture->event);
	r = folder_remove((void **)&fixture->folder);
	free(fixture);
	return r;
}

/* Until nothing happens any more. */
static void turn(struct fixture *fixture)
{
	while (sd_event_run(fixture->event, TURN_US) > 0)
		;
}

static struct kvg_control_counts counts(struct fixture *fixture)
{
	struct kvg_control_counts ret;

	kvg_control_counts(fixture->control, &ret);
	return ret;
}

static int dial(const struct fixture *fixture)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_int_equal(
		kvg_request_path(fixture->folder, address.sun_path, sizeof(address.sun_path)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *message)
{
	assert_int_equal(send(fd, message, strlen(message), MSG_NOSIGNAL), strlen(message));
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

static void assert_failed(struct fixture *fixture, int fd, const char *message, const char *problem)
{
	const char *answer;

	say(fd, message);
	turn(fixture);
	answer = hear(fd);
	if (!strstr(answer, "\"result\":\"failed\"") || !strstr(answer, problem))
		fail_msg("'%s' was answered by '%s', not '%s'", message, answer, problem);
}

static void a_request_is_answered_by_its_row(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	say(fd, "{\"request\":\"echo\",\"say\":[1,\"two\"]}");
	turn(fixture);
	assert_string_equal(hear(fd), "{\"result\":\"echo\",\"said\":[1,\"two\"]}\n");
	assert_int_equal(counts(fixture).answered, 1);
}

static void requests_of_one_client_are_answered_in_their_order(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	say(fd, "{\"request\":\"echo\",\"say\":1}");
	say(fd, "{\"request\":\"echo\",\"say\":2}");
	turn(fixture);
	assert_string_equal(hear(fd), "{\"result\":\"echo\",\"said\":1}\n");
	assert_string_equal(hear(fd), "{\"result\":\"echo\",\"said\":2}\n");
}

static void what_is_no_request_is_answered_and_the_next_one_heard(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	assert_failed(fixture, fd, "{\"request\":", "broken JSON");
	assert_failed(fixture, fd, "\x80\xff", "broken JSON");
	assert_failed(fixture, fd, "[\"request\"]", "expected an object");
	assert_failed(fixture, fd, "\"echo\"", "broken JSON");
	assert_failed(fixture, fd, "{}", "expected an object");
	assert_failed(fixture, fd, "{\"request\":7}", "expected an object");
	assert_failed(fixture, fd, "{\"request\":\"echo\",\"request\":\"none\"}", "duplicate");
	assert_failed(fixture, fd, "{\"request\":\"reboot\"}", "unknown request \\\"reboot\\\"");
	assert_failed(fixture, fd, "{\"request\":\"\"}", "unknown request");
	assert_int_equal(fixture->ran, 0);
	assert_int_equal(counts(fixture).broken, 9);

	say(fd, "{\"request\":\"echo\"}");
	turn(fixture);
	assert_string_equal(hear(fd), "{\"result\":\"echo\"}\n");
}

static void depth_that_would_exhaust_the_stack_is_refused(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);
	char message[60001];

	memset(message, '[', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	assert_failed(fixture, fd, message, "nested deeper");
}

static void a_message_of_64_KiB_is_heard_and_a_longer_one_refused(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);
	char message[KVG_REQUEST_MESSAGE_MAX + 2];

	memset(message, ' ', sizeof(message));
	memcpy(message, "{\"request\":\"none\"}", 18);
	message[KVG_REQUEST_MESSAGE_MAX] = '\0';
	assert_failed(fixture, fd, message, "out of memory");

	message[KVG_REQUEST_MESSAGE_MAX] = ' ';
	message[KVG_REQUEST_MESSAGE_MAX + 1] = '\0';
	assert_failed(fixture, fd, message, "longer than 64 KiB");
}

static void a_handler_without_an_answer_is_a_failure(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	assert_failed(fixture, fd, "{\"request\":\"none\"}", "out of memory");
}

static void an_empty_message_ends_the_connection(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	assert_int_equal(send(fd, "", 0, MSG_NOSIGNAL), 0);
	turn(fixture);
	assert_string_equal(hear(fd), "end");
	assert_int_equal(counts(fixture).clients, 0);
}

static void who_takes_no_answer_holds_up_nobody(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int slow = dial(fixture);
	KVG_CLEANUP(kvg_closep) int other = dial(fixture);
	size_t size = 0;
	const char *text = "";

	say(slow, "{\"request\":\"long\"}");
	say(slow, "{\"request\":\"echo\"}"); /* after that, and not before */
	turn(fixture);
	say(other, "{\"request\":\"echo\"}");
	turn(fixture);
	assert_string_equal(hear(other), "{\"result\":\"echo\"}\n");
	assert_int_equal(counts(fixture).answered, 2);

	while (!strchr(text, '\n')) {
		text = hear(slow);
		size += strlen(text);
		turn(fixture);
	}
	assert_int_equal(size, strlen("{\"text\":\"\"}\n") + LONG_ANSWER);
	assert_string_equal(hear(slow), "{\"result\":\"echo\"}\n");
}

static void who_goes_without_its_answer_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	int fd = dial(fixture);

	say(fd, "{\"request\":\"long\"}");
	turn(fixture);
	close(fd);
	turn(fixture);
	assert_int_equal(counts(fixture).clients, 0);
}

static void beyond_the_most_clients_others_wait_for_their_turn(void **state)
{
	struct fixture *fixture = *state;
	int fds[KVG_CONTROL_CLIENTS_MAX + 10];
	size_t count = KVG_ARRAY_SIZE(fds);

	for (size_t i = 0; i < count; i++) {
		fds[i] = dial(fixture);
		say(fds[i], "{\"request\":\"echo\"}");
	}
	turn(fixture);
	assert_int_equal(counts(fixture).clients, KVG_CONTROL_CLIENTS_MAX);
	assert_string_equal(hear(fds[count - 11]), "{\"result\":\"echo\"}\n");
	assert_string_equal(hear(fds[count - 10]), "");

	for (size_t i = 0; i < 10; i++)
		close(fds[i]);
	turn(fixture);
	for (size_t i = count - 10; i < count; i++)
		assert_string_equal(hear(fds[i]), "{\"result\":\"echo\"}\n");
	for (size_t i = 10; i < count; i++)
		close(fds[i]);
	turn(fixture);
	assert_int_equal(counts(fixture).clients, 0);
}

static void who_says_nothing_is_dropped(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = -1;

	kvg_control_close(fixture->control);
	open_control(fixture, 1);
	fd = dial(fixture);
	turn(fixture);
	assert_string_equal(hear(fd), "end");
	assert_int_equal(counts(fixture).idle, 1);
	assert_int_equal(counts(fixture).clients, 0);
}

/* In a child: what another user gets; exit status 0 if that is a refusal. */
static void be_another_user(const struct fixture *fixture)
{
	const char *text;
	int fd;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		_exit(1);
	fd = dial(fixture);
	send(fd, "{\"request\":\"echo\"}", 18, MSG_NOSIGNAL);
	do
		text = hear(fd);
	while (!*text);
	_exit(strstr(text, "\"result\":\"refused\"") ? 0 : 2);
}

static void another_user_is_refused_and_counted(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_freep) char *path = folder_path((void **)&fixture->folder, "control");
	int status = -1;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("SKIP: only root can be another user\n");
		skip();
	}
	assert_int_equal(chmod(fixture->folder, 0755), 0);
	assert_int_equal(chmod(path, 0666), 0);
	pid = fork();
	if (pid == 0)
		be_another_user(fixture);
	while (waitpid(pid, &status, WNOHANG) == 0)
		sd_event_run(fixture->event, TURN_US);
	assert_int_equal(status, 0);
	assert_int_equal(counts(fixture).refused, 1);
	assert_int_equal(fixture->ran, 0);
	assert_int_equal(counts(fixture).clients, 0);
}

static void the_socket_is_its_owners_alone(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_freep) char *path = folder_path((void **)&fixture->folder, "control");
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
}

static void the_socket_of_a_killed_agent_is_replaced(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_control *first = KVG_TAKE_PTR(fixture->control);
	KVG_CLEANUP(kvg_closep) int fd = -1;

	open_control(fixture, 0);
	fd = dial(fixture);
	say(fd, "{\"request\":\"echo\"}");
	turn(fixture);
	assert_int_equal(counts(fixture).answered, 1);
	kvg_control_close(first);
}

static void closing_drops_the_clients_and_removes_the_socket(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_freep) char *path = folder_path((void **)&fixture->folder, "control");
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	turn(fixture);
	fixture->control = kvg_control_close(fixture->control);
	assert_string_equal(hear(fd), "end");
	assert_int_equal(access(path, F_OK), -1);
}

static void a_folder_that_cannot_hold_a_socket_is_refused_by_name(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_control_options options = {.event = fixture->event, .rows = rows};
	struct kvg_control *untouched = NULL;
	struct kvg_diag diag = {};
	char deep[120] = "/tmp";

	while (strlen(deep) < 110)
		strcat(deep, "/.");
	options.run_dir = deep;
	assert_int_equal(kvg_control_open(&options, &untouched, &diag), -ENAMETOOLONG);
	assert_non_null(strstr(diag.msg, "/tmp/./."));
	options.run_dir = "/proc/nothing";
	assert_int_equal(kvg_control_open(&options, &untouched, &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "/proc/nothing"));
	assert_null(untouched);
}

static void a_problem_that_is_no_text_is_still_an_answer(void **state)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *answer = kvg_control_answer("failed", "\xff");
	KVG_CLEANUP(kvg_json_decrefp) json_t *plain = kvg_control_answer("none", NULL);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(answer, "result")), "failed");
	assert_true(json_string_length(json_object_get(answer, "problem")) > 0);
	assert_int_equal(json_object_size(plain), 1);
}

#define test(claim) cmocka_unit_test_setup_teardown(claim, make, unmake)

static void a_connection_that_is_taken_over_is_no_client_any_more(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_closep) int fd = dial(fixture);

	assert_failed(fixture, fd, "{\"request\":\"take\",\"no\":1}", "no room");
	assert_int_equal(counts(fixture).clients, 1);
	say(fd, "{\"request\":\"take\"}");
	turn(fixture);
	assert_string_equal(hear(fd), "taken");
	assert_int_equal(counts(fixture).clients, 0);

	fixture->control = kvg_control_close(fixture->control);
	assert_int_equal(send(fixture->taken, "still", 5, MSG_DONTWAIT), 5);
	assert_string_equal(hear(fd), "still");
	close(fixture->taken);
	assert_string_equal(hear(fd), "end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_request_is_answered_by_its_row),
		test(requests_of_one_client_are_answered_in_their_order),
		test(what_is_no_request_is_answered_and_the_next_one_heard),
		test(depth_that_would_exhaust_the_stack_is_refused),
		test(a_message_of_64_KiB_is_heard_and_a_longer_one_refused),
		test(a_handler_without_an_answer_is_a_failure),
		test(an_empty_message_ends_the_connection),
		test(who_takes_no_answer_holds_up_nobody),
		test(who_goes_without_its_answer_leaves_nothing),
		test(beyond_the_most_clients_others_wait_for_their_turn),
		test(who_says_nothing_is_dropped),
		test(another_user_is_refused_and_counted),
		test(the_socket_is_its_owners_alone),
		test(the_socket_of_a_killed_agent_is_replaced),
		test(closing_drops_the_clients_and_removes_the_socket),
		test(a_folder_that_cannot_hold_a_socket_is_refused_by_name),
		test(a_problem_that_is_no_text_is_still_an_answer),
		test(a_connection_that_is_taken_over_is_no_client_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
