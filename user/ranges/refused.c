// SPDX-License-Identifier: BSD-2-Clause
/* Documents that a guard refused, each with a file that says why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "ranges/json.h"
#include "ranges/store_internal.h"

static char *reason_path(const struct kvg_store *store, enum kvg_document_kind kind,
			 enum kvg_cloud cloud)
{
	char *path;

	if (asprintf(&path, "%s/refused/%s-%s.reason", store->directory,
		     kvg_document_kind_word(kind), kvg_cloud_word(cloud)) < 0)
		return NULL;
	return path;
}

int kvg_store_refuse(struct kvg_store *store, const struct kvg_store_refusal *refusal,
		     const struct kvg_store_item *item)
{
	KVG_CLEANUP(kvg_freep) char *reason = reason_path(store, refusal->kind, refusal->cloud);
	KVG_CLEANUP(kvg_freep) char *path = kvg_store_path(store, "refused", item->document->file);
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	char hex[KVG_DIGEST_HEX_LEN];
	int r;

	kvg_digest_format(item->document->digest, hex);
	root = json_pack("{s:s, s:s, s:s, s:i, s:s, s:I}", "file", item->document->file, "reason",
			 refusal->reason, "url", refusal->url, "error", -refusal->error, "sha256",
			 hex, "time", (json_int_t)time(NULL));
	text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	if (!reason || !path || !text)
		return -ENOMEM;

	kvg_store_forget_refused(store, refusal->kind, refusal->cloud);
	r = kvg_file_replace(path, item->data, item->size);
	if (r == 0)
		r = kvg_file_replace(reason, text, strlen(text));
	if (r < 0)
		unlink(path);
	return r;
}

/* What the file says; a name with a "/" would lead elsewhere. */
static int read_reason(const char *path, struct kvg_store_refusal *ret,
		       char hex[KVG_DIGEST_HEX_LEN])
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	const char *file, *reason, *url, *sha256;
	size_t size;
	int error;
	int r;

	r = kvg_file_read(path, 1UL << 20, &text, &size);
	if (r == 0)
		r = kvg_json_load(text, size, &root, NULL);
	if (r < 0)
		return r;
	if (json_unpack(root, "{s:s, s:s, s:s, s:i, s:s}", "file", &file, "reason", &reason, "url",
			&url, "error", &error, "sha256", &sha256) < 0 ||
	    strchr(file, '/') || strlen(sha256) != KVG_DIGEST_HEX_LEN - 1)
		return -EINVAL;

	ret->error = -error;
	ret->file = strdup(file);
	ret->reason = strdup(reason);
	ret->url = strdup(url);
	memcpy(hex, sha256, KVG_DIGEST_HEX_LEN);
	return ret->file && ret->reason && ret->url ? 0 : -ENOMEM;
}

int kvg_store_refused(const struct kvg_store *store, enum kvg_document_kind kind,
		      enum kvg_cloud cloud, struct kvg_store_refusal *ret)
{
	KVG_CLEANUP(kvg_freep) char *reason = reason_path(store, kind, cloud);
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	unsigned char digest[KVG_DIGEST_BYTES];
	char expected[KVG_DIGEST_HEX_LEN];
	char hex[KVG_DIGEST_HEX_LEN];
	int r;

	ret->kind = kind;
	ret->cloud = cloud;
	r = reason ? read_reason(reason, ret, expected) : -ENOMEM;
	if (r < 0)
		return r;

	path = kvg_store_path(store, "refused", ret->file);
	r = path ? kvg_file_read(path, KVG_DOCUMENT_MAX_BYTES, &ret->data, &ret->size) : -ENOMEM;
	if (r < 0)
		return r == -ENOENT ? -EINVAL : r;

	kvg_digest(ret->data, ret->size, digest);
	kvg_digest_format(digest, hex);
	return strcmp(hex, expected) == 0 ? 0 : -EINVAL;
}

void kvg_store_refusal_done(struct kvg_store_refusal *refusal)
{
	free(refusal->file);
	free(refusal->reason);
	free(refusal->url);
	free(refusal->data);
	*refusal = (struct kvg_store_refusal){0};
}

void kvg_store_forget_refused(struct kvg_store *store, enum kvg_document_kind kind,
			      enum kvg_cloud cloud)
{
	KVG_CLEANUP(kvg_store_refusal_done) struct kvg_store_refusal refusal = {0};
	KVG_CLEANUP(kvg_freep) char *reason = reason_path(store, kind, cloud);
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	char hex[KVG_DIGEST_HEX_LEN];

	if (!reason || read_reason(reason, &refusal, hex) == -ENOENT)
		return;
	if (refusal.file)
		path = kvg_store_path(store, "refused", refusal.file);
	if (path)
		unlink(path);
	unlink(reason);
}
