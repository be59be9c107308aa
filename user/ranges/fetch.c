// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/fetch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "ranges/fetch_internal.h"

/* "Wait" without a word is an hour, as the Microsoft 365 service asks for; nobody is locked out longer
 * than a day by a header. */
#define WAIT_S     3600UL
#define WAIT_MIN_S 60UL
#define WAIT_MAX_S 86400UL

#define MICROSOFT_PAGE "https://www.microsoft.com/en-us/download/details.aspx?id="
#define MICROSOFT_PATH "https://download.microsoft.com/download/"
#define MICROSOFT_M365 "https://endpoints.office.com"

static const struct kvg_fetch_source sources[KVG_CLOUD_COUNT] = {
	[KVG_CLOUD_PUBLIC] =
		{
			.service_tags = MICROSOFT_PAGE "56519",
			.fallback = MICROSOFT_PATH "7/1/d/71d86715-5596-4529-9b13-da13a5de5b63",
			.m365 = MICROSOFT_M365,
		},
	[KVG_CLOUD_USGOV] =
		{
			.service_tags = MICROSOFT_PAGE "57063",
			.fallback = MICROSOFT_PATH "6/4/d/64db03bf-895b-4173-a8b1-ba4ad5d4df22",
			.m365 = MICROSOFT_M365,
		},
	[KVG_CLOUD_CHINA] =
		{
			.service_tags = MICROSOFT_PAGE "57062",
			.fallback = MICROSOFT_PATH "9/d/0/9d03b7e2-4b80-4bf3-9b91-da8c7d3ee9f9",
			.m365 = MICROSOFT_M365,
		},
};

static const char *const result_words[] = {
#define X(name, word) [KVG_FETCH_##name] = word,
	KVG_FETCH_RESULTS(X)
#undef X
};

struct kvg_fetch_source kvg_fetch_default_source(enum kvg_cloud cloud)
{
	struct kvg_fetch_source source = sources[cloud];

	source.cloud = cloud;
	return source;
}

const char *kvg_fetch_result_word(enum kvg_fetch_result result)
{
	return result_words[result];
}

int kvg_fetch_open(const struct kvg_fetch_options *options, struct kvg_fetch **ret,
		   struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_fetch_closep) struct kvg_fetch *fetch = calloc(1, sizeof(*fetch));
	int r;

	if (!fetch)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	fetch->options = options;
	r = kvg_store_open(options->directory, &fetch->store, reterr_diag);
	if (r < 0)
		return r;
	if (kvg_memory_read(options->directory, &fetch->memory) < 0)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	*ret = KVG_TAKE_PTR(fetch);
	return 0;
}

struct kvg_fetch *kvg_fetch_close(struct kvg_fetch *fetch)
{
	if (!fetch)
		return NULL;
	kvg_http_close(fetch->http);
	kvg_store_close(fetch->store);
	kvg_memory_done(&fetch->memory);
	free(fetch);
	return NULL;
}

void kvg_fetch_closep(struct kvg_fetch **fetch)
{
	kvg_fetch_close(*fetch);
}

int kvg_fetch_save(struct kvg_fetch *fetch)
{
	return kvg_memory_write(fetch->options->directory, &fetch->memory);
}

void kvg_fetch_report_done(struct kvg_fetch_report *report)
{
	free(report->file);
	free(report->replaced);
	free(report->url);
	free(report->changes);
	kvg_guard_needs_done(&report->needs);
	*report = (struct kvg_fetch_report){0};
}

void kvg_fetch_say(struct kvg_fetch_job *job, enum kvg_fetch_result result, const char *format, ...)
{
	va_list args;

	job->report->result = result;
	va_start(args, format);
	vsnprintf(job->report->sentence, sizeof(job->report->sentence), format, args);
	va_end(args);
}

static int out_of_memory(struct kvg_fetch_job *job)
{
	kvg_fetch_say(job, KVG_FETCH_FAILED, "out of memory");
	return -ENOMEM;
}

/* Is what is remembered about the document that is in use? */
static bool is_remembered(const struct kvg_fetch_job *job)
{
	return job->current &&
	       memcmp(job->current->digest, job->row->digest, sizeof(job->row->digest)) == 0;
}

static int told_to_wait(struct kvg_fetch_job *job, const struct kvg_http_response *response)
{
	unsigned long wait = response->retry_after_s ? response->retry_after_s : WAIT_S;

	if (wait < WAIT_MIN_S)
		wait = WAIT_MIN_S;
	if (wait > WAIT_MAX_S)
		wait = WAIT_MAX_S;
	job->row->not_before = time(NULL) + (time_t)wait;
	kvg_fetch_say(
		job, KVG_FETCH_WAITING,
		"'%s' answers %ld, which asks to be left alone: it will not be asked for %lu s",
		response->url, response->status, wait);
	return -EAGAIN;
}

static int judge_status(struct kvg_fetch_job *job, const struct kvg_http_response *response,
			bool conditional)
{
	if (response->status == 200 || (response->status == 304 && conditional))
		return 0;
	if (response->status == 429 || (response->status == 503 && response->retry_after_s))
		return told_to_wait(job, response);

	kvg_fetch_say(job, KVG_FETCH_FAILED, "'%s' answers %ld", response->url, response->status);
	return response->status == 404 || response->status == 410 ? -ENOENT : -EPROTO;
}

