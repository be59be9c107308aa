/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regional tags: "AzureKeyVault.FranceCentral", which the document's "region" spells "centralfrance".
 * A dotted id need not be a region (AzureMonitor.Core): only those with a "region" are.
 */
#ifndef KVG_POLICY_REGIONS_H
#define KVG_POLICY_REGIONS_H

#include "policy/notes.h"
#include "ranges/document.h"

/**
 * kvg_regions_find() - the regional tag of @tag in a region
 * @document: service tags
 * @tag:      "AzureKeyVault"
 * @region:   the tag's suffix or the document's spelling, any case
 *
 * Return: the group, or NULL
 */
const struct kvg_group *kvg_regions_find(const struct kvg_document *document, const char *tag,
					 const char *region);

/** kvg_regions_of_prefix() - the regional tag of @tag that publishes exactly @prefix, or NULL */
const struct kvg_group *kvg_regions_of_prefix(const struct kvg_document *document, const char *tag,
					      const struct kvg_prefix *prefix);

/** kvg_regions_count_homeless() - how many prefixes of @tag no regional tag of it publishes */
size_t kvg_regions_count_homeless(const struct kvg_document *document, const struct kvg_group *tag);

/** kvg_regions_note_known() - notes that list the regions that @tag has; Return: 0, or -ENOMEM */
int kvg_regions_note_known(const struct kvg_document *document, const char *tag,
			   struct kvg_notes *notes);

/** kvg_group_publishes() - is exactly @prefix one of the group's? */
bool kvg_group_publishes(const struct kvg_group *group, const struct kvg_prefix *prefix);

#endif
