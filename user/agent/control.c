// SPDX-License-Identifier: BSD-2-Clause
#include "agent/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "discover/request.h"
#include "ranges/json.h"

/* Connections taken in a second: where descriptors have run out, the loop must not spin on one. */
#define ACCEPTS_MAX 1000

/* struct client - one connection; @out is what it has not taken yet of an answer */
struct client {
	struct kvg_control *control;
	struct client *next;
	int fd;
	sd_event_source *io;
	sd_event_source *timer;
	char *out;
	size_t out_size;
	size_t out_done;
};

struct kvg_control {
	struct kvg_control_options options;
	struct sockaddr_un address;
	uint64_t idle_us;
	int fd;
	bool bound;
	sd_event_source *io;
	struct client *clients;
	struct kvg_control_counts counts;
	char message[KVG_REQUEST_MESSAGE_MAX + 1]; /* one byte more tells a longer one */
};

json_t *kvg_control_answer(const char *result, const char *problem)
{
	json_t *text = problem ? json_string(problem) : NULL;

	if (problem && !text) /* a name in it is no UTF-8, or memory ran out */
		text = json_string("it cannot be said in UTF-8");
	return json_pack("{s:s, s:o*}", "result", result, "problem", text);
}

/* --- clients --------------------------------------------------------------------------------- */

/* Frees it; those who wait to be accepted are let in. */
static void drop(struct client *client)
{
	struct kvg_control *control = client->control;
	struct client **at = &control->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	if (control->counts.clients-- == KVG_CONTROL_CLIENTS_MAX && control->io)
		sd_event_source_set_enabled(control->io, SD_EVENT_ON);
	sd_event_source_disable_unref(client->io);
	sd_event_source_disable_unref(client->timer);
	free(client->out);
	close(client->fd);
	free(client);
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct client *client = userdata;

	(void)source;
	(void)usec;
	client->control->counts.idle++;
	drop(client);
	return 0;
}

/* Something moved: its time starts anew. */
static int touch(struct client *client)
{
	return sd_event_source_set_time_relative(client->timer, client->control->idle_us);
}

/* Sends what the client's buffer takes; Return: 0, or a negative errno: it is to be dropped */
static int flush_out(struct client *client)
{
	while (client->out_done < client->out_size) {
		size_t left = client->out_size - client->out_done;
		size_t size = left < KVG_REQUEST_MESSAGE_MAX ? left : KVG_REQUEST_MESSAGE_MAX;
		ssize_t sent = send(client->fd, client->out + client->out_done, size,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EAGAIN)
			return sd_event_source_set_io_events(client->io, EPOLLOUT);
		if (sent < 0)
			return -errno;
		client->out_done += sent;
	}
	free(KVG_TAKE_PTR(client->out));
	client->out_size = 0;
	client->out_done = 0;
	return sd_event_source_set_io_events(client->io, EPOLLIN);
}

/* Takes @answer over. */
static int reply(struct client *client, json_t *answer)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *owned = answer;
	size_t size = owned ? json_dumpb(owned, NULL, 0, JSON_COMPACT) : 0;

	client->out = size ? malloc(size + 1) : NULL;
	if (!client->out)
		return -ENOMEM;
	json_dumpb(owned, client->out, size, JSON_COMPACT);
	client->out[size] = '\n';
	client->out_size = size + 1;
	return flush_out(client);
}

static int reply_broken(struct client *client, const char *problem)
{
	client->control->counts.broken++;
	return reply(client, kvg_control_answer("failed", problem));
}

static int reply_unknown(struct client *client, const char *request)
{
	struct kvg_diag diag = {0};

	kvg_diag_set(&diag, 0, "unknown request \"%.64s\"", request);
	return reply_broken(client, diag.msg);
}

static int run_handler(struct client *client, const struct kvg_control_row *row,
		       const json_t *request)
{
	json_t *answer = row->run(client->control->options.data, request);

	client->control->counts.answered++;
	return reply(client, answer ? answer : kvg_control_answer("failed", "out of memory"));
}

/* A copy of the descriptor: epoll knows this client by the first one. */
static int hand_over(struct client *client, const struct kvg_control_row *row,
		     const json_t *request)
{
	KVG_CLEANUP(kvg_closep) int fd = fcntl(client->fd, F_DUPFD_CLOEXEC, 3);
	struct kvg_diag diag = {0};
	int r;

	client->control->counts.answered++;
	if (fd < 0)
		return reply(client, kvg_control_answer("failed", strerror(errno)));
	r = row->take(client->control->options.data, request, fd, &diag);
	if (r < 0)
		return reply(client, kvg_control_answer("failed", diag.msg));
	fd = -1; /* the taker's */
	return -ESHUTDOWN;
}

static int handle(struct client *client, const char *message, size_t size)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *request = NULL;
	const struct kvg_control_row *row = client->control->options.rows;
	struct kvg_diag diag = {0};
	const char *name;

	if (size > KVG_REQUEST_MESSAGE_MAX)
		return reply_broken(client, "the request is longer than 64 KiB");
	if (kvg_json_load(message, size, &request, &diag) < 0)
		return reply_broken(client, diag.msg);
	name = json_string_value(json_object_get(request, "request"));
	if (!name)
		return reply_broken(client, "expected an object with \"request\", the name of one");
	while (row->request && strcmp(row->request, name) != 0)
		row++;
	if (!row->request)
		return reply_unknown(client, name);
	return row->take ? hand_over(client, row, request) : run_handler(client, row, request);
}

