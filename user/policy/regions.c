// SPDX-License-Identifier: BSD-2-Clause
#include "policy/regions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define LIST_LINE_LEN 160 /* a note is broken into lines of about this many characters */

/* "FranceCentral" of "AzureKeyVault.FranceCentral". */
static const char *suffix_of(const struct kvg_group *group, const char *tag)
{
	return group->name + strlen(tag) + 1;
}

/* Names are sorted: those that begin with "TAG." stand together, from the first on. */
static const struct kvg_group *first_of(const struct kvg_document *document, const char *tag)
{
	size_t length = strlen(tag);
	size_t lo = 0;
	size_t hi = document->groups_count;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;
		const char *name = document->groups[middle].name;
		int order = strncmp(name, tag, length);

		if (order < 0 || (order == 0 && (unsigned char)name[length] < '.'))
			lo = middle + 1;
		else
			hi = middle;
	}
	return document->groups + lo;
}

/* The next regional tag of @tag after @group, or at first_of(); NULL at the end. */
static const struct kvg_group *next_of(const struct kvg_document *document, const char *tag,
				       const struct kvg_group *group)
{
	const struct kvg_group *end = document->groups + document->groups_count;
	size_t length = strlen(tag);

	for (group = group ? group + 1 : first_of(document, tag); group < end; group++) {
		if (strncmp(group->name, tag, length) != 0 || group->name[length] != '.')
			return NULL;
		if (*group->region)
			return group;
	}
	return NULL;
}

const struct kvg_group *kvg_regions_find(const struct kvg_document *document, const char *tag,
					 const char *region)
{
	const struct kvg_group *group = NULL;

	while ((group = next_of(document, tag, group))) {
		if (strcasecmp(suffix_of(group, tag), region) == 0 ||
		    strcasecmp(group->region, region) == 0)
			return group;
	}
	return NULL;
}

static int compare_prefixes(const void *a, const void *b)
{
	return kvg_prefix_compare(a, b);
}

bool kvg_group_publishes(const struct kvg_group *group, const struct kvg_prefix *prefix)
{
	return group->count && bsearch(prefix, group->prefixes, group->count,
				       sizeof(*group->prefixes), compare_prefixes);
}

const struct kvg_group *kvg_regions_of_prefix(const struct kvg_document *document, const char *tag,
					      const struct kvg_prefix *prefix)
{
	const struct kvg_group *group = NULL;

	while ((group = next_of(document, tag, group))) {
		if (kvg_group_publishes(group, prefix))
			return group;
	}
	return NULL;
}

size_t kvg_regions_count_homeless(const struct kvg_document *document, const struct kvg_group *tag)
{
	size_t homeless = 0;

	for (size_t i = 0; i < tag->count; i++) {
		if (!kvg_regions_of_prefix(document, tag->name, &tag->prefixes[i]))
			homeless++;
	}
	return homeless;
}

static int note_line(struct kvg_notes *notes, const char *tag, bool first, const char *line)
{
	if (first)
		return kvg_notes_add(notes, "the regions of %s are %s", tag, line);
	return kvg_notes_add(notes, "... %s", line);
}

int kvg_regions_note_known(const struct kvg_document *document, const char *tag,
			   struct kvg_notes *notes)
{
	const struct kvg_group *group = NULL;
	char line[2 * LIST_LINE_LEN] = "";
	size_t used = 0;
	bool first = true;
	int r = 0;

	while (r == 0 && (group = next_of(document, tag, group))) {
		if (used > LIST_LINE_LEN) {
			r = note_line(notes, tag, first, line);
			first = false;
			used = 0;
		}
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", used ? ", " : "",
					 suffix_of(group, tag));
		if (used >= sizeof(line))
			used = sizeof(line) - 1;
	}
	return r == 0 && used ? note_line(notes, tag, first, line) : r;
}
