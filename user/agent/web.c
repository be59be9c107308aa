// SPDX-License-Identifier: BSD-2-Clause
#include "agent/web.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <microhttpd.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "policy/explain.h"

/* Connections that were ended just now are still counted by libmicrohttpd until its next turn. */
#define SLOTS_COUNT (2 * KVG_WEB_CLIENTS_MAX)

#define BACKLOG 128

/* struct slot - one connection; @since_us is 0 if there is none, @cut if it was ended */
struct slot {
	uint64_t since_us;
	int fd;
	bool cut;
};

struct kvg_web {
	struct kvg_web_options options;
	struct MHD_Daemon *daemon;
	sd_event_source *io;
	sd_event_source *timer;
	struct slot slots[SLOTS_COUNT];
	struct kvg_web_counts counts;
};

/* --- connections ----------------------------------------------------------------------------- */

static uint64_t now_us(const struct kvg_web *web)
{
	uint64_t now = 0;

	sd_event_now(web->options.event, CLOCK_MONOTONIC, &now);
	return now ? now : 1;
}

static uint64_t deadline_us(const struct kvg_web *web)
{
	return (web->options.deadline_ms ?: KVG_WEB_DEADLINE_MS) * 1000ULL;
}

/* libmicrohttpd notices the end at its next turn, and tells on_connection(). */
static void cut(struct kvg_web *web, struct slot *slot)
{
	slot->cut = true;
	web->counts.cut++;
	shutdown(slot->fd, SHUT_RDWR);
}

/* Of those that were not cut; NULL if there is none. */
static struct slot *find_oldest(struct kvg_web *web)
{
	struct slot *oldest = NULL;

	for (size_t i = 0; i < SLOTS_COUNT; i++) {
		struct slot *slot = &web->slots[i];

		if (slot->since_us && !slot->cut && (!oldest || slot->since_us < oldest->since_us))
			oldest = slot;
	}
	return oldest;
}

static struct slot *add_slot(struct kvg_web *web, int fd)
{
	size_t i = 0;

	while (i < SLOTS_COUNT && web->slots[i].since_us)
		i++;
	if (i == SLOTS_COUNT)
		return NULL; /* libmicrohttpd has the same limit */
	if (web->counts.clients >= KVG_WEB_CLIENTS_MAX && find_oldest(web))
		cut(web, find_oldest(web));
	web->counts.clients++;
	web->slots[i] = (struct slot){.since_us = now_us(web), .fd = fd};
	return &web->slots[i];
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	struct kvg_web *web = data;
	struct slot *slot = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		*context = info ? add_slot(web, info->connect_fd) : NULL;
	} else if (slot) {
		*slot = (struct slot){};
		web->counts.clients--;
		*context = NULL;
	}
}

/* --- requests -------------------------------------------------------------------------------- */

