/* SPDX-License-Identifier: BSD-2-Clause */
/* What document.c and the readers of the two formats share; nobody else includes it. */
#ifndef KVG_RANGES_READER_H
#define KVG_RANGES_READER_H

#include <stdbool.h>

#include "ranges/document.h"
#include "ranges/json.h"
#include "ranges/lists.h"

/**
 * struct kvg_reader - a document while it is read
 * @document:      to be filled; empty groups are freed with it
 * @lists:         what was taken out of the text before; NULL if it is read the plain way
 * @diag:          where a fault is written; NULL if nobody wants to know
 * @text_size:     bytes of the text that was read
 * @texts:         where the next group's name and region go
 * @texts_room:    for how many bytes more there is room
 * @prefixes:      the document's: those of @lists, or where the next group's go
 * @prefixes_room: for how many more there is room
 */
struct kvg_reader {
	struct kvg_document *document;
	struct kvg_lists *lists;
	struct kvg_diag *diag;
	size_t text_size;
	char *texts;
	size_t texts_room;
	struct kvg_prefix *prefixes;
	size_t prefixes_room;
};

/** kvg_service_tags_recognise() - is this, whole or broken, a document of service tags? */
bool kvg_service_tags_recognise(const json_t *root);

/** kvg_service_tags_read() - fill kind, cloud, change number and groups; as kvg_document_parse() */
int kvg_service_tags_read(struct kvg_reader *reader, const json_t *root);

/**
 * kvg_service_tags_peek() - guess the cloud from how a document begins, to put off reading it whole
 * @head: NUL-terminated
 * @ret:  the cloud
 *
 * Return: 0, or -ENOMSG if it does not begin as published documents do; it may be one all the same
 */
int kvg_service_tags_peek(const char *head, enum kvg_cloud *ret);

/** kvg_m365_recognise() - is this, whole or broken, a document of Microsoft 365 endpoints? */
bool kvg_m365_recognise(const json_t *root);

/** kvg_m365_read() - fill kind, cloud and groups; as kvg_document_parse() */
int kvg_m365_read(struct kvg_reader *reader, const json_t *root);

/**
 * kvg_group_read() - append a group to the document
 * @reader: the document's
 * @place:  the element; its name, or its number in decimal, is the group's
 * @region: may be ""
 * @list:   list of prefixes, or the number that stands for one; NULL for none
 *
 * The document's array of groups must have room for it.
 *
 * Return: 0, or a negative errno
 */
int kvg_group_read(struct kvg_reader *reader, const struct kvg_json_place *place,
		   const char *region, const json_t *list);

/**
 * kvg_groups_make_room() - for the groups of an empty document
 * @reader:         the document's
 * @count:          groups
 * @prefixes_count: prefixes in lists that were not taken out before
 *
 * Return: 0, or -ENOMEM
 */
int kvg_groups_make_room(struct kvg_reader *reader, size_t count, size_t prefixes_count);

/** kvg_groups_sort() - bring them in order; Return: 0, or -EINVAL if two @noun have one name */
int kvg_groups_sort(struct kvg_reader *reader, const char *noun);

/** kvg_groups_done() - free the document's groups */
void kvg_groups_done(struct kvg_document *document);

/**
 * kvg_document_read_date() - the days that a file name may mean
 * @file:      YYYYMMDD, YYYYMMDDNN (M365 version), YYYY-MM-DD or YYYY-MM anywhere in it
 * @ret_first: earliest day of all dates in it, YYYYMMDD; 0 if there is none
 * @ret_last:  latest such day; 0 if there is none
 */
void kvg_document_read_date(const char *file, unsigned int *ret_first, unsigned int *ret_last);

#endif