/* An empty message and the end look the same; either ends it. */
static int take_message(struct client *client)
{
	struct kvg_control *control = client->control;
	ssize_t size = recv(client->fd, control->message, sizeof(control->message), MSG_DONTWAIT);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return size ? handle(client, control->message, size) : -ECONNRESET;
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct client *client = userdata;
	int r;

	(void)source;
	(void)fd;
	if (events & EPOLLOUT)
		r = flush_out(client);
	else if (events & EPOLLIN)
		r = take_message(client);
	else
		r = -ECONNRESET;
	if (r == 0)
		r = touch(client);
	if (r < 0)
		drop(client);
	return 0;
}

/* --- the socket ------------------------------------------------------------------------------ */

static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void refuse(struct kvg_control *control, int fd)
{
	static const char answer[] =
		"{\"result\":\"refused\",\"problem\":\"the agent answers root only\"}\n";

	control->counts.refused++;
	send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* Closed with a request unread, it would be a reset that hides the answer. */
	recv(fd, control->message, sizeof(control->message), MSG_DONTWAIT);
}

static int add_client(struct kvg_control *control, int fd)
{
	sd_event *event = control->options.event;
	struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	client->control = control;
	client->fd = fd;
	client->next = control->clients;
	control->clients = client;
	if (++control->counts.clients == KVG_CONTROL_CLIENTS_MAX)
		sd_event_source_set_enabled(control->io, SD_EVENT_OFF);

	r = sd_event_add_io(event, &client->io, fd, EPOLLIN, on_client, client);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &client->timer, CLOCK_MONOTONIC,
					       control->idle_us, 0, on_idle, client);
	if (r < 0)
		drop(client);
	return 0;
}

/* A connection that cannot be served is closed; its other end fails at once, not by its time-out. */
static int on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct kvg_control *control = userdata;
	KVG_CLEANUP(kvg_closep)
	int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	if (client_fd < 0)
		return 0;
	if (!may_ask(client_fd))
		refuse(control, client_fd);
	else if (add_client(control, client_fd) == 0)
		client_fd = -1; /* the client's */
	return 0;
}

/* Under another name until it listens: whoever finds the socket is answered. */
static int bind_and_listen(struct kvg_control *control)
{
	struct sockaddr_un unnamed = control->address;
	size_t len = strlen(unnamed.sun_path);

	if (len + sizeof(".new") > sizeof(unnamed.sun_path))
		return -ENAMETOOLONG;
	strcpy(unnamed.sun_path + len, ".new");
	if (unlink(unnamed.sun_path) < 0 && errno != ENOENT)
		return -errno;
	control->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0 || fchmod(control->fd, 0600) < 0 || /* bind(2) takes the mode over */
	    bind(control->fd, (struct sockaddr *)&unnamed, sizeof(unnamed)) < 0 ||
	    listen(control->fd, SOMAXCONN) < 0)
		return -errno;
	if (rename(unnamed.sun_path, control->address.sun_path) < 0)
		return -errno;
	control->bound = true;
	return 0;
}

static int start(struct kvg_control *control, struct kvg_diag *reterr_diag)
{
	const char *run_dir = control->options.run_dir;
	char *path = control->address.sun_path;
	int r;

	if (mkdir(run_dir, 0755) < 0 && errno != EEXIST)
		return kvg_diag_set(reterr_diag, -errno, "cannot make %s: %s", run_dir,
				    strerror(errno));
	r = kvg_request_path(run_dir, path, sizeof(control->address.sun_path));
	if (r == 0)
		r = bind_and_listen(control);
	if (r == 0)
		r = sd_event_add_io(control->options.event, &control->io, control->fd, EPOLLIN,
				    on_connection, control);
	if (r >= 0)
		r = sd_event_source_set_ratelimit(control->io, 1000000, ACCEPTS_MAX);
	return r < 0 ? kvg_diag_set(reterr_diag, r, "cannot listen on %s: %s", path, strerror(-r))
		     : 0;
}

int kvg_control_open(const struct kvg_control_options *options, struct kvg_control **ret,
		     struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_control_closep) struct kvg_control *control = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	control->options = *options;
	control->idle_us = (options->idle_ms ? options->idle_ms : KVG_CONTROL_IDLE_MS) * 1000ULL;
	control->address.sun_family = AF_UNIX;
	control->fd = -1;
	r = start(control, reterr_diag);
	if (r < 0)
		return r;
	*ret = KVG_TAKE_PTR(control);
	return 0;
}

void kvg_control_counts(const struct kvg_control *control, struct kvg_control_counts *ret)
{
	*ret = control->counts;
}

struct kvg_control *kvg_control_close(struct kvg_control *control)
{
	if (!control)
		return NULL;
	control->io = sd_event_source_disable_unref(control->io);
	if (control->bound)
		unlink(control->address.sun_path);
	while (control->clients)
		drop(control->clients);
	kvg_closep(&control->fd);
	free(control);
	return NULL;
}

void kvg_control_closep(struct kvg_control **control)
{
	kvg_control_close(*control);
}
