/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A published range document, whichever of the two formats it came in: named groups of prefixes of
 * one cloud. Service tags are groups by tag id ("AzureKeyVault.WestEurope"), Microsoft 365 endpoint
 * sets are groups by the set's number ("56").
 */
#ifndef KVG_RANGES_DOCUMENT_H
#define KVG_RANGES_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/digest.h"
#include "ranges/prefix.h"

/* 4.2 MB is the largest ever published; sixteen times that is not a range document any more. */
#define KVG_DOCUMENT_MAX_BYTES (64UL << 20)

/* X(enumerator, word, the "cloud" of service tags) */
#define KVG_CLOUDS(X)                        \
	X(PUBLIC, "public", "Public")        \
	X(USGOV, "usgov", "AzureGovernment") \
	X(CHINA, "china", "China")           \
	X(GERMANY, "germany", "AzureGermany") /* retired 2025-03: recognised, and refused */

enum kvg_cloud {
#define X(name, word, tags_name) KVG_CLOUD_##name,
	KVG_CLOUDS(X)
#undef X
		KVG_CLOUD_COUNT
};

/* X(enumerator, the "kind" in a policy's sources) */
#define KVG_DOCUMENT_KINDS(X)           \
	X(SERVICE_TAGS, "service-tags") \
	X(M365, "m365-endpoints")

enum kvg_document_kind {
#define X(name, word) KVG_DOCUMENT_KIND_##name,
	KVG_DOCUMENT_KINDS(X)
#undef X
		KVG_DOCUMENT_KIND_COUNT
};

/**
 * struct kvg_group - the prefixes that one tag or set publishes
 * @name:          tag id or set number, exactly as published
 * @region:        "region" of the tag's properties, lower case as published; "" if not regional
 * @prefixes:      sorted by kvg_prefix_compare(), no two equal; a part of the document's
 * @count:         how many
 */
struct kvg_group {
	char *name;
	char *region;
	struct kvg_prefix *prefixes;
	size_t count;
};

/**
 * struct kvg_document - a range document that was read and found sound
 * @kind:          which format
 * @cloud:         whose ranges
 * @file:          last part of its path, for messages and for a policy's sources
 * @change_number: top-level "changeNumber"; 0 in M365. No proof of order: it has repeated and fallen
 * @first_day:     earliest day its file name may mean, YYYYMMDD; 0 if the name has no date
 * @last_day:      latest such day; differs from @first_day where the name says only a month
 * @digest:        SHA-256 of the file's bytes
 * @groups:        sorted by name (strcmp), unique; one piece with their names and regions
 * @groups_count:  how many
 * @prefixes:      those of all groups, in one piece
 */
struct kvg_document {
	enum kvg_document_kind kind;
	enum kvg_cloud cloud;
	char *file;
	unsigned long change_number;
	unsigned int first_day;
	unsigned int last_day;
	unsigned char digest[KVG_DIGEST_BYTES];
	struct kvg_group *groups;
	size_t groups_count;
	struct kvg_prefix *prefixes;
};

/**
 * kvg_document_parse() - read a document from memory
 * @file:        its name, for the date in it and for @ret->file; no path is opened
 * @data:        the bytes; need not be NUL-terminated
 * @size:        how many; above KVG_DOCUMENT_MAX_BYTES it is refused
 * @ret:         the document, freed by the caller; untouched on failure
 * @reterr_diag: what is wrong and with which element
 *
 * Return: 0, or a negative errno:
 *   -ENOMSG     not a range document at all (HTML, empty, other JSON): a folder's reader skips it
 *   -EINVAL     a range document, but broken
 *   -EOPNOTSUPP a cloud that was retired (AzureGermany)
 *   -EFBIG      too large
 *   -ENOMEM
 */
int kvg_document_parse(const char *file, const char *data, size_t size, struct kvg_document **ret,
		       struct kvg_diag *reterr_diag);

/** kvg_document_free() - free it; NULL is fine; Return: NULL */
struct kvg_document *kvg_document_free(struct kvg_document *document);

/** kvg_document_freep() - for KVG_CLEANUP */
void kvg_document_freep(struct kvg_document **document);

/** kvg_document_find() - the group of exactly this name, or NULL; never by prefix */
const struct kvg_group *kvg_document_find(const struct kvg_document *document, const char *name);

/** kvg_document_check() - are all promises of the structures kept? for tests; Return: 0 or -EINVAL */
int kvg_document_check(const struct kvg_document *document);

/** kvg_cloud_word() - "public", "usgov", ... */
const char *kvg_cloud_word(enum kvg_cloud cloud);

/** kvg_cloud_tags_name() - the "cloud" of its service tags, "Public", "AzureGovernment", ... */
const char *kvg_cloud_tags_name(enum kvg_cloud cloud);

/** kvg_cloud_parse() - of the word; Return: 0, or -EINVAL */
int kvg_cloud_parse(const char *word, enum kvg_cloud *ret);

/** kvg_document_kind_word() - "service-tags" or "m365-endpoints" */
const char *kvg_document_kind_word(enum kvg_document_kind kind);

#endif
