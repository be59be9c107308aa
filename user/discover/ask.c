// SPDX-License-Identifier: BSD-2-Clause
#include "discover/ask.h"

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

/* struct ask - one question on its way */
struct ask {
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

int kvg_ask_path(const char *run_dir, char *ret, size_t size)
{
	int len = snprintf(ret, size, "%s/" KVG_ASK_SOCKET, run_dir);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

/* What is left of the time, for one call that waits; none left is a time-out of that call. */
static int limit(const struct ask *ask, int option)
{
	long long left = ask->deadline_us - now_us();
	struct timeval time;

	if (left <= 0)
		return -ETIMEDOUT;
	time.tv_sec = left / 1000000;
	time.tv_usec = left % 1000000 + 1; /* zero would mean for ever */
	return setsockopt(ask->fd, SOL_SOCKET, option, &time, sizeof(time)) < 0 ? -errno : 0;
}

static int fail(const struct ask *ask, int error)
{
	const char *path = ask->address.sun_path;

	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		return kvg_diag_set(ask->diag, -ECONNREFUSED, "no agent listens on %s", path);
	case -EAGAIN:
	case -EINPROGRESS:
	case -ETIMEDOUT:
		return kvg_diag_set(ask->diag, -ETIMEDOUT,
				    "the agent on %s does not answer within %u ms", path,
				    ask->timeout_ms);
	case -EPIPE:
	case -ECONNRESET:
		return kvg_diag_set(ask->diag, -ECONNRESET,
				    "the agent on %s ended before it answered", path);
	default:
		return kvg_diag_set(ask->diag, error, "%s: %s", path, strerror(-error));
	}
}

/* Whoever may write to the run-dir could listen there; only root decides what is gated. */
static int check_peer(const struct ask *ask)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(ask->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return fail(ask, -errno);
	if (peer.uid == 0 || peer.uid == geteuid())
		return 0;
	return kvg_diag_set(ask->diag, -EPERM, "user %u listens on %s, who is not root", peer.uid,
			    ask->address.sun_path);
}

static int dial(struct ask *ask)
{
	int r;

	ask->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (ask->fd < 0)
		return fail(ask, -errno);
	r = limit(ask, SO_SNDTIMEO);
	if (r == 0 && connect(ask->fd, (struct sockaddr *)&ask->address, sizeof(ask->address)) < 0)
		r = -errno;
	return r < 0 ? fail(ask, r) : check_peer(ask);
}

static int say(const struct ask *ask, const json_t *request)
{
	KVG_CLEANUP(kvg_freep) char *text = json_dumps(request, JSON_COMPACT);
	size_t size = text ? strlen(text) : 0;
	int r;

	if (!text)
		return kvg_diag_set(ask->diag, -ENOMEM, "out of memory");
	if (size > KVG_ASK_MESSAGE_MAX)
		return kvg_diag_set(ask->diag, -EMSGSIZE, "a request of %zu bytes, %zu at most",
				    size, KVG_ASK_MESSAGE_MAX);
	r = limit(ask, SO_SNDTIMEO);
	if (r == 0 && send(ask->fd, text, size, MSG_NOSIGNAL) < 0)
		r = -errno;
	/* It may have said why it hangs up: that is still to be read. */
	return r < 0 && r != -EPIPE ? fail(ask, r) : 0;
}

/* One message more, to the end of *text; the last one ends in a newline. */
static int hear(const struct ask *ask, char **text, size_t *size)
{
	char *more = *size + KVG_ASK_MESSAGE_MAX > KVG_ASK_ANSWER_MAX
			     ? NULL
			     : realloc(*text, *size + KVG_ASK_MESSAGE_MAX);
	ssize_t got;
	int r;

	if (!more)
		return kvg_diag_set(ask->diag, *size < KVG_ASK_ANSWER_MAX / 2 ? -ENOMEM : -EFBIG,
				    "no memory for the agent's answer of over %zu bytes", *size);
	*text = more;
	r = limit(ask, SO_RCVTIMEO);
	if (r < 0)
		return fail(ask, r);
	got = recv(ask->fd, *text + *size, KVG_ASK_MESSAGE_MAX, 0);
	if (got <= 0)
		return fail(ask, got < 0 ? -errno : -ECONNRESET);
	*size += got;
	return 0;
}

static int understand(const struct ask *ask, const char *text, size_t size, json_t **ret)
{
	json_t *answer = NULL;
	struct kvg_diag diag = {0};
	int r = kvg_json_load(text, size, &answer, &diag);

	if (r == 0 && !json_is_object(answer)) {
		json_decref(answer);
		r = kvg_diag_set(&diag, -EINVAL, "it is %s",
				 kvg_json_type_words(json_typeof(answer)));
	}
	if (r < 0)
		return kvg_diag_set(ask->diag, r == -ENOMEM ? r : -EPROTO,
				    "the agent on %s gave no answer: %s", ask->address.sun_path,
				    diag.msg);
	*ret = answer;
	return 0;
}

static int converse(struct ask *ask, const json_t *request, json_t **ret)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size = 0;
	int r = dial(ask);

	if (r == 0)
		r = say(ask, request);
	do {
		if (r == 0)
			r = hear(ask, &text, &size);
	} while (r == 0 && text[size - 1] != '\n');
	return r < 0 ? r : understand(ask, text, size, ret);
}

int kvg_ask(const char *run_dir, const json_t *request, unsigned int timeout_ms, json_t **ret,
	    struct kvg_diag *reterr_diag)
{
	struct ask ask = {
		.address.sun_family = AF_UNIX,
		.fd = -1,
		.deadline_us = now_us() + timeout_ms * 1000LL,
		.timeout_ms = timeout_ms,
		.diag = reterr_diag,
	};
	int r = kvg_ask_path(run_dir, ask.address.sun_path, sizeof(ask.address.sun_path));

	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "%s: too long for a socket's path", run_dir);
	r = converse(&ask, request, ret);
	kvg_closep(&ask.fd);
	return r;
}
