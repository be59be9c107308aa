/* SPDX-License-Identifier: BSD-2-Clause */
/* What store.c and refused.c share; nobody else includes it. */
#ifndef KVG_RANGES_STORE_INTERNAL_H
#define KVG_RANGES_STORE_INTERNAL_H

#include "ranges/library.h"
#include "ranges/store.h"

/**
 * struct kvg_store - a folder that is open
 * @directory: as opened
 * @lock:      held while it is open
 * @library:   what is in use
 */
struct kvg_store {
	char *directory;
	int lock;
	struct kvg_library library;
};

/** kvg_store_path() - "DIRECTORY/FOLDER/NAME", @folder may be NULL; freed by the caller; NULL: no memory */
char *kvg_store_path(const struct kvg_store *store, const char *folder, const char *name);

#endif
