// SPDX-License-Identifier: BSD-2-Clause
#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static int make_one(const char *path)
{
	struct stat st;

	if (mkdir(path, 0755) == 0)
		return 0;
	/* On a read-only file system that is EROFS, also where the folder is there. */
	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	return errno == ENOENT ? -ENOENT : -errno;
}

int kvg_folder_make(const char *path)
{
	KVG_CLEANUP(kvg_freep) char *part = strdup(path);
	int r = 0;

	if (!part)
		return -ENOMEM;
	for (char *slash = strchr(part + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = make_one(part);
		*slash = '/';
	}
	return r < 0 ? r : make_one(part);
}

void kvg_folder_sync(const char *path)
{
	KVG_CLEANUP(kvg_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		fsync(fd);
}

void kvg_folder_empty(const char *path)
{
	KVG_CLEANUP(kvg_folder_names_done) struct kvg_folder_names names = {0};

	kvg_folder_list(path, &names);
	for (size_t i = 0; i < names.count; i++) {
		KVG_CLEANUP(kvg_freep) char *file = NULL;

		if (asprintf(&file, "%s/%s", path, names.items[i]) < 0) {
			file = NULL;
			return;
		}
		unlink(file);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct kvg_folder_names *names, const char *name)
{
	char **items;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	items = reallocarray(names->items, names->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	names->items = items;

	items[names->count] = strdup(name);
	return items[names->count] ? (names->count++, 0) : -ENOMEM;
}

int kvg_folder_list(const char *path, struct kvg_folder_names *ret)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	int r = 0;

	if (!folder)
		return -errno;
	while (r == 0 && (errno = 0, entry = readdir(folder)))
		r = add_name(ret, entry->d_name);
	if (r == 0)
		r = -errno;
	closedir(folder);

	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), by_bytes);
	return r;
}

void kvg_folder_names_done(struct kvg_folder_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct kvg_folder_names){0};
}
