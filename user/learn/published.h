/* SPDX-License-Identifier: BSD-2-Clause */
/* Which published groups hold an address. */
#ifndef KVG_LEARN_PUBLISHED_H
#define KVG_LEARN_PUBLISHED_H

#include <stdbool.h>

#include "ranges/library.h"

/** kvg_published_holds() - does a prefix of the group hold the address (a /32 or /128)? */
bool kvg_published_holds(const struct kvg_group *group, const struct kvg_prefix *address);

/**
 * kvg_published_region() - the regional tag of @tag that holds the address most closely
 * @library: documents
 * @cloud:   whose
 * @tag:     "AzureKeyVault"
 * @address: a /32 or /128
 *
 * Return: the group, or NULL
 */
const struct kvg_group *kvg_published_region(const struct kvg_library *library,
					     enum kvg_cloud cloud, const char *tag,
					     const struct kvg_prefix *address);

/**
 * kvg_published_smallest() - the tag that says most of an address
 * @library: documents
 * @cloud:   whose
 * @address: a /32 or /128
 *
 * AzureCloud and its regions hold everything, and are named only where nothing else is published.
 *
 * Return: the service tag with the fewest prefixes that holds it, or NULL
 */
const struct kvg_group *kvg_published_smallest(const struct kvg_library *library,
					       enum kvg_cloud cloud,
					       const struct kvg_prefix *address);

#endif
