// SPDX-License-Identifier: BSD-2-Clause
/* Documents that were replaced: for `diff`, and for prefixes that are kept for a while. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/folder.h"
#include "ranges/store.h"

/* Return: 0 with a document, -ENOENT if it is none, or -ENOMEM. */
static int read_one(const char *path, struct kvg_previous *ret)
{
	KVG_CLEANUP(kvg_document_freep) struct kvg_document *document = NULL;
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	struct stat st;
	size_t size;
	int r;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return -ENOENT;
	r = kvg_file_read(path, KVG_DOCUMENT_MAX_BYTES, &data, &size);
	if (r == 0)
		r = kvg_document_parse(path, data, size, &document, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;

	ret->path = strdup(path);
	if (!ret->path)
		return -ENOMEM;
	ret->document = KVG_TAKE_PTR(document);
	ret->replaced = st.st_mtim;
	return 0;
}

static int add_one(struct kvg_previous_list *list, const char *folder, const char *name)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct kvg_previous item = {0};
	struct kvg_previous *items;
	int r;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;

	r = read_one(path, &item);
	if (r == 0)
		items[list->count++] = item;
	return r == -ENOENT ? 0 : r;
}

/* The last replaced first; then by name, so that the order is always the same. */
static int by_time(const void *a, const void *b)
{
	const struct kvg_previous *x = a;
	const struct kvg_previous *y = b;

	if (x->replaced.tv_sec != y->replaced.tv_sec)
		return x->replaced.tv_sec > y->replaced.tv_sec ? -1 : 1;
	if (x->replaced.tv_nsec != y->replaced.tv_nsec)
		return x->replaced.tv_nsec > y->replaced.tv_nsec ? -1 : 1;
	return strcmp(y->path, x->path);
}

int kvg_previous_read(const char *directory, struct kvg_previous_list *ret)
{
	KVG_CLEANUP(kvg_folder_names_done) struct kvg_folder_names names = {0};
	KVG_CLEANUP(kvg_freep) char *folder = NULL;
	int r;

	if (asprintf(&folder, "%s/previous", directory) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	r = kvg_folder_list(folder, &names);
	if (r < 0)
		return r == -ENOMEM ? r : 0;

	for (size_t i = 0; i < names.count && r == 0; i++) {
		if (names.items[i][0] != '.')
			r = add_one(ret, folder, names.items[i]);
	}
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), by_time);
	return r;
}

void kvg_previous_done(struct kvg_previous_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		kvg_document_free(list->items[i].document);
		free(list->items[i].path);
	}
	free(list->items);
	*list = (struct kvg_previous_list){0};
}
