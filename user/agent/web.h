/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small HTTP server on the agent's loop, by libmicrohttpd without threads. Whoever reaches the address may
 * ask, so it can only be read: GET and HEAD of a few paths, one answer for each connection, and none of
 * them waits.
 *
 * Bounds: KVG_WEB_CLIENTS_MAX connections, of which the oldest makes room for a new one; each ends after
 * KVG_WEB_DEADLINE_MS, whatever it does; a request is at most KVG_WEB_REQUEST_MAX long. Those who only
 * hold connections open keep nobody else out.
 */
#ifndef KVG_AGENT_WEB_H
#define KVG_AGENT_WEB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* A Prometheus, its neighbour, the probes of a kubelet: a handful; each is there for milliseconds. */
#define KVG_WEB_CLIENTS_MAX 32

/* The default time-out of a scrape. */
#define KVG_WEB_DEADLINE_MS 10000

/* Prometheus sends some 300 bytes. */
#define KVG_WEB_REQUEST_MAX 8192

/* Nobody who asks faster may keep the agent from its gates: what is not served now is served later. */
#define KVG_WEB_TURNS_PER_SECOND 1000

struct kvg_web;
struct sd_event;

/**
 * struct kvg_web_answer - to one request
 * @status: such as 200
 * @type:   of the text; static
 * @text:   from malloc(3); it is taken over
 */
struct kvg_web_answer {
	unsigned int status;
	const char *type;
	char *text;
};

/**
 * kvg_web_handler - answers a request
 * @data: as given to kvg_web_open()
 * @ret:  to be filled in; must not wait for anything
 *
 * Return: 0, or a negative errno: the client is told that the server failed
 */
typedef int (*kvg_web_handler)(void *data, struct kvg_web_answer *ret);

/** struct kvg_web_row - who answers for a path; a row without @path ends the table */
struct kvg_web_row {
	const char *path;
	kvg_web_handler run;
};

/**
 * struct kvg_web_options - where to listen, and what to answer
 * @listen:      "192.0.2.1:9435", "[2001:db8::1]:9435"; "[::]:9435" is every address, of IPv4, too
 * @event:       the loop that serves it, after all that is more urgent
 * @rows:        must stay until kvg_web_close()
 * @data:        for the handlers
 * @deadline_ms: instead of KVG_WEB_DEADLINE_MS, if not 0
 */
struct kvg_web_options {
	const char *listen;
	struct sd_event *event;
	const struct kvg_web_row *rows;
	void *data;
	unsigned int deadline_ms;
};

/**
 * struct kvg_web_counts - since it was opened
 * @clients: connected now
 * @cut:     connections that were ended because they took too long, or made room
 */
struct kvg_web_counts {
	size_t clients;
	size_t cut;
};

/**
 * kvg_web_open() - listen
 * @options:     copied, but for @rows; @listen is read only now
 * @ret:         for kvg_web_close(); untouched on failure
 * @reterr_diag: names the address, and why nobody can listen there
 *
 * Return: 0, or a negative errno, -EADDRINUSE among them
 */
int kvg_web_open(const struct kvg_web_options *options, struct kvg_web **ret,
		 struct kvg_diag *reterr_diag);

/** kvg_web_counts() - what there is, and was done so far */
void kvg_web_counts(const struct kvg_web *web, struct kvg_web_counts *ret);

/** kvg_web_close() - stop listening, drop the clients; NULL is fine; Return: NULL */
struct kvg_web *kvg_web_close(struct kvg_web *web);

/** kvg_web_closep() - for KVG_CLEANUP */
void kvg_web_closep(struct kvg_web **web);

#endif
