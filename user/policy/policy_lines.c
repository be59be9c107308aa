// SPDX-License-Identifier: BSD-2-Clause
#include "policy/policy_lines.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * A JSON string holds no raw newline, so these cannot be part of one. Should they stand deeper in the
 * document than the writer puts them, then what is left is no policy, and jansson's reader says so.
 */
#define HEAD "\n  \"rules\": ["
#define TAIL "\n  ],\n  \"hosts\": ["

int kvg_policy_lines_split(const char *data, size_t size, struct kvg_policy_lines *ret)
{
	const char *head = memmem(data, size, HEAD, strlen(HEAD));
	const char *rules = head ? head + strlen(HEAD) : NULL;
	const char *tail;
	size_t before;
	size_t after;
	size_t length;

	if (!rules)
		return -ENOMSG;
	before = (size_t)(rules - data);
	tail = memmem(rules, size - before, TAIL, strlen(TAIL));
	if (!tail)
		return -ENOMSG;
	tail += strlen("\n  ");
	length = (size_t)(tail - rules);
	after = size - before - length;

	ret->rest = malloc(before + after);
	ret->rules = malloc(length + 1);
	if (!ret->rest || !ret->rules)
		return -ENOMEM;

	memcpy(ret->rest, data, before);
	memcpy(ret->rest + before, tail, after);
	ret->rest_size = before + after;
	memcpy(ret->rules, rules, length);
	ret->rules[length] = '\0';
	ret->cursor = ret->rules;
	return 0;
}

void kvg_policy_lines_done(struct kvg_policy_lines *lines)
{
	free(lines->rest);
	free(lines->rules);
	*lines = (struct kvg_policy_lines){0};
}

static bool skip(char **cursor, const char *expected)
{
	size_t length = strlen(expected);

	if (strncmp(*cursor, expected, length) != 0)
		return false;
	*cursor += length;
	return true;
}

/* A string of plain ASCII without escapes, behind its opening quote; the closing one becomes NUL. */
static const char *take_string(char **cursor)
{
	const char *start = *cursor;
	unsigned char *c = (unsigned char *)*cursor;

	while (*c >= ' ' && *c < 0x7f && *c != '"' && *c != '\\')
		c++;
	if (*c != '"')
		return NULL;
	*c = '\0';
	*cursor = (char *)c + 1;
	return start;
}

/* "a", "b"] behind the opening bracket and quote. */
static bool take_list(char **cursor, const char **list, size_t max, size_t *ret_count)
{
	size_t count = 0;

	do {
		if (count == max)
			return false;
		list[count] = take_string(cursor);
		if (!list[count++])
			return false;
	} while (skip(cursor, ", \""));

	*ret_count = count;
	return skip(cursor, "]");
}

int kvg_policy_lines_next(struct kvg_policy_lines *lines, struct kvg_policy_line *ret)
{
	char **cursor = &lines->cursor;

	if (strcmp(*cursor, "\n  ") == 0)
		return 0;

	if (!skip(cursor, "\n    { \"prefix\": \""))
		return -ENOMSG;
	ret->prefix = take_string(cursor);
	if (!ret->prefix || !skip(cursor, ", \"allow\": [\""))
		return -ENOMSG;
	if (!take_list(cursor, ret->services, KVG_SERVICES_MAX, &ret->services_count) ||
	    !skip(cursor, ", \"from\": [\""))
		return -ENOMSG;
	if (!take_list(cursor, ret->names, KVG_POLICY_LINE_NAMES_MAX, &ret->names_count) ||
	    !skip(cursor, " }"))
		return -ENOMSG;

	/* A comma before every further line, none before the end. */
	if (skip(cursor, ","))
		return strcmp(*cursor, "\n  ") != 0 ? 1 : -ENOMSG;
	return strcmp(*cursor, "\n  ") == 0 ? 1 : -ENOMSG;
}
