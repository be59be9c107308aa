// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/document.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "ranges/reader.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static const struct {
	const char *word;
	const char *tags_name;
} clouds[] = {
#define X(name, word, tags_name) [KVG_CLOUD_##name] = {word, tags_name},
	KVG_CLOUDS(X)
#undef X
};

static const char *const kind_words[] = {
#define X(name, word) [KVG_DOCUMENT_KIND_##name] = word,
	KVG_DOCUMENT_KINDS(X)
#undef X
};

/* No document had a byte order mark yet; editors add it, and it says nothing. */
static void skip_byte_order_mark(const char **text, size_t *size)
{
	size_t len = strlen(BYTE_ORDER_MARK);

	if (*size < len || memcmp(*text, BYTE_ORDER_MARK, len) != 0)
		return;

	*text += len;
	*size -= len;
}

/* What stands in for a document when a download fails: nothing, or a page that says so. */
static int refuse_failed_download(const char *text, size_t size, struct kvg_diag *diag)
{
	size_t i = 0;

	while (i < size && isspace((unsigned char)text[i]))
		i++;

	if (i == size)
		return kvg_diag_set(diag, -ENOMSG, "the file is empty");
	if (text[i] == '<')
		return kvg_diag_set(diag, -ENOMSG, "HTML, not JSON: a failed download");
	return 0;
}

/* Does a text that is not JSON look like a document that was damaged? */
static bool looks_like_document(const char *text, size_t size)
{
	static const char *const marks[] = {"\"changeNumber\"", "\"addressPrefixes\"",
					    "\"serviceArea\""};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(marks); i++) {
		if (memmem(text, size, marks[i], strlen(marks[i])))
			return true;
	}
	return false;
}

static int read_root(struct kvg_reader *reader, const json_t *root)
{
	if (kvg_service_tags_recognise(root))
		return kvg_service_tags_read(reader, root);
	if (kvg_m365_recognise(root))
		return kvg_m365_read(reader, root);

	return kvg_diag_set(reader->diag, -ENOMSG,
			    "JSON, but neither service tags nor Microsoft 365 endpoints");
}

/* The short way of lists.h; it fails without a word, and whatever fails goes the plain way. */
static int read_short(struct kvg_document *document, const char *text, size_t size)
{
	KVG_CLEANUP(kvg_lists_done) struct kvg_lists lists = {};
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = NULL;
	struct kvg_reader reader = {.document = document, .lists = &lists};
	int r;

	r = kvg_lists_take(&lists, text, size);
	if (r < 0)
		return r;

	r = kvg_json_load(lists.text, lists.size, &root, NULL);
	if (r < 0)
		return r;

	/* Only there is "addressPrefixes" what a number stands for. */
	if (!kvg_service_tags_recognise(root))
		return -ENOMSG;

	reader.text_size = lists.size;
	return kvg_service_tags_read(&reader, root);
}

static int read_plain(struct kvg_document *document, const char *text, size_t size,
		      struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = NULL;
	struct kvg_reader reader = {.document = document, .diag = diag, .text_size = size};
	int r;

	r = kvg_json_load(text, size, &root, diag);
	if (r == -EINVAL && !looks_like_document(text, size))
		return -ENOMSG;
	if (r < 0)
		return r;

	return read_root(&reader, root);
}

static int read_text(struct kvg_document *document, const char *text, size_t size,
		     struct kvg_diag *diag)
{
	int r;

	skip_byte_order_mark(&text, &size);
	r = refuse_failed_download(text, size, diag);
	if (r < 0)
		return r;

	r = read_short(document, text, size);
	if (r == 0)
		return 0;

	kvg_groups_done(document);
	return read_plain(document, text, size, diag);
}

int kvg_document_parse(const char *file, const char *data, size_t size, struct kvg_document **ret,
		       struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_document_freep) struct kvg_document *document = NULL;
	const char *slash = strrchr(file, '/');
	int r;

	if (size > KVG_DOCUMENT_MAX_BYTES)
		return kvg_diag_set(reterr_diag, -EFBIG, "larger than %lu MiB",
				    KVG_DOCUMENT_MAX_BYTES >> 20);

	document = calloc(1, sizeof(*document));
	if (document)
		document->file = strdup(slash ? slash + 1 : file);
	if (!document || !document->file)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");

	r = read_text(document, data, size, reterr_diag);
	if (r < 0)
		return r;

	kvg_document_read_date(document->file, &document->first_day, &document->last_day);
	kvg_digest(data, size, document->digest);
	*ret = KVG_TAKE_PTR(document);
	return 0;
}

struct kvg_document *kvg_document_free(struct kvg_document *document)
{
	if (!document)
		return NULL;

	kvg_groups_done(document);
	free(document->file);
	free(document);
	return NULL;
}

void kvg_document_freep(struct kvg_document **document)
{
	kvg_document_free(*document);
}

static int compare_name(const void *name, const void *group)
{
	return strcmp(name, ((const struct kvg_group *)group)->name);
}

const struct kvg_group *kvg_document_find(const struct kvg_document *document, const char *name)
{
	if (!document->groups_count)
		return NULL;

	return bsearch(name, document->groups, document->groups_count, sizeof(*document->groups),
		       compare_name);
}

static bool is_sound_group(const struct kvg_group *group)
{
	if (!group->name || !group->name[0] || !group->region)
		return false;

	for (size_t i = 0; i < group->count; i++) {
		const struct kvg_prefix *prefix = &group->prefixes[i];
		char text[KVG_PREFIX_STRLEN];
		struct kvg_prefix again;

		if (!kvg_prefix_is_publishable(prefix))
			return false;
		if (kvg_prefix_parse(kvg_prefix_format(prefix, text), &again, NULL) < 0 ||
		    kvg_prefix_compare(prefix, &again) != 0)
			return false;
		if (i && kvg_prefix_compare(prefix - 1, prefix) >= 0)
			return false;
	}
	return true;
}

int kvg_document_check(const struct kvg_document *document)
{
	if (!document->file || strchr(document->file, '/') ||
	    document->kind >= KVG_DOCUMENT_KIND_COUNT || document->cloud >= KVG_CLOUD_COUNT ||
	    document->cloud == KVG_CLOUD_GERMANY || document->first_day > document->last_day)
		return -EINVAL;

	for (size_t i = 0; i < document->groups_count; i++) {
		const struct kvg_group *group = &document->groups[i];

		if (!is_sound_group(group))
			return -EINVAL;
		if (i && strcmp(group[-1].name, group->name) >= 0)
			return -EINVAL;
	}
	return 0;
}

const char *kvg_cloud_word(enum kvg_cloud cloud)
{
	return clouds[cloud].word;
}

const char *kvg_cloud_tags_name(enum kvg_cloud cloud)
{
	return clouds[cloud].tags_name;
}

int kvg_cloud_parse(const char *word, enum kvg_cloud *ret)
{
	for (int i = 0; i < KVG_CLOUD_COUNT; i++) {
		if (strcmp(clouds[i].word, word) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *kvg_document_kind_word(enum kvg_document_kind kind)
{
	return kind_words[kind];
}
