// SPDX-License-Identifier: BSD-2-Clause
#include "discover/request.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ranges/json.h"

/* struct exchange - a request on its way */
struct exchange {
	struct sockaddr_un address;
	int fd;
	long long deadline_us;
	unsigned int timeout_ms;
	struct kvg_diag *diag;
};

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int kvg_request_path(const char *run_dir, char *ret, size_t size)
{
	int len = snprintf(ret, size, "%s/" KVG_REQUEST_SOCKET, run_dir);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

/* What is left of the time, for one call that waits; none left is a time-out of that call. */
static int limit(const struct exchange *on, int option)
{
	long long left = on->deadline_us - now_us();
	struct timeval time;

	if (left <= 0)
		return -ETIMEDOUT;
	time.tv_sec = left / 1000000;
	time.tv_usec = left % 1000000 + 1; /* zero would mean for ever */
	return setsockopt(on->fd, SOL_SOCKET, option, &time, sizeof(time)) < 0 ? -errno : 0;
}

static int fail(const struct exchange *on, int error)
{
	const char *path = on->address.sun_path;

	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		return kvg_diag_set(on->diag, -ECONNREFUSED, "no agent listens on %s", path);
	case -EAGAIN:
	case -EINPROGRESS:
	case -ETIMEDOUT:
		return kvg_diag_set(on->diag, -ETIMEDOUT,
				    "the agent on %s does not answer within %u ms", path,
				    on->timeout_ms);
	case -EPIPE:
	case -ECONNRESET:
		return kvg_diag_set(on->diag, -ECONNRESET,
				    "the agent on %s ended before it answered", path);
	default:
		return kvg_diag_set(on->diag, error, "%s: %s", path, strerror(-error));
	}
}

/* Whoever may write to the run-dir could listen there; only root decides what is gated. */
static int check_peer(const struct exchange *on)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(on->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return fail(on, -errno);
	if (peer.uid == 0 || peer.uid == geteuid())
		return 0;
	return kvg_diag_set(on->diag, -EPERM, "user %u listens on %s, who is not root", peer.uid,
			    on->address.sun_path);
}

static int dial(struct exchange *on)
{
	int r;

	on->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (on->fd < 0)
		return fail(on, -errno);
	r = limit(on, SO_SNDTIMEO);
	if (r == 0 && connect(on->fd, (struct sockaddr *)&on->address, sizeof(on->address)) < 0)
		r = -errno;
	return r < 0 ? fail(on, r) : check_peer(on);
}

static int say(const struct exchange *on, const json_t *request)
{
	KVG_CLEANUP(kvg_freep) char *text = json_dumps(request, JSON_COMPACT);
	size_t size = text ? strlen(text) : 0;
	int r;

	if (!text)
		return kvg_diag_set(on->diag, -ENOMEM, "out of memory");
	if (size > KVG_REQUEST_MESSAGE_MAX)
		return kvg_diag_set(on->diag, -EMSGSIZE, "a request of %zu bytes, %zu at most",
				    size, KVG_REQUEST_MESSAGE_MAX);
	r = limit(on, SO_SNDTIMEO);
	if (r == 0 && send(on->fd, text, size, MSG_NOSIGNAL) < 0)
		r = -errno;
	/* It may have said why it hangs up: that is still to be read. */
	return r < 0 && r != -EPIPE ? fail(on, r) : 0;
}

/* One message more, to the end of *text; the last one ends in a newline. */
static int hear(const struct exchange *on, char **text, size_t *size)
{
	char *more = *size + KVG_REQUEST_MESSAGE_MAX > KVG_REQUEST_ANSWER_MAX
			     ? NULL
			     : realloc(*text, *size + KVG_REQUEST_MESSAGE_MAX);
	ssize_t got;
	int r;

	if (!more)
		return kvg_diag_set(on->diag, *size < KVG_REQUEST_ANSWER_MAX / 2 ? -ENOMEM : -EFBIG,
				    "no memory for the agent's answer of over %zu bytes", *size);
	*text = more;
	r = limit(on, SO_RCVTIMEO);
	if (r < 0)
		return fail(on, r);
	got = recv(on->fd, *text + *size, KVG_REQUEST_MESSAGE_MAX, 0);
	if (got <= 0)
		return fail(on, got < 0 ? -errno : -ECONNRESET);
	*size += got;
	return 0;
}

static int understand(const struct exchange *on, const char *text, size_t size, json_t **ret)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *answer = NULL;
	struct kvg_diag diag = {0};
	int r = kvg_json_load(text, size, &answer, &diag);

	if (r == 0 && !json_is_object(answer))
		r = kvg_diag_set(&diag, -EINVAL, "it is %s",
				 kvg_json_type_words(json_typeof(answer)));
	if (r < 0)
		return kvg_diag_set(on->diag, r == -ENOMEM ? r : -EPROTO,
				    "the agent on %s gave no answer: %s", on->address.sun_path,
				    diag.msg);
	*ret = KVG_TAKE_PTR(answer);
	return 0;
}

static int converse(struct exchange *on, const json_t *request, json_t **ret)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size = 0;
	int r = dial(on);

	if (r == 0)
		r = say(on, request);
	do {
		if (r == 0)
			r = hear(on, &text, &size);
	} while (r == 0 && text[size - 1] != '\n');
	return r < 0 ? r : understand(on, text, size, ret);
}

static int begin(struct exchange *on, const char *run_dir, unsigned int timeout_ms,
		 struct kvg_diag *reterr_diag)
{
	int r;

	*on = (struct exchange){
		.address.sun_family = AF_UNIX,
		.fd = -1,
		.deadline_us = now_us() + timeout_ms * 1000LL,
		.timeout_ms = timeout_ms,
		.diag = reterr_diag,
	};
	r = kvg_request_path(run_dir, on->address.sun_path, sizeof(on->address.sun_path));
	return r < 0 ? kvg_diag_set(reterr_diag, r, "%s: too long for a socket's path", run_dir)
		     : 0;
}

int kvg_request_send(const char *run_dir, const json_t *request, unsigned int timeout_ms,
		     json_t **ret, struct kvg_diag *reterr_diag)
{
	struct exchange exchange;
	int r = begin(&exchange, run_dir, timeout_ms, reterr_diag);

	if (r == 0)
		r = converse(&exchange, request, ret);
	kvg_closep(&exchange.fd);
	return r;
}

static int lift_limit(const struct exchange *on)
{
	static const struct timeval none;

	return setsockopt(on->fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none)) < 0
		       ? fail(on, -errno)
		       : 0;
}

int kvg_request_stay(const char *run_dir, const json_t *request, unsigned int timeout_ms,
		     int *ret_fd, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *answer = NULL;
	struct exchange exchange;
	const char *problem;
	int r = begin(&exchange, run_dir, timeout_ms, reterr_diag);

	if (r == 0)
		r = converse(&exchange, request, &answer);
	problem = json_string_value(json_object_get(answer, "problem"));
	if (r == 0 && problem)
		r = kvg_diag_set(reterr_diag, -EREMOTEIO, "%s", problem);
	if (r == 0)
		r = lift_limit(&exchange);
	if (r == 0)
		*ret_fd = KVG_TAKE_FD(exchange.fd);
	kvg_closep(&exchange.fd);
	return r;
}
