/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON from elsewhere: read with bounds, and asked for values with an answer that names the element. */
#ifndef KVG_RANGES_JSON_H
#define KVG_RANGES_JSON_H

#include <stddef.h>

#include <jansson.h>

#include "base/diag.h"

/*
 * Range documents are at most six deep. jansson itself stops at 2,048, by its build; this bound is
 * ours and spares the stack of whoever walks the result.
 */
#define KVG_JSON_DEPTH_MAX 32

/*
 * Values in one text. The largest document has some 160,000; at about 150 bytes for the costliest
 * kind, an empty list, two million are 300 MB, and more is not read at all.
 */
#define KVG_JSON_VALUES_MAX 2000000

/**
 * struct kvg_json_place - the element that values are asked of, for messages
 * @noun:   "tag", "set"; NULL for the document itself
 * @name:   its name, put in quotes; NULL if it goes by number
 * @number: its number if it has no name
 * @diag:   where a fault is written; NULL if nobody wants to know
 */
struct kvg_json_place {
	const char *noun;
	const char *name;
	size_t number;
	struct kvg_diag *diag;
};

/** kvg_json_decrefp() - json_decref() for KVG_CLEANUP */
void kvg_json_decrefp(json_t **value);

/**
 * kvg_json_load() - read a text whole; a key that appears twice in an object is an error
 * @text:        UTF-8, need not be NUL-terminated
 * @size:        bytes
 * @ret:         the value, to be given back with json_decref()
 * @reterr_diag: why not, with line and column
 *
 * Return: 0, or a negative errno: -EINVAL, -EFBIG above the bounds, -ENOMEM
 */
int kvg_json_load(const char *text, size_t size, json_t **ret, struct kvg_diag *reterr_diag);

/** kvg_json_refuse_at() - say "@what" with the line and column of @text + @offset; Return: @error */
int kvg_json_refuse_at(const char *text, size_t offset, int error, struct kvg_diag *diag,
		       const char *what);

/**
 * kvg_json_refuse() - say what is wrong with the element at @place
 * @place:  the element; its words come first, and no space after them
 * @error:  negative errno to return
 * @format: as printf(3); the rest of the sentence, with its ": ", ", " or " "
 *
 * Return: @error
 */
int kvg_json_refuse(const struct kvg_json_place *place, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * kvg_json_get() - a value that an object must have
 * @place:  the object's element
 * @object: an object
 * @key:    which value
 * @type:   what it must be
 * @ret:    the value, borrowed from @object
 *
 * Return: 0, or -EINVAL with a message if it is absent or of another type
 */
int kvg_json_get(const struct kvg_json_place *place, const json_t *object, const char *key,
		 json_type type, json_t **ret);

/** kvg_json_type_words() - "a list", "a string", ... */
const char *kvg_json_type_words(json_type type);

#endif
