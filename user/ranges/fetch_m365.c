// SPDX-License-Identifier: BSD-2-Clause
/*
 * Microsoft 365 endpoints. The service wants one GUID for each machine, is to be asked for its version
 * once an hour at most, and for the document only if the version is another one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/folder.h"
#include "ranges/fetch_internal.h"
#include "ranges/json.h"

#define VERSION_DIGITS 10 /* YYYYMMDDNN */
#define VERSION_BYTES  (1UL << 20)
#define VERSION_S      3600
#define GUID_LEN       37

static const struct {
	const char *name;
	const char *file;
} instances[KVG_CLOUD_COUNT] = {
	[KVG_CLOUD_PUBLIC] = {"Worldwide", "worldwide"},
	[KVG_CLOUD_USGOV] = {"USGovGCCHigh", "usgov"},
	[KVG_CLOUD_CHINA] = {"China", "china"},
};

static bool is_guid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < GUID_LEN - 1; i++) {
		if (form[i] == '-' ? text[i] != '-'
				   : !text[i] || !strchr("0123456789abcdef", text[i]))
			return false;
	}
	return true;
}

/* Random, version 4. */
static int make_guid(char ret[GUID_LEN])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -EIO;
	b[6] = (unsigned char)(0x40 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	snprintf(ret, GUID_LEN,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	return 0;
}

/* This machine's, made once. */
static int client_id(const char *state_dir, char ret[GUID_LEN])
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	int r;

	if (asprintf(&path, "%s/client-id", state_dir) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = kvg_file_read(path, 4096, &text, &size);
	if (r == 0 && size >= GUID_LEN - 1 && is_guid(text)) {
		memcpy(ret, text, GUID_LEN - 1);
		ret[GUID_LEN - 1] = '\0';
		return 0;
	}

	r = make_guid(ret);
	if (r == 0)
		r = kvg_folder_make(state_dir);
	return r < 0 ? r : kvg_file_replace(path, ret, GUID_LEN - 1);
}

/* "2026010500" of {"instance": "Worldwide", "latest": "2026010500"}, or of a list of such. */
static int read_version(const struct kvg_http_response *response, const char *instance,
			char ret[VERSION_DIGITS + 1])
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = NULL;
	const json_t *item;
	const char *latest;

	if (kvg_json_load(response->body, response->size, &root, NULL) < 0)
		return -EINVAL;
	item = root;
	for (size_t i = 0; i < json_array_size(root); i++) {
		const char *name =
			json_string_value(json_object_get(json_array_get(root, i), "instance"));

		if (name && strcmp(name, instance) == 0)
			item = json_array_get(root, i);
	}
	latest = json_string_value(json_object_get(item, "latest"));
	if (!latest || strlen(latest) != VERSION_DIGITS ||
	    strspn(latest, "0123456789") != VERSION_DIGITS)
		return -EINVAL;
	memcpy(ret, latest, VERSION_DIGITS + 1);
	return 0;
}

/* "BASE/@what/INSTANCE?ClientRequestId=GUID"; NULL if there is no memory. */
static char *make_url(const struct kvg_fetch_job *job, const char *what, const char *guid)
{
	const char *base = job->source->m365;
	size_t length = strlen(base);
	char *url;

	while (length && base[length - 1] == '/')
		length--;
	if (asprintf(&url, "%.*s/%s/%s?ClientRequestId=%s", (int)length, base, what,
		     instances[job->source->cloud].name, guid) < 0)
		return NULL;
	return url;
}

static int ask_version(struct kvg_fetch_job *job, const char *guid, char ret[VERSION_DIGITS + 1])
{
	KVG_CLEANUP(kvg_http_response_done) struct kvg_http_response response = {0};
	KVG_CLEANUP(kvg_freep) char *url = make_url(job, "version", guid);
	int r;

	if (!url) {
		kvg_fetch_say(job, KVG_FETCH_FAILED, "out of memory");
		return -ENOMEM;
	}
	r = kvg_fetch_get(job, url, VERSION_BYTES, false, &response);
	if (r < 0)
		return r;
	r = read_version(&response, instances[job->source->cloud].name, ret);
	if (r < 0)
		kvg_fetch_say(job, KVG_FETCH_FAILED, "'%s' names no version of ten digits",
			      response.url);
	return r;
}

static void get_document(struct kvg_fetch_job *job, const char *guid, const char *version)
{
	KVG_CLEANUP(kvg_http_response_done) struct kvg_http_response response = {0};
	KVG_CLEANUP(kvg_freep) char *url = make_url(job, "endpoints", guid);
	KVG_CLEANUP(kvg_freep) char *file = NULL;
	int r;

	if (asprintf(&file, "endpoints_%s_%s.json", instances[job->source->cloud].file, version) <
	    0)
		file = NULL;
	if (!url || !file) {
		kvg_fetch_say(job, KVG_FETCH_FAILED, "out of memory");
		return;
	}

	r = kvg_fetch_get(job, url, KVG_DOCUMENT_MAX_BYTES, false, &response);
	if (r < 0)
		return;
	kvg_fetch_take(job, file, &response);
	if (job->report->result == KVG_FETCH_UPDATED || job->report->result == KVG_FETCH_UNCHANGED)
		kvg_memory_set(&job->row->version, version);
}

static bool is_known(const struct kvg_fetch_job *job, const char *version)
{
	return job->current && job->row->version &&
	       (!version || strcmp(job->row->version, version) == 0) &&
	       memcmp(job->row->digest, job->current->digest, sizeof(job->row->digest)) == 0;
}

static bool was_asked(const struct kvg_fetch_job *job)
{
	time_t ago = time(NULL) - job->row->checked;

	return !job->fetch->options->now && is_known(job, NULL) && ago >= 0 && ago < VERSION_S;
}

void kvg_fetch_m365(struct kvg_fetch_job *job)
{
	time_t checked = job->row->checked;
	char version[VERSION_DIGITS + 1];
	char guid[GUID_LEN];
	int r;

	if (was_asked(job)) {
		kvg_fetch_unchanged(job);
		job->row->checked = checked;
		return;
	}

	r = client_id(job->fetch->options->state_dir, guid);
	if (r < 0) {
		kvg_fetch_say(job, KVG_FETCH_FAILED, "cannot keep a client id in '%s': %s",
			      job->fetch->options->state_dir, strerror(-r));
		return;
	}
	if (ask_version(job, guid, version) < 0)
		return;
	if (is_known(job, version))
		kvg_fetch_unchanged(job);
	else
		get_document(job, guid, version);
}