int kvg_fetch_get(struct kvg_fetch_job *job, const char *url, size_t max_bytes, bool conditional,
		  struct kvg_http_response *ret_response)
{
	bool known = conditional && is_remembered(job) && job->row->url &&
		     strcmp(job->row->url, url) == 0;
	const struct kvg_http_request request = {
		.url = url,
		.max_bytes = max_bytes,
		.etag = known ? job->row->etag : NULL,
		.modified = known ? job->row->modified : NULL,
	};
	struct kvg_fetch *fetch = job->fetch;
	struct kvg_diag diag;
	int r = 0;

	job->asked = url;
	if (!fetch->http)
		r = kvg_http_open(&fetch->options->http, &fetch->http, &diag);
	if (r == 0)
		r = kvg_http_get(fetch->http, &request, ret_response, &diag);
	if (r < 0) {
		kvg_fetch_say(job, KVG_FETCH_FAILED, "%s", diag.msg);
		/* Its own -ENOENT and -EAGAIN are answers of servers. */
		return r == -ENOENT || r == -EAGAIN ? -EIO : r;
	}
	return judge_status(job, ret_response, request.etag || request.modified);
}

void kvg_fetch_unchanged(struct kvg_fetch_job *job)
{
	job->row->checked = time(NULL);
	job->row->not_before = 0;
	job->report->result = KVG_FETCH_UNCHANGED;
	job->report->sentence[0] = '\0';
	if (!job->current)
		return;

	job->report->change_number = job->current->change_number;
	memcpy(job->report->digest, job->current->digest, sizeof(job->report->digest));
	if (kvg_memory_set(&job->report->file, job->current->file) < 0)
		out_of_memory(job);
}

/* For the next question; a failure only costs a download. */
static void remember(struct kvg_fetch_job *job, const struct kvg_document *document,
		     const char *url, const struct kvg_http_response *response)
{
	memcpy(job->row->digest, document->digest, sizeof(job->row->digest));
	kvg_memory_set(&job->row->url, url);
	kvg_memory_set(&job->row->etag, response ? response->etag : NULL);
	kvg_memory_set(&job->row->modified, response ? response->modified : NULL);
	job->row->checked = time(NULL);
	job->row->not_before = 0;
}

static int describe(struct kvg_fetch_job *job, const struct kvg_document *document, const char *url)
{
	struct kvg_fetch_report *report = job->report;
	const struct kvg_document *basis = job->current ? job->current : document;
	const struct kvg_fetch_options *options = job->fetch->options;

	report->change_number = document->change_number;
	memcpy(report->digest, document->digest, sizeof(report->digest));
	if (kvg_memory_set(&report->file, document->file) < 0 ||
	    kvg_memory_set(&report->url, url) < 0 ||
	    kvg_memory_set(&report->replaced, job->current ? job->current->file : NULL) < 0)
		return out_of_memory(job);

	/* A document of another cloud or kind needs nothing; that it is one is said first. */
	if (document->kind != report->kind || document->cloud != report->cloud)
		return 0;
	if (options->needs(options->data, basis, &report->needs) < 0)
		return out_of_memory(job);

	report->changes = calloc(report->needs.count + 1, sizeof(*report->changes));
	if (!report->changes)
		return out_of_memory(job);
	for (size_t i = 0; i < report->needs.count; i++)
		kvg_guard_compare(report->needs.items[i].group, job->current, document,
				  &report->changes[i]);
	return 0;
}

static int judge(const struct kvg_fetch_job *job, const struct kvg_document *document,
		 struct kvg_diag *diag)
{
	const struct kvg_guard guard = {
		.kind = job->report->kind,
		.cloud = job->report->cloud,
		.needs = &job->report->needs,
		.max_shrink_percent = job->fetch->options->max_shrink_percent,
	};

	return kvg_guard_judge(&guard, job->current, document, diag);
}

static void refuse(struct kvg_fetch_job *job, const struct kvg_store_item *item, int error,
		   const struct kvg_diag *why)
{
	const char *directory = kvg_store_directory(job->fetch->store);
	const struct kvg_store_refusal refusal = {
		.kind = job->report->kind,
		.cloud = job->report->cloud,
		.error = error,
		.reason = (char *)why->msg,
		.url = job->report->url,
	};
	int r;

	r = kvg_store_refuse(job->fetch->store, &refusal, item);
	if (r < 0)
		kvg_fetch_say(job, KVG_FETCH_REFUSED, "%s (and it cannot be kept aside: %s)",
			      why->msg, strerror(-r));
	else if (kvg_guard_may_be_accepted(error))
		kvg_fetch_say(job, KVG_FETCH_REFUSED,
			      "%s; look at '%s/refused/%s', and if it is right, 'kvgate fetch "
			      "--accept'",
			      why->msg, directory, item->document->file);
	else
		kvg_fetch_say(job, KVG_FETCH_REFUSED, "%s; it is kept as '%s/refused/%s'", why->msg,
			      directory, item->document->file);
}

