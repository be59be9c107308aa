// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "ranges/json.h"

#define MAX_BYTES (1UL << 20) /* eight rows of a few hundred bytes */
#define KEY_LEN   64

static const char *key_of(int kind, int cloud, char ret[KEY_LEN])
{
	snprintf(ret, KEY_LEN, "%s %s", kvg_document_kind_word(kind), kvg_cloud_word(cloud));
	return ret;
}

static int path_of(const char *directory, char **ret)
{
	if (asprintf(ret, "%s/.fetch.json", directory) < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

int kvg_memory_set(char **field, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int read_row(const json_t *from, struct kvg_memory_row *ret)
{
	const char *url = NULL, *etag = NULL, *modified = NULL, *version = NULL, *sha256 = NULL;
	json_int_t checked = 0, not_before = 0;
	int r;

	/* Its own file: what does not fit is forgotten. */
	if (json_unpack((json_t *)from, "{s?s, s?s, s?s, s?s, s?s, s?I, s?I}", "url", &url, "etag",
			&etag, "modified", &modified, "version", &version, "sha256", &sha256,
			"checked", &checked, "not_before", &not_before) < 0)
		return 0;
	if (!sha256 || kvg_digest_parse(sha256, ret->digest) < 0)
		memset(ret->digest, 0, sizeof(ret->digest));

	ret->checked = (time_t)checked;
	ret->not_before = (time_t)not_before;
	r = kvg_memory_set(&ret->url, url);
	if (r == 0)
		r = kvg_memory_set(&ret->etag, etag);
	if (r == 0)
		r = kvg_memory_set(&ret->modified, modified);
	return r < 0 ? r : kvg_memory_set(&ret->version, version);
}

int kvg_memory_read(const char *directory, struct kvg_memory *ret)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = NULL;
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	int r;

	r = path_of(directory, &path);
	if (r < 0)
		return r;
	if (kvg_file_read(path, MAX_BYTES, &text, &size) < 0 ||
	    kvg_json_load(text, size, &root, NULL) < 0)
		return 0;

	for (int kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++) {
		for (int cloud = 0; cloud < KVG_CLOUD_COUNT && r == 0; cloud++) {
			char key[KEY_LEN];
			const json_t *row = json_object_get(root, key_of(kind, cloud, key));

			r = row ? read_row(row, &ret->rows[kind][cloud]) : 0;
		}
	}
	return r;
}

static bool is_empty(const struct kvg_memory_row *row)
{
	return !row->url && !row->version && !row->checked && !row->not_before;
}

static json_t *write_row(const struct kvg_memory_row *row)
{
	char hex[KVG_DIGEST_HEX_LEN];

	kvg_digest_format(row->digest, hex);
	return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s, s:I, s:I}", "url", row->url, "etag",
			 row->etag, "modified", row->modified, "version", row->version, "sha256",
			 hex, "checked", (json_int_t)row->checked, "not_before",
			 (json_int_t)row->not_before);
}

int kvg_memory_write(const char *directory, const struct kvg_memory *memory)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = json_object();
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	int r;

	for (int kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++) {
		for (int cloud = 0; cloud < KVG_CLOUD_COUNT; cloud++) {
			const struct kvg_memory_row *row = &memory->rows[kind][cloud];
			char key[KEY_LEN];

			if (!is_empty(row) &&
			    json_object_set_new(root, key_of(kind, cloud, key), write_row(row)) < 0)
				return -ENOMEM;
		}
	}

	r = path_of(directory, &path);
	if (r < 0)
		return r;
	text = json_dumps(root, JSON_INDENT(2));
	return text ? kvg_file_replace(path, text, strlen(text)) : -ENOMEM;
}

void kvg_memory_done(struct kvg_memory *memory)
{
	for (int kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++) {
		for (int cloud = 0; cloud < KVG_CLOUD_COUNT; cloud++) {
			struct kvg_memory_row *row = &memory->rows[kind][cloud];

			free(row->url);
			free(row->etag);
			free(row->modified);
			free(row->version);
		}
	}
	*memory = (struct kvg_memory){0};
}
