/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `fetch` remembers of each document from one time to the next, in the folder's .fetch.json.
 * Losing it costs one download.
 */
#ifndef KVG_RANGES_MEMORY_H
#define KVG_RANGES_MEMORY_H

#include <time.h>

#include "base/digest.h"
#include "ranges/document.h"

/**
 * struct kvg_memory_row - of one document; strings owned, NULL where unknown
 * @url:        where it came from
 * @etag:       for the next question
 * @modified:   Last-Modified, the same
 * @version:    of Microsoft 365 endpoints
 * @digest:     of the document that the rest is about; all zero if there is none
 * @checked:    when the server last said that what is here is the newest; 0 = never
 * @not_before: the server wants no question before; 0 = any time
 */
struct kvg_memory_row {
	char *url;
	char *etag;
	char *modified;
	char *version;
	unsigned char digest[KVG_DIGEST_BYTES];
	time_t checked;
	time_t not_before;
};

/** struct kvg_memory - of a folder */
struct kvg_memory {
	struct kvg_memory_row rows[KVG_DOCUMENT_KIND_COUNT][KVG_CLOUD_COUNT];
};

/** kvg_memory_read() - @ret zeroed before; what cannot be read is empty; Return: 0, or -ENOMEM */
int kvg_memory_read(const char *directory, struct kvg_memory *ret);

/** kvg_memory_write() - all or nothing; Return: 0, or a negative errno */
int kvg_memory_write(const char *directory, const struct kvg_memory *memory);

/** kvg_memory_set() - replace a string by a copy of @text, which may be NULL; Return: 0, or -ENOMEM */
int kvg_memory_set(char **field, const char *text);

/** kvg_memory_done() - free what it holds */
void kvg_memory_done(struct kvg_memory *memory);

#endif
