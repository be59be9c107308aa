/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders: made with their parents, looked through in an order that is the same every time. */
#ifndef KVG_BASE_FOLDER_H
#define KVG_BASE_FOLDER_H

#include <stddef.h>

/** kvg_folder_make() - make a folder, mode 0755, and what is missing above it; 0 also if it is there */
int kvg_folder_make(const char *path);

/** kvg_folder_sync() - see to it that names made or removed in it are on disk; best effort */
void kvg_folder_sync(const char *path);

/** kvg_folder_empty() - remove the files in a folder, not the folders; best effort */
void kvg_folder_empty(const char *path);

/** struct kvg_folder_names - entries but "." and "..", sorted by bytes */
struct kvg_folder_names {
	char **items;
	size_t count;
};

/** kvg_folder_list() - names in a folder; @ret zeroed before; 0, or a negative errno */
int kvg_folder_list(const char *path, struct kvg_folder_names *ret);

/** kvg_folder_names_done() - free what it holds; for KVG_CLEANUP */
void kvg_folder_names_done(struct kvg_folder_names *names);

#endif
