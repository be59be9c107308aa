/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's control socket: SOCK_SEQPACKET at <run-dir>/control, mode 0600. A request is one JSON
 * object in one message:
 *
 *	{"request": "gate", "pid": 4242, ...}
 *
 * An answer is one JSON object on one line that ends in a newline; one longer than a message comes in
 * several, of which the last ends in it. "result" is what came of the request, "problem" why not.
 * Requests of one client are answered in their order; nothing here ever waits.
 */
#ifndef KVG_AGENT_CONTROL_H
#define KVG_AGENT_CONTROL_H

#include <stddef.h>

#include <jansson.h>

#include "base/diag.h"

/* More wait to be accepted: a burst of container starts is served one after the other. */
#define KVG_CONTROL_CLIENTS_MAX 64

/* A client that says nothing, or takes nothing, for this long makes room for others. */
#define KVG_CONTROL_IDLE_MS 10000

struct kvg_control;
struct sd_event;

/**
 * kvg_control_handler - answers a request
 * @data:    as given to kvg_control_open()
 * @request: an object, borrowed
 *
 * It may use the loop, but must not wait.
 *
 * Return: the answer, which the caller gives back; NULL if memory ran out
 */
typedef json_t *(*kvg_control_handler)(void *data, const json_t *request);

/**
 * kvg_control_taker - takes a connection over, for more than one answer
 * @data:        as given to kvg_control_open()
 * @request:     an object, borrowed
 * @fd:          the connection; the taker's on success, and what it said so far is answered
 * @reterr_diag: why not; the client is told so
 *
 * Return: 0, or a negative errno
 */
typedef int (*kvg_control_taker)(void *data, const json_t *request, int fd,
				 struct kvg_diag *reterr_diag);

/** struct kvg_control_row - who does a request: @run or @take; a row without @request ends the table */
struct kvg_control_row {
	const char *request;
	kvg_control_handler run;
	kvg_control_taker take;
};

/**
 * struct kvg_control_counts - since it was opened
 * @clients:  connected now
 * @answered: requests that a handler of the table answered
 * @broken:   messages that are no known request
 * @refused:  connections of other users
 * @idle:     connections that were closed because nothing moved
 */
struct kvg_control_counts {
	size_t clients;
	size_t answered;
	size_t broken;
	size_t refused;
	size_t idle;
};

/**
 * struct kvg_control_options - where and for whom to listen
 * @run_dir: made if it is missing; the caller holds the agent's lock, so a socket that is there already
 *           is nobody's
 * @event:   the loop that serves it
 * @rows:    must stay until kvg_control_close()
 * @data:    for the handlers
 * @idle_ms: instead of KVG_CONTROL_IDLE_MS, if not 0
 */
struct kvg_control_options {
	const char *run_dir;
	struct sd_event *event;
	const struct kvg_control_row *rows;
	void *data;
	unsigned int idle_ms;
};

/**
 * kvg_control_open() - listen
 * @options:     copied
 * @ret:         for kvg_control_close(); untouched on failure
 * @reterr_diag: why not
 *
 * Only root, and the user that this process runs as, are answered; others are refused and counted.
 *
 * Return: 0, or a negative errno
 */
int kvg_control_open(const struct kvg_control_options *options, struct kvg_control **ret,
		     struct kvg_diag *reterr_diag);

/** kvg_control_counts() - what was done so far */
void kvg_control_counts(const struct kvg_control *control, struct kvg_control_counts *ret);

/** kvg_control_close() - stop listening, drop the clients, remove the socket; NULL is fine; Return: NULL */
struct kvg_control *kvg_control_close(struct kvg_control *control);

/** kvg_control_closep() - for KVG_CLEANUP */
void kvg_control_closep(struct kvg_control **control);

/** kvg_control_answer() - {"result": @result} and, if @problem is not NULL, "problem"; NULL on ENOMEM */
json_t *kvg_control_answer(const char *result, const char *problem);

#endif
