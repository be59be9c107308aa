// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY     "\"addressPrefixes\""
#define KEY_LEN (sizeof(KEY) - 1)

/* What is still to be read of the text. */
struct cursor {
	const char *at;
	const char *end;
};

static void skip_space(struct cursor *cursor)
{
	while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\n' ||
					    *cursor->at == '\r' || *cursor->at == '\t'))
		cursor->at++;
}

/* Go over one character, and the white space before it; false if another one stands there. */
static bool take(struct cursor *cursor, char c)
{
	skip_space(cursor);
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;

	cursor->at++;
	return true;
}

/* Room for one more in an array that doubles. */
static void *make_room(void *array, size_t count, size_t *room, size_t item_bytes)
{
	size_t wanted = *room ? 2 * *room : 1024;
	void *grown;

	if (count < *room)
		return array;

	grown = realloc(array, wanted * item_bytes);
	if (grown)
		*room = wanted;
	return grown;
}

static int take_prefix(struct kvg_lists *lists, struct cursor *cursor)
{
	struct kvg_prefix *prefixes;
	const char *quote;

	prefixes = make_room(lists->prefixes, lists->prefixes_count, &lists->prefixes_room,
			     sizeof(*prefixes));
	if (!prefixes)
		return -ENOMEM;
	lists->prefixes = prefixes;

	if (!take(cursor, '"'))
		return -EINVAL;
	quote = memchr(cursor->at, '"', (size_t)(cursor->end - cursor->at));
	if (!quote)
		return -EINVAL;

	prefixes += lists->prefixes_count;
	if (kvg_prefix_parse_bytes(cursor->at, (size_t)(quote - cursor->at), prefixes) < 0 ||
	    !kvg_prefix_is_publishable(prefixes))
		return -EINVAL;

	lists->prefixes_count++;
	cursor->at = quote + 1;
	return 0;
}

static int take_list(struct kvg_lists *lists, struct cursor *cursor)
{
	struct kvg_list *grown;
	struct kvg_list list = {.first = lists->prefixes_count};
	int r;

	if (!take(cursor, '['))
		return -EINVAL;

	if (!take(cursor, ']')) {
		do {
			r = take_prefix(lists, cursor);
			if (r < 0)
				return r;
		} while (take(cursor, ','));

		if (!take(cursor, ']'))
			return -EINVAL;
	}

	grown = make_room(lists->lists, lists->lists_count, &lists->lists_room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	lists->lists = grown;

	list.count = lists->prefixes_count - list.first;
	lists->lists[lists->lists_count++] = list;
	return 0;
}

/* What remains never outgrows the text: where empty lists would make it, the plain way is as fast. */
static int keep(struct kvg_lists *lists, size_t room, const char *text, size_t size)
{
	if (size > room - lists->size)
		return -ENOSPC;

	memcpy(lists->text + lists->size, text, size);
	lists->size += size;
	return 0;
}

/* The number ends in a space, lest it grow by a digit that follows. */
static int keep_number(struct kvg_lists *lists, size_t room)
{
	char number[24];
	int len = snprintf(number, sizeof(number), "%zu ", lists->lists_count - 1);

	return keep(lists, room, number, (size_t)len);
}

static int take_all(struct kvg_lists *lists, struct cursor *cursor, size_t room)
{
	while (true) {
		const char *begin = cursor->at;
		const char *key;
		int r;

		key = memmem(begin, (size_t)(cursor->end - begin), KEY, KEY_LEN);
		if (!key)
			return keep(lists, room, begin, (size_t)(cursor->end - begin));

		cursor->at = key + KEY_LEN;
		if (!take(cursor, ':'))
			return -EINVAL;

		r = keep(lists, room, begin, (size_t)(cursor->at - begin));
		if (r == 0)
			r = take_list(lists, cursor);
		if (r == 0)
			r = keep_number(lists, room);
		if (r < 0)
			return r;
	}
}

int kvg_lists_take(struct kvg_lists *lists, const char *text, size_t size)
{
	struct cursor cursor = {.at = text, .end = text + size};

	if (memchr(text, '\\', size) || !memmem(text, size, KEY, KEY_LEN))
		return -EINVAL;

	lists->text = malloc(size + 1);
	if (!lists->text)
		return -ENOMEM;

	return take_all(lists, &cursor, size);
}

void kvg_lists_done(struct kvg_lists *lists)
{
	free(lists->text);
	free(lists->prefixes);
	free(lists->lists);
}
