// SPDX-License-Identifier: BSD-2-Clause
/* Service tags: from the details page to the document, or by the constant path. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "ranges/fetch_internal.h"
#include "ranges/links.h"

/* Published every week; longer gaps happened, of four weeks at most. */
#define PROBE_DAYS 28

/* Where Microsoft keeps the files; a page may link there, and to its own host. */
#define FILES_HOST "download.microsoft.com"

#define FILE_NAME_MAX 128

/* Does it name a document, and nothing else in the folder? */
static bool is_file_name(const char *name, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.";

	return length > 5 && length <= FILE_NAME_MAX && name[0] != '.' &&
	       strspn(name, allowed) >= length && strncasecmp(name + length - 5, ".json", 5) == 0;
}

/* The last part of a URL's path; a name of its own where that is no good. */
static int name_of(const struct kvg_fetch_job *job, const char *url, char **ret)
{
	size_t path = strcspn(url, "?#");
	size_t start = path;

	while (start > 0 && url[start - 1] != '/')
		start--;
	if (is_file_name(url + start, path - start)) {
		*ret = strndup(url + start, path - start);
		return *ret ? 0 : -ENOMEM;
	}
	return asprintf(ret, "ServiceTags_%s.json", kvg_cloud_tags_name(job->source->cloud)) < 0
		       ? -ENOMEM
		       : 0;
}

static int take(struct kvg_fetch_job *job, const struct kvg_http_response *response)
{
	KVG_CLEANUP(kvg_freep) char *file = NULL;

	if (response->status == 304) {
		kvg_fetch_unchanged(job);
		return 0;
	}
	if (name_of(job, response->url, &file) < 0) {
		file = NULL;
		kvg_fetch_say(job, KVG_FETCH_FAILED, "out of memory");
		return 0;
	}
	return kvg_fetch_take(job, file, response);
}

static int get_and_take(struct kvg_fetch_job *job, const char *url)
{
	KVG_CLEANUP(kvg_http_response_done) struct kvg_http_response response = {0};
	int r;

	r = kvg_fetch_get(job, url, KVG_DOCUMENT_MAX_BYTES, true, &response);
	return r < 0 ? r : take(job, &response);
}

static bool may_link_to(struct kvg_fetch_job *job, const char *page, const char *url)
{
	KVG_CLEANUP(kvg_freep) char *host = NULL;
	KVG_CLEANUP(kvg_freep) char *own = NULL;

	return kvg_http_host(job->fetch->http, url, &host) == 0 &&
	       kvg_http_host(job->fetch->http, page, &own) == 0 &&
	       (strcasecmp(host, own) == 0 || strcasecmp(host, FILES_HOST) == 0);
}

/* Return: 0 if the report is complete, or a negative errno: try the next. */
static int follow(struct kvg_fetch_job *job, const char *page, const struct kvg_link *link)
{
	KVG_CLEANUP(kvg_freep) char *url = NULL;

	if (kvg_http_resolve(job->fetch->http, page, link->text, &url) < 0 ||
	    !may_link_to(job, page, url)) {
		kvg_fetch_say(job, KVG_FETCH_FAILED, "'%s' links to '%s', which is not followed",
			      page, link->text);
		return -EPROTO;
	}
	return get_and_take(job, url);
}

/*
 * Of two that are listed the newest; the other one only if that is not there yet. Where none is in use,
 * any is better than none.
 */
static int follow_links(struct kvg_fetch_job *job, const char *page, const struct kvg_links *links)
{
	int r = -ENOENT;

	for (size_t i = 0; i < links->count; i++) {
		if (i > 0 && job->current && links->items[i].day < job->current->first_day)
			break;
		r = follow(job, page, &links->items[i]);
		if (r == 0 || r == -EAGAIN || r == -ENOMEM || (r != -ENOENT && job->current))
			break;
	}
	return r;
}

/* Return: 0 if the report is complete, or a negative errno: the page does not help. */
static int by_page(struct kvg_fetch_job *job)
{
	KVG_CLEANUP(kvg_http_response_done) struct kvg_http_response response = {0};
	KVG_CLEANUP(kvg_links_done) struct kvg_links links = {0};
	int r;

	r = kvg_fetch_get(job, job->source->service_tags, KVG_DOCUMENT_MAX_BYTES, true, &response);
	if (r < 0)
		return r;
	if (response.status == 200 &&
	    kvg_links_find(response.body, job->source->cloud, &links) < 0) {
		kvg_fetch_say(job, KVG_FETCH_FAILED, "out of memory");
		return 0;
	}
	if (links.count)
		return follow_links(job, response.url, &links);

	r = take(job, &response);
	if (r == -ENOMSG)
		kvg_fetch_say(job, KVG_FETCH_FAILED,
			      "'%s' is neither service tags nor a page that links to those of the "
			      "cloud '%s'",
			      response.url, kvg_cloud_word(job->source->cloud));
	return r;
}

static unsigned int day_before(time_t now, unsigned int days)
{
	time_t then = now - (time_t)days * 86400;
	struct tm tm;

	gmtime_r(&then, &tm);
	return (unsigned int)((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday);
}

/* Backwards from today to the day of the document in use, which is asked for, too. */
static int by_path(struct kvg_fetch_job *job)
{
	time_t now = time(NULL);
	int r = -ENOENT;

	for (unsigned int i = 0; i < PROBE_DAYS && r == -ENOENT; i++) {
		KVG_CLEANUP(kvg_freep) char *url = NULL;
		unsigned int day = day_before(now, i);

		if (job->current && day < job->current->first_day)
			break;
		if (asprintf(&url, "%s/ServiceTags_%s_%u.json", job->source->fallback,
			     kvg_cloud_tags_name(job->source->cloud), day) < 0) {
			url = NULL;
			return -ENOMEM;
		}
		r = get_and_take(job, url);
	}
	return r;
}

void kvg_fetch_tags(struct kvg_fetch_job *job)
{
	char why[KVG_FETCH_SENTENCE_LEN / 2];
	int r;

	r = by_page(job);
	if (r == 0 || r == -EAGAIN || r == -ENOPKG || !job->source->fallback)
		return;

	snprintf(why, sizeof(why), "%.*s", (int)sizeof(why) - 1, job->report->sentence);
	r = by_path(job);
	if (r == -ENOENT)
		kvg_fetch_say(job, KVG_FETCH_FAILED,
			      "%s; nor does '%s' have a document of the last %d days", why,
			      job->source->fallback, PROBE_DAYS);
	else if (r < 0 && r != -EAGAIN)
		kvg_fetch_say(job, KVG_FETCH_FAILED, "%s", why);
}