static void put(struct kvg_fetch_job *job, const struct kvg_store_item *item)
{
	struct kvg_diag diag;
	int r;

	r = kvg_store_put(job->fetch->store, item, job->fetch->options->grace_s, &diag);
	if (r < 0) {
		kvg_fetch_say(job, KVG_FETCH_FAILED, "%s", diag.msg);
		return;
	}
	job->report->result = KVG_FETCH_UPDATED;
	job->report->sentence[0] = '\0';
}

int kvg_fetch_take(struct kvg_fetch_job *job, const char *file,
		   const struct kvg_http_response *response)
{
	KVG_CLEANUP(kvg_document_freep) struct kvg_document *document = NULL;
	struct kvg_store_item item = {.data = response->body, .size = response->size};
	struct kvg_diag diag;
	int r;

	r = kvg_document_parse(file, response->body, response->size, &document, &diag);
	if (r < 0) {
		kvg_fetch_say(job, KVG_FETCH_FAILED, "'%s': %s", response->url, diag.msg);
		return r == -ENOMSG ? r : 0;
	}
	if (job->current &&
	    memcmp(job->current->digest, document->digest, sizeof(document->digest)) == 0) {
		kvg_fetch_unchanged(job);
		remember(job, document, job->asked, response);
		return 0;
	}

	if (describe(job, document, response->url) < 0)
		return 0;
	item.document = document;
	r = judge(job, document, &diag);
	if (r < 0) {
		refuse(job, &item, r, &diag);
		return 0;
	}
	put(job, &item);
	if (job->report->result == KVG_FETCH_UPDATED)
		remember(job, document, job->asked, response);
	return 0;
}

static bool is_waiting(struct kvg_fetch_job *job)
{
	time_t left = job->row->not_before - time(NULL);

	/* More than was ever agreed on: the clock has jumped. */
	if (left <= 0 || left > (time_t)WAIT_MAX_S || job->fetch->options->now)
		return false;
	kvg_fetch_say(
		job, KVG_FETCH_WAITING,
		"the server asked to be left alone for another %ld s ('kvgate fetch --now' asks "
		"all the same)",
		(long)left);
	return true;
}

static struct kvg_fetch_job make_job(struct kvg_fetch *fetch, enum kvg_document_kind kind,
				     enum kvg_cloud cloud, struct kvg_fetch_report *report)
{
	report->kind = kind;
	report->cloud = cloud;
	return (struct kvg_fetch_job){
		.fetch = fetch,
		.row = &fetch->memory.rows[kind][cloud],
		.current = kvg_store_current(fetch->store, kind, cloud),
		.report = report,
	};
}

void kvg_fetch_document(struct kvg_fetch *fetch, const struct kvg_fetch_source *source,
			enum kvg_document_kind kind, struct kvg_fetch_report *ret_report)
{
	struct kvg_fetch_job job = make_job(fetch, kind, source->cloud, ret_report);

	job.source = source;
	if (is_waiting(&job))
		return;
	if (kind == KVG_DOCUMENT_KIND_SERVICE_TAGS)
		kvg_fetch_tags(&job);
	else
		kvg_fetch_m365(&job);
}

static void accept_document(struct kvg_fetch_job *job, const struct kvg_store_refusal *refusal)
{
	KVG_CLEANUP(kvg_document_freep) struct kvg_document *document = NULL;
	struct kvg_store_item item = {.data = refusal->data, .size = refusal->size};
	struct kvg_diag diag;
	int r;

	r = kvg_document_parse(refusal->file, refusal->data, refusal->size, &document, &diag);
	if (r < 0) {
		kvg_fetch_say(job, KVG_FETCH_FAILED, "'refused/%s': %s", refusal->file, diag.msg);
		return;
	}
	if (describe(job, document, refusal->url) < 0)
		return;

	r = judge(job, document, &diag);
	if (r < 0 && !kvg_guard_may_be_accepted(r)) {
		kvg_fetch_say(job, KVG_FETCH_REFUSED, "%s; that cannot be accepted", diag.msg);
		return;
	}
	item.document = document;
	put(job, &item);
	if (job->report->result == KVG_FETCH_UPDATED)
		remember(job, document, refusal->url, NULL);
}

bool kvg_fetch_accept(struct kvg_fetch *fetch, enum kvg_document_kind kind, enum kvg_cloud cloud,
		      struct kvg_fetch_report *ret_report)
{
	KVG_CLEANUP(kvg_store_refusal_done) struct kvg_store_refusal refusal = {0};
	struct kvg_fetch_job job = make_job(fetch, kind, cloud, ret_report);
	int r;

	r = kvg_store_refused(fetch->store, kind, cloud, &refusal);
	if (r == -ENOENT)
		return false;
	if (r < 0)
		kvg_fetch_say(&job, KVG_FETCH_FAILED,
			      "what was refused cannot be read: %s; fetch it again", strerror(-r));
	else
		accept_document(&job, &refusal);
	return true;
}
