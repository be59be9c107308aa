// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ranges/reader.h"

static int compare_prefixes(const void *a, const void *b)
{
	return kvg_prefix_compare(a, b);
}

static int compare_groups(const void *a, const void *b)
{
	const struct kvg_group *group_a = a;
	const struct kvg_group *group_b = b;

	return strcmp(group_a->name, group_b->name);
}

static int read_item(const struct kvg_json_place *place, const json_t *item, size_t number,
		     struct kvg_prefix *ret)
{
	struct kvg_diag why;

	if (!json_is_string(item))
		return kvg_json_refuse(place, -EINVAL, ", prefix %zu is %s, not a string", number,
				       kvg_json_type_words(json_typeof(item)));

	if (kvg_prefix_parse(json_string_value(item), ret, &why) < 0)
		return kvg_json_refuse(place, -EINVAL, ", prefix %zu: %s", number, why.msg);

	if (!kvg_prefix_is_publishable(ret))
		return kvg_json_refuse(place, -EINVAL,
				       ", prefix %zu: \"%s\" is wider than any published one",
				       number, json_string_value(item));
	return 0;
}

static int read_items(struct kvg_reader *reader, const struct kvg_json_place *place,
		      const json_t *list, struct kvg_group *group)
{
	size_t count = json_array_size(list);

	if (count > reader->prefixes_room)
		return -EOVERFLOW; /* impossible: they were counted */

	group->prefixes = reader->prefixes;
	group->count = count;
	for (size_t i = 0; i < count; i++) {
		int r = read_item(place, json_array_get(list, i), i + 1, &group->prefixes[i]);

		if (r < 0)
			return r;
	}

	reader->prefixes += count;
	reader->prefixes_room -= count;
	return 0;
}

static int find_taken(const struct kvg_reader *reader, const json_t *number,
		      struct kvg_group *group)
{
	size_t i = (size_t)json_integer_value(number);

	if (i >= reader->lists->lists_count)
		return -EINVAL;

	group->count = reader->lists->lists[i].count;
	if (group->count > 0)
		group->prefixes = reader->prefixes + reader->lists->lists[i].first;
	return 0;
}

/* Published lists are in order, each block of a family; a sort that is not needed is not cheap. */
static int sort_prefixes(const struct kvg_json_place *place, struct kvg_group *group)
{
	char text[KVG_PREFIX_STRLEN];
	size_t i = 1;

	while (i < group->count &&
	       compare_prefixes(group->prefixes + i - 1, group->prefixes + i) < 0)
		i++;
	if (i >= group->count)
		return 0;

	qsort(group->prefixes, group->count, sizeof(*group->prefixes), compare_prefixes);
	for (i = 1; i < group->count; i++) {
		if (compare_prefixes(group->prefixes + i - 1, group->prefixes + i) == 0)
			return kvg_json_refuse(place, -EINVAL, ": prefix \"%s\" appears twice",
					       kvg_prefix_format(group->prefixes + i, text));
	}
	return 0;
}

/* Into the room behind the groups; every name and region was longer in the text, by its quotes. */
static char *keep_text(struct kvg_reader *reader, const char *text)
{
	size_t size = strlen(text) + 1;
	char *kept = reader->texts;

	if (size > reader->texts_room)
		return NULL;

	memcpy(kept, text, size);
	reader->texts += size;
	reader->texts_room -= size;
	return kept;
}

static int name_group(struct kvg_reader *reader, const struct kvg_json_place *place,
		      const char *region, struct kvg_group *group)
{
	char number[24];

	snprintf(number, sizeof(number), "%zu", place->number);
	group->name = keep_text(reader, place->name ? place->name : number);
	group->region = keep_text(reader, region);
	if (!group->name || !group->region)
		return kvg_json_refuse(place, -EOVERFLOW, ": no room for its name");
	return 0;
}

int kvg_group_read(struct kvg_reader *reader, const struct kvg_json_place *place,
		   const char *region, const json_t *list)
{
	struct kvg_group *group = &reader->document->groups[reader->document->groups_count++];
	int r;

	*group = (struct kvg_group){};
	r = name_group(reader, place, region, group);
	if (r < 0 || !list)
		return r;

	if (json_is_array(list))
		r = read_items(reader, place, list, group);
	else if (json_is_integer(list) && reader->lists)
		r = find_taken(reader, list, group);
	else
		r = kvg_json_refuse(place, -EINVAL, ": its prefixes are %s, not a list",
				    kvg_json_type_words(json_typeof(list)));
	if (r < 0)
		return r;

	return sort_prefixes(place, group);
}

int kvg_groups_make_room(struct kvg_reader *reader, size_t count, size_t prefixes_count)
{
	struct kvg_document *document = reader->document;

	document->groups = malloc(count * sizeof(*document->groups) + reader->text_size + 1);
	if (reader->lists)
		document->prefixes = KVG_TAKE_PTR(reader->lists->prefixes);
	else
		document->prefixes = calloc(prefixes_count + 1, sizeof(*document->prefixes));
	if (!document->groups || (!document->prefixes && !reader->lists))
		return kvg_diag_set(reader->diag, -ENOMEM, "out of memory");

	reader->texts = (char *)(document->groups + count);
	reader->texts_room = reader->text_size;
	reader->prefixes = document->prefixes;
	reader->prefixes_room = reader->lists ? 0 : prefixes_count;
	return 0;
}

int kvg_groups_sort(struct kvg_reader *reader, const char *noun)
{
	struct kvg_group *groups = reader->document->groups;
	size_t count = reader->document->groups_count;

	qsort(groups, count, sizeof(*groups), compare_groups);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(groups[i - 1].name, groups[i].name) == 0)
			return kvg_diag_set(reader->diag, -EINVAL, "%s \"%s\" appears twice", noun,
					    groups[i].name);
	}
	return 0;
}

void kvg_groups_done(struct kvg_document *document)
{
	free(document->groups);
	free(document->prefixes);
	document->groups = NULL;
	document->prefixes = NULL;
	document->groups_count = 0;
}
