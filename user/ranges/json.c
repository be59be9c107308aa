// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/cleanup.h"

void kvg_json_decrefp(json_t **value)
{
	json_decref(*value);
}

int kvg_json_refuse_at(const char *text, size_t offset, int error, struct kvg_diag *diag,
		       const char *what)
{
	unsigned int line = 1;
	unsigned int column = 1;

	for (size_t i = 0; diag && i < offset; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return kvg_diag_set_at(diag, error, line, column, "%s", what);
}

/*
 * Brackets and commas outside strings: a bound on depth and on values before any is built. And no
 * NUL, which jansson 2.14 takes for nothing at all after a number.
 */
static int check_bounds(const char *text, size_t size, struct kvg_diag *diag)
{
	size_t values = 0;
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c == '\0')
			return kvg_json_refuse_at(text, i, -EINVAL, diag, "a NUL byte");
		if (quoted) {
			if (c == '\\')
				i++;
			quoted = c != '"';
		} else if (c == '"') {
			quoted = true;
		} else if (c == ',' || c == '[' || c == '{') {
			depth += c != ',';
			values++;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}

		if (depth > KVG_JSON_DEPTH_MAX)
			return kvg_json_refuse_at(text, i, -EFBIG, diag,
						  "nested deeper than any range document");
		if (values > KVG_JSON_VALUES_MAX)
			return kvg_json_refuse_at(text, i, -EFBIG, diag,
						  "more values than any range document");
	}
	return 0;
}

int kvg_json_load(const char *text, size_t size, json_t **ret, struct kvg_diag *reterr_diag)
{
	json_error_t error;
	json_t *value;
	int r;

	r = check_bounds(text, size, reterr_diag);
	if (r < 0)
		return r;

	value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!value && json_error_code(&error) == json_error_out_of_memory)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	if (!value)
		return kvg_diag_set_at(reterr_diag, -EINVAL, (unsigned int)error.line,
				       error.column > 0 ? (unsigned int)error.column : 1,
				       "broken JSON: %s", error.text);

	*ret = value;
	return 0;
}

int kvg_json_refuse(const struct kvg_json_place *place, int error, const char *format, ...)
{
	char message[sizeof(place->diag->msg)];
	va_list args;

	if (!place->diag)
		return error;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);

	if (!place->noun)
		return kvg_diag_set(place->diag, error, "%s", message);
	if (place->name)
		return kvg_diag_set(place->diag, error, "%s \"%s\"%s", place->noun, place->name,
				    message);
	return kvg_diag_set(place->diag, error, "%s %zu%s", place->noun, place->number, message);
}

int kvg_json_get(const struct kvg_json_place *place, const json_t *object, const char *key,
		 json_type type, json_t **ret)
{
	const char *colon = place->noun ? ": " : "";
	json_t *value = json_object_get(object, key);

	if (!value)
		return kvg_json_refuse(place, -EINVAL, "%s\"%s\" is missing", colon, key);
	if (json_typeof(value) != type)
		return kvg_json_refuse(place, -EINVAL, "%s\"%s\" is %s, not %s", colon, key,
				       kvg_json_type_words(json_typeof(value)),
				       kvg_json_type_words(type));

	*ret = value;
	return 0;
}

const char *kvg_json_type_words(json_type type)
{
	static const char *const words[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",
		[JSON_STRING] = "a string",  [JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a fraction",  [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null",
	};

	return words[type];
}