/* One answer for a connection: what is kept open keeps a place. */
static enum MHD_Result send_answer(struct MHD_Connection *connection,
				   const struct kvg_web_answer *answer)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(strlen(answer->text), answer->text,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(answer->text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_words(struct MHD_Connection *connection, unsigned int status,
				  const char *words)
{
	const struct kvg_web_answer answer = {status, "text/plain; charset=utf-8", strdup(words)};

	return answer.text ? send_answer(connection, &answer) : MHD_NO;
}

static const struct kvg_web_row *find_row(const struct kvg_web *web, const char *path)
{
	const struct kvg_web_row *row = web->options.rows;

	while (row->path && strcmp(row->path, path) != 0)
		row++;
	return row->path ? row : NULL;
}

/* Answered before a body is read: there is nothing that one could be for. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **context)
{
	const struct kvg_web *web = data;
	const struct kvg_web_row *row = find_row(web, url);
	struct kvg_web_answer answer = {};

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)context;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return send_words(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only to be read\n");
	if (!row)
		return send_words(connection, MHD_HTTP_NOT_FOUND, "not found\n");
	if (row->run(web->options.data, &answer) < 0)
		return send_words(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "failed\n");
	return send_answer(connection, &answer);
}

/* A path is what was sent: none of ours needs an escape, and a byte 0 must not end it. */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *text)
{
	(void)data;
	(void)connection;
	return strlen(text);
}

/* --- the loop -------------------------------------------------------------------------------- */

/* The next turn: at once if libmicrohttpd has more to do, or when the oldest has had its time. */
static void arm(struct kvg_web *web)
{
	const struct slot *oldest = find_oldest(web);
	MHD_UNSIGNED_LONG_LONG wait_ms;

	if (MHD_get_timeout(web->daemon, &wait_ms) == MHD_YES)
		sd_event_source_set_time_relative(web->timer, wait_ms * 1000ULL);
	else if (oldest)
		sd_event_source_set_time(web->timer, oldest->since_us + deadline_us(web));
	else
		return;
	sd_event_source_set_enabled(web->timer, SD_EVENT_ONESHOT);
}

static void turn(struct kvg_web *web)
{
	struct slot *oldest;

	while ((oldest = find_oldest(web)) && oldest->since_us + deadline_us(web) <= now_us(web))
		cut(web, oldest);
	MHD_run(web->daemon);
	arm(web);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	turn(userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	turn(userdata);
	return 0;
}

/* The watch, the record and the control socket come first. */
static int add_sources(struct kvg_web *web)
{
	const union MHD_DaemonInfo *info;
	int r;

	info = MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -ENOTSUP;
	r = sd_event_add_io(web->options.event, &web->io, info->epoll_fd, EPOLLIN, on_io, web);
	if (r >= 0)
		r = sd_event_source_set_priority(web->io, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_source_set_ratelimit(web->io, 1000000, KVG_WEB_TURNS_PER_SECOND);
	if (r >= 0)
		r = sd_event_add_time(web->options.event, &web->timer, CLOCK_MONOTONIC, 0, 0,
				      on_timer, web);
	if (r >= 0)
		r = sd_event_source_set_priority(web->timer, SD_EVENT_PRIORITY_IDLE);
	return r < 0 ? r : sd_event_source_set_enabled(web->timer, SD_EVENT_OFF);
}

/* --- opening --------------------------------------------------------------------------------- */

/* Return: its size */
static socklen_t make_address(const struct kvg_destination *where, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)ret;

	*ret = (struct sockaddr_storage){.ss_family = where->address.family};
	if (where->address.family == AF_INET) {
		ipv4->sin_port = where->service.port;
		memcpy(&ipv4->sin_addr, where->address.addr, sizeof(ipv4->sin_addr));
		return sizeof(*ipv4);
	}
	ipv6->sin6_port = where->service.port;
	memcpy(&ipv6->sin6_addr, where->address.addr, sizeof(ipv6->sin6_addr));
	return sizeof(*ipv6);
}

static int listen_at(const char *text, int *ret)
{
	KVG_CLEANUP(kvg_closep) int fd = -1;
	struct sockaddr_storage address;
	struct kvg_destination where;
	const int on = 1, off = 0;
	socklen_t size;

	if (kvg_destination_parse(text, &where, NULL) < 0)
		return -EINVAL;
	size = make_address(&where, &address);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* The agent before may have left connections that end; two listeners this does not allow. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (address.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	*ret = KVG_TAKE_FD(fd);
	return 0;
}

static int start(struct kvg_web *web)
{
	KVG_CLEANUP(kvg_closep) int fd = -1;
	int r;

	r = listen_at(web->options.listen, &fd);
	if (r < 0)
		return r;
	web->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, web, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)SLOTS_COUNT,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)KVG_WEB_REQUEST_MAX,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, web, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_escapes, NULL, MHD_OPTION_END);
	if (!web->daemon)
		return -ENOMEM;
	fd = -1; /* the daemon's */
	return add_sources(web);
}

int kvg_web_open(const struct kvg_web_options *options, struct kvg_web **ret,
		 struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_web_closep) struct kvg_web *web = calloc(1, sizeof(*web));
	int r = -ENOMEM;

	if (web) {
		web->options = *options;
		r = start(web);
		web->options.listen = NULL;
	}
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot listen at %s: %s", options->listen,
				    strerror(-r));
	*ret = KVG_TAKE_PTR(web);
	return 0;
}

void kvg_web_counts(const struct kvg_web *web, struct kvg_web_counts *ret)
{
	*ret = web->counts;
}

struct kvg_web *kvg_web_close(struct kvg_web *web)
{
	if (!web)
		return NULL;
	sd_event_source_disable_unref(web->io);
	sd_event_source_disable_unref(web->timer);
	if (web->daemon)
		MHD_stop_daemon(web->daemon);
	free(web);
	return NULL;
}

void kvg_web_closep(struct kvg_web **web)
{
	kvg_web_close(*web);
}
