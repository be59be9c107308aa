/* SPDX-License-Identifier: BSD-2-Clause */
/* A folder of a test's own under TMPDIR, as cmocka's set-up and tear-down; *state is its path. */
#ifndef KVG_TESTS_FOLDER_H
#define KVG_TESTS_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** folder_make() - cmocka set-up */
static inline int folder_make(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *path;

	if (asprintf(&path, "%s/kvgate-test-XXXXXX", tmp ? tmp : "/tmp") < 0)
		return -1;

	*state = path;
	return mkdtemp(path) ? 0 : -1;
}

static inline int folder_remove_entry(const char *path, const struct stat *st, int type,
				      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/** folder_remove() - cmocka tear-down */
static inline int folder_remove(void **state)
{
	int r = nftw(*state, folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return r;
}

/** folder_path() - of @name in the folder; freed by the caller */
static inline char *folder_path(void **state, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", (const char *)*state, name) < 0 ? NULL : path;
}

/** folder_write() - a file in the folder; Return: its path, freed by the caller; NULL on failure */
static inline char *folder_write(void **state, const char *name, const char *text)
{
	char *path = folder_path(state, name);
	FILE *file = path ? fopen(path, "w") : NULL;
	int r = -1;

	if (file) {
		r = fputs(text, file);
		r |= fclose(file);
	}
	if (r < 0) {
		free(path);
		return NULL;
	}
	return path;
}

#endif
