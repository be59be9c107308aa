// SPDX-License-Identifier: BSD-2-Clause
#include "learn/published.h"

#include <string.h>

/* Length of the longest prefix that holds the address, plus one; 0 if none does. */
static unsigned int longest(const struct kvg_group *group, const struct kvg_prefix *address)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < group->count; i++) {
		if (kvg_prefix_holds(&group->prefixes[i], address) &&
		    group->prefixes[i].bits + 1U > bits)
			bits = group->prefixes[i].bits + 1U;
	}
	return bits;
}

bool kvg_published_holds(const struct kvg_group *group, const struct kvg_prefix *address)
{
	return longest(group, address);
}

static bool is_region_of(const struct kvg_group *group, const char *tag)
{
	size_t len = strlen(tag);

	return *group->region && strncmp(group->name, tag, len) == 0 && group->name[len] == '.';
}

const struct kvg_group *kvg_published_region(const struct kvg_library *library,
					     enum kvg_cloud cloud, const char *tag,
					     const struct kvg_prefix *address)
{
	const struct kvg_document *document =
		library->documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][cloud];
	const struct kvg_group *best = NULL;
	unsigned int best_bits = 0;

	for (size_t i = 0; document && tag && i < document->groups_count; i++) {
		const struct kvg_group *group = &document->groups[i];
		unsigned int bits = is_region_of(group, tag) ? longest(group, address) : 0;

		if (bits > best_bits) {
			best = group;
			best_bits = bits;
		}
	}
	return best;
}

static bool is_everything(const struct kvg_group *group)
{
	return strncmp(group->name, "AzureCloud", strlen("AzureCloud")) == 0;
}

static bool says_more(const struct kvg_group *group, const struct kvg_group *than)
{
	if (!than || is_everything(group) != is_everything(than))
		return !than || is_everything(than);
	return group->count < than->count;
}

const struct kvg_group *kvg_published_smallest(const struct kvg_library *library,
					       enum kvg_cloud cloud,
					       const struct kvg_prefix *address)
{
	const struct kvg_document *document =
		library->documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][cloud];
	const struct kvg_group *best = NULL;

	for (size_t i = 0; document && i < document->groups_count; i++) {
		const struct kvg_group *group = &document->groups[i];

		if (says_more(group, best) && longest(group, address))
			best = group;
	}
	return best;
}
