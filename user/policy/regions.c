// SPDX-License-Identifier: BSD-2-Clause
#include "policy/regions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define LIST_LINE_LEN 160 /* a note is broken into lines of about this many characters */

/* What follows "TAG." in the id of a regional tag of @tag, or NULL. */
static const char *region_suffix(const struct kvg_group *group, const char *tag)
{
	size_t length = strlen(tag);

	if (!*group->region || strncmp(group->name, tag, length) != 0 || group->name[length] != '.')
		return NULL;
	return group->name + length + 1;
}

const struct kvg_group *kvg_regions_find(const struct kvg_document *document, const char *tag,
					 const char *region)
{
	for (size_t i = 0; i < document->groups_count; i++) {
		const struct kvg_group *group = &document->groups[i];
		const char *suffix = region_suffix(group, tag);

		if (suffix &&
		    (strcasecmp(suffix, region) == 0 || strcasecmp(group->region, region) == 0))
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
	for (size_t i = 0; i < document->groups_count; i++) {
		const struct kvg_group *group = &document->groups[i];

		if (region_suffix(group, tag) && kvg_group_publishes(group, prefix))
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
	char line[2 * LIST_LINE_LEN] = "";
	size_t used = 0;
	bool first = true;
	int r = 0;

	for (size_t i = 0; i < document->groups_count && r == 0; i++) {
		const char *suffix = region_suffix(&document->groups[i], tag);

		if (!suffix)
			continue;
		if (used + strlen(suffix) > LIST_LINE_LEN && used) {
			r = note_line(notes, tag, first, line);
			first = false;
			used = 0;
		}
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", used ? ", " : "",
					 suffix);
		if (used >= sizeof(line))
			used = sizeof(line) - 1;
	}
	return r == 0 && used ? note_line(notes, tag, first, line) : r;
}
