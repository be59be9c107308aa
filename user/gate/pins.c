// SPDX-License-Identifier: BSD-2-Clause
#include "gate/pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

int kvg_pins_make_root(const char *bpffs_dir, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *parent = strdup(bpffs_dir);
	char *slash;

	if (!parent)
		return -ENOMEM;
	if (is_bpffs(bpffs_dir))
		return 0;

	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return kvg_diag_set(reterr_diag, -ENODEV, "\"%s\" is not in a bpffs", bpffs_dir);
	*slash = '\0';
	if (!is_bpffs(parent))
		return kvg_diag_set(
			reterr_diag, -ENODEV,
			"no bpffs at %s, where gates are pinned so that they outlive this "
			"command (mount -t bpf bpf %s)",
			parent, parent);
	if (mkdir(bpffs_dir, 0700) < 0 && errno != EEXIST)
		return kvg_diag_set(reterr_diag, -errno, "cannot make %s: %s", bpffs_dir,
				    strerror(errno));
	return 0;
}

static int make_folder(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int kvg_pins_make_folders(const char *set_path)
{
	static const char *const folders[] = {"", "/maps", "/progs", "/links"};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(folders); i++) {
		char path[PATH_MAX];
		int r;

		snprintf(path, sizeof(path), "%s%s", set_path, folders[i]);
		r = make_folder(path);
		if (r < 0)
			return r;
	}
	return 0;
}

int kvg_pins_make_folder(const char *set_path, const char *folder)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", set_path, folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return make_folder(path);
}

int kvg_pins_put(const char *set_path, const char *folder, const char *name, int fd)
{
	char path[PATH_MAX];
	int r = kvg_pins_make_folder(set_path, folder);

	if (r < 0)
		return r;
	if (snprintf(path, sizeof(path), "%s/%s/%s", set_path, folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

/* Names in a bpffs have no dots. */
int kvg_pins_replace(const char *set_path, const char *folder, const char *name, int fd)
{
	char fresh[PATH_MAX], path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s/%s", set_path, folder, name) >= (int)sizeof(path) ||
	    snprintf(fresh, sizeof(fresh), "%s/%s/%s-new", set_path, folder, name) >=
		    (int)sizeof(fresh))
		return -ENAMETOOLONG;
	if ((unlink(fresh) < 0 && errno != ENOENT) || bpf_obj_pin(fd, fresh) < 0)
		return -errno;
	return rename(fresh, path) < 0 ? -errno : 0;
}

int kvg_pins_get(const char *set_path, const char *folder, const char *name)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s/%s", set_path, folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int kvg_pins_drop(const char *set_path, const char *folder, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s/%s", set_path, folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* A bpffs has pins of the kernel's own at its root (maps.debug): no folders. */
static int is_folder(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

int kvg_pins_list_folders(const char *path, char ***ret)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_folder, alphasort);
	char **names;
	int r = 0;

	if (count < 0 && errno != ENOENT)
		return -errno;
	if (count < 0)
		count = 0;

	names = calloc(count + 1, sizeof(*names));
	for (int i = 0; i < count; i++) {
		if (names)
			names[i] = strdup(entries[i]->d_name);
		if (!names || !names[i])
			r = -ENOMEM;
		free(entries[i]);
	}
	free(entries);
	if (!names || r < 0) {
		for (int i = 0; names && i < count; i++)
			free(names[i]);
		free(names);
		return -ENOMEM;
	}
	*ret = names;
	return 0;
}

void kvg_pins_detach_links(const char *set_path, const char *folder)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", set_path, folder);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		KVG_CLEANUP(kvg_closep) int link = -1;

		if (entry->d_name[0] == '.')
			continue;
		link = kvg_pins_get(set_path, folder, entry->d_name);
		if (link >= 0)
			bpf_link_detach(link);
	}
	if (dir)
		closedir(dir);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path) < 0 ? -1 : 0;
}

int kvg_pins_remove_tree(const char *path)
{
	return nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) < 0 ? -errno : 0;
}
