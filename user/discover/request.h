/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking the agent that runs on this machine over its control socket (user/agent/control.h). */
#ifndef KVG_DISCOVER_REQUEST_H
#define KVG_DISCOVER_REQUEST_H

#include <stddef.h>

#include <jansson.h>

#include "base/diag.h"

#define KVG_REQUEST_SOCKET "control" /* below the run-dir */

/*
 * Of one message, either way. A request that is longer is refused; a longer answer comes in several
 * messages. Well below the 208 KiB that a socket's buffer holds by default.
 */
#define KVG_REQUEST_MESSAGE_MAX ((size_t)64 << 10)

/* Of a whole answer: the status of a thousand gates is some hundred KiB. */
#define KVG_REQUEST_ANSWER_MAX ((size_t)64 << 20)

/**
 * kvg_request_path() - address of the control socket
 * @run_dir: where the agent has it
 * @ret:     room of @size bytes, that of sun_path
 *
 * Return: 0, or -ENAMETOOLONG
 */
int kvg_request_path(const char *run_dir, char *ret, size_t size);

/**
 * kvg_request_send() - send one request and wait for its answer
 * @run_dir:     where the agent has its socket
 * @request:     an object
 * @timeout_ms:  for all of it
 * @ret:         the answer, an object, given back by the caller; untouched on failure
 * @reterr_diag: why there is none
 *
 * An agent that runs neither as root nor as this user is not believed.
 *
 * Return: 0, or a negative errno: -ECONNREFUSED there is no agent, -EACCES it is not for this user,
 * -ETIMEDOUT, -EMSGSIZE the request is longer than a message, -ECONNRESET the agent ended or dropped
 * the request, -EPERM somebody else listens, -EPROTO the answer is none
 */
int kvg_request_send(const char *run_dir, const json_t *request, unsigned int timeout_ms,
		     json_t **ret, struct kvg_diag *reterr_diag);

/**
 * kvg_request_stay() - as kvg_request_send(), of a request that is answered again and again
 * @run_dir:     where the agent has its socket
 * @request:     an object
 * @timeout_ms:  until the first answer, which is not handed on
 * @ret_fd:      the connection, without a time-out, closed by the caller; untouched on failure
 * @reterr_diag: why there is none: also the "problem" of the first answer
 *
 * Return: 0, or a negative errno as above; -EREMOTEIO the agent answers that it does not
 */
int kvg_request_stay(const char *run_dir, const json_t *request, unsigned int timeout_ms,
		     int *ret_fd, struct kvg_diag *reterr_diag);

#endif
