/* SPDX-License-Identifier: BSD-2-Clause */
/* What fetch.c, fetch_tags.c and fetch_m365.c share; nobody else includes it. */
#ifndef KVG_RANGES_FETCH_INTERNAL_H
#define KVG_RANGES_FETCH_INTERNAL_H

#include "ranges/fetch.h"
#include "ranges/memory.h"

/** struct kvg_fetch - a run; @http is opened when it is needed */
struct kvg_fetch {
	const struct kvg_fetch_options *options;
	struct kvg_store *store;
	struct kvg_http *http;
	struct kvg_memory memory;
};

/**
 * struct kvg_fetch_job - one document of a run
 * @row:      what is remembered of it
 * @current:  the one in use, or NULL
 * @report:   to be filled
 * @asked:    URL of the last request, before redirections
 */
struct kvg_fetch_job {
	struct kvg_fetch *fetch;
	const struct kvg_fetch_source *source;
	struct kvg_memory_row *row;
	const struct kvg_document *current;
	struct kvg_fetch_report *report;
	const char *asked;
};

/** kvg_fetch_tags(), kvg_fetch_m365() - fill the report */
void kvg_fetch_tags(struct kvg_fetch_job *job);
void kvg_fetch_m365(struct kvg_fetch_job *job);

/** kvg_fetch_say() - the job's result and its sentence */
void kvg_fetch_say(struct kvg_fetch_job *job, enum kvg_fetch_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * kvg_fetch_get() - a request whose answer was 200 or 304
 * @job:          its report says what went wrong
 * @url:          what to get
 * @max_bytes:    longest answer
 * @conditional:  only if it is another one than the one in use
 * @ret_response: zeroed before; done by the caller
 *
 * Return: 0; -ENOENT there is no such thing (404, 410); -EAGAIN wait (429, 503); another negative errno
 */
int kvg_fetch_get(struct kvg_fetch_job *job, const char *url, size_t max_bytes, bool conditional,
		  struct kvg_http_response *ret_response);

/** kvg_fetch_unchanged() - the one in use is the newest: remember when that was said */
void kvg_fetch_unchanged(struct kvg_fetch_job *job);

/**
 * kvg_fetch_take() - judge what came, and put it into use or aside
 * @job:      its report is filled
 * @file:     name to give it
 * @response: the document
 *
 * Return: 0 if the report is complete; -ENOMSG if it is no range document at all: the report says so,
 * unless the caller knows better
 */
int kvg_fetch_take(struct kvg_fetch_job *job, const char *file,
		   const struct kvg_http_response *response);

#endif
