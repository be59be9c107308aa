// SPDX-License-Identifier: BSD-2-Clause
/*
 * Both formats of range documents. Claims, on any bytes:
 *   - what is read keeps all promises of struct kvg_document;
 *   - a refusal has one of the documented errors, says why in one line, and returns nothing;
 *   - the short way (lists.h) and the plain way read the same.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ranges/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
	if (!kept)
		abort();
}

static void check_refusal(int r, const struct kvg_document *document, const struct kvg_diag *diag)
{
	check(r == -ENOMSG || r == -EINVAL || r == -EOPNOTSUPP || r == -EFBIG);
	check(!document);
	check(diag->msg[0] && strlen(diag->msg) < sizeof(diag->msg));
	check(!strpbrk(diag->msg, "\r\n"));
}

static bool is_same_group(const struct kvg_group *a, const struct kvg_group *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->region, b->region) == 0 &&
	       a->count == b->count &&
	       (!a->count || !memcmp(a->prefixes, b->prefixes, a->count * sizeof(*a->prefixes)));
}

static void check_same(const struct kvg_document *a, const struct kvg_document *b)
{
	check(a->kind == b->kind && a->cloud == b->cloud);
	check(a->change_number == b->change_number);
	check(a->groups_count == b->groups_count);
	for (size_t i = 0; i < a->groups_count; i++) {
		check(is_same_group(&a->groups[i], &b->groups[i]));
		check(kvg_document_find(a, a->groups[i].name) == &a->groups[i]);
	}
}

/* The same text with its first "/" spelled "\/", which sends it the plain way; NULL if it has none. */
static char *spell_otherwise(const uint8_t *data, size_t size)
{
	const uint8_t *slash = memchr(data, '/', size);
	size_t before;
	char *text;

	if (!slash || memchr(data, '\\', size))
		return NULL;

	text = malloc(size + 1);
	if (!text)
		abort();

	before = (size_t)(slash - data);
	memcpy(text, data, before);
	text[before] = '\\';
	memcpy(text + before + 1, slash, size - before);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KVG_CLEANUP(kvg_document_freep) struct kvg_document *document = NULL;
	KVG_CLEANUP(kvg_document_freep) struct kvg_document *plain = NULL;
	KVG_CLEANUP(kvg_freep) char *other = NULL;
	struct kvg_diag diag = {};
	int r;

	r = kvg_document_parse("fuzz_20251028.json", (const char *)data, size, &document, &diag);
	if (r < 0)
		check_refusal(r, document, &diag);
	else
		check(kvg_document_check(document) == 0);

	other = spell_otherwise(data, size);
	if (!other)
		return 0;

	check(kvg_document_parse("fuzz", other, size + 1, &plain, NULL) == r);
	if (r == 0)
		check_same(document, plain);
	return 0;
}
