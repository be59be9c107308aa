// SPDX-License-Identifier: BSD-2-Clause
#include "policy/needs.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "policy/regions.h"

static int add_region(const struct kvg_document *document, const char *tag, const char *region,
		      struct kvg_guard_needs *needs, const char *who)
{
	const struct kvg_group *group = kvg_regions_find(document, tag, region);
	KVG_CLEANUP(kvg_freep) char *name = NULL;

	if (group)
		return kvg_guard_needs_add(needs, group->name, who);
	if (asprintf(&name, "%s.%s", tag, region) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	return kvg_guard_needs_add(needs, name, who);
}

static int add_row(const struct kvg_profile *profile, const struct kvg_document *document,
		   const struct kvg_catalogue_tag *row, struct kvg_guard_needs *needs,
		   const char *who)
{
	int r = 0;

	if (row->cloud != document->cloud || row->kind != document->kind ||
	    !(profile->functions & 1U << row->function))
		return 0;
	if (!row->regional || !profile->regions_count)
		return kvg_guard_needs_add(needs, row->name, who);

	for (size_t i = 0; i < profile->regions_count && r == 0; i++)
		r = add_region(document, row->name, profile->regions[i], needs, who);
	return r;
}

int kvg_needs_add(const struct kvg_profile *profile, const struct kvg_document *document,
		  struct kvg_guard_needs *needs)
{
	KVG_CLEANUP(kvg_freep) char *who = NULL;
	size_t count;
	const struct kvg_catalogue_tag *rows = kvg_catalogue_tags(&count);
	int r = 0;

	if (profile->cloud != document->cloud)
		return 0;
	if (asprintf(&who, "profile '%s'", profile->name) < 0) {
		who = NULL;
		return -ENOMEM;
	}

	for (size_t i = 0; i < count && r == 0; i++)
		r = add_row(profile, document, &rows[i], needs, who);
	if (document->kind != KVG_DOCUMENT_KIND_SERVICE_TAGS)
		return r;
	for (size_t i = 0; i < profile->crl_tags_count && r == 0; i++)
		r = kvg_guard_needs_add(needs, profile->crl_tags[i], who);
	return r;
}
