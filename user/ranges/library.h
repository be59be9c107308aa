/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The documents that `--ranges` names: files, or folders looked through one level deep; of each kind
 * and cloud the newest by the date in its name.
 */
#ifndef KVG_RANGES_LIBRARY_H
#define KVG_RANGES_LIBRARY_H

#include <stddef.h>

#include "ranges/document.h"

/**
 * struct kvg_library - the newest document of each kind and cloud
 * @documents: NULL where none was found; owned
 * @paths:     where each was read from; owned
 * @notes:     one line each on what was passed over and why; owned
 * @notes_count: how many
 */
struct kvg_library {
	struct kvg_document *documents[KVG_DOCUMENT_KIND_COUNT][KVG_CLOUD_COUNT];
	char *paths[KVG_DOCUMENT_KIND_COUNT][KVG_CLOUD_COUNT];
	char **notes;
	size_t notes_count;
};

/**
 * kvg_library_add() - read a file, or every document of a folder
 * @library:     zeroed before its first use
 * @path:        file or folder
 * @reterr_path: the file that was at fault; freed by the caller
 * @reterr_diag: what is wrong with it
 *
 * A named file must be a document. In a folder, what is not a range document is passed over with a
 * note, and a document that is broken is an error: an old one must not silently take its place.
 * A retired cloud's document in a folder is a note; named by itself it is an error.
 *
 * Return: 0, or a negative errno as of kvg_document_parse(); -EEXIST for two documents of one kind
 * and cloud that their dates cannot order (equal bytes are no conflict), -ENOENT for no such path
 */
int kvg_library_add(struct kvg_library *library, const char *path, char **reterr_path,
		    struct kvg_diag *reterr_diag);

/** kvg_library_done() - free what it holds */
void kvg_library_done(struct kvg_library *library);

#endif
