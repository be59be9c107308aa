// SPDX-License-Identifier: BSD-2-Clause
#include "gate/own.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/pins.h"
#include "gate/set.h"

void kvg_own_done(struct kvg_own *own)
{
	free(own->ids);
}

bool kvg_own_has(void *data, __u32 id)
{
	const struct kvg_own *own = data;

	for (size_t i = 0; i < own->count; i++) {
		if (own->ids[i] == id)
			return true;
	}
	return false;
}

__u32 kvg_own_program_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? 0 : info.id;
}

/* The kernel's tag is over a program's instructions. */
bool kvg_own_is_same_program(int a, int b)
{
	struct bpf_prog_info infos[2] = {};
	const int fds[] = {a, b};

	for (int i = 0; i < 2; i++) {
		__u32 size = sizeof(infos[i]);

		if (fds[i] < 0 || bpf_obj_get_info_by_fd(fds[i], &infos[i], &size) < 0)
			return false;
	}
	return memcmp(infos[0].tag, infos[1].tag, sizeof(infos[0].tag)) == 0;
}

static int add(struct kvg_own *own, __u32 id)
{
	__u32 *more = reallocarray(own->ids, own->count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	own->ids = more;
	more[own->count++] = id;
	return 0;
}

static int add_set(struct kvg_own *own, const char *bpffs_dir, const char *name)
{
	KVG_CLEANUP(kvg_freep) char *set_path = NULL;
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct dirent *entry;
	int r = 0;
	DIR *dir;

	if (asprintf(&set_path, "%s/%s", bpffs_dir, name) < 0 ||
	    asprintf(&path, "%s/progs", set_path) < 0)
		return -ENOMEM;
	dir = opendir(path);
	while (dir && r == 0 && (entry = readdir(dir))) {
		KVG_CLEANUP(kvg_closep) int fd = -1;

		if (entry->d_name[0] == '.')
			continue;
		fd = kvg_pins_get(set_path, "progs", entry->d_name);
		if (fd >= 0)
			r = add(own, kvg_own_program_id(fd));
	}
	if (dir)
		closedir(dir);
	return r;
}

int kvg_own_read(const char *bpffs_dir, struct kvg_own *ret)
{
	char **names = NULL;
	int r = kvg_set_list(bpffs_dir, &names);

	*ret = (struct kvg_own){0};
	for (char **name = names; r == 0 && *name; name++)
		r = add_set(ret, bpffs_dir, *name);
	kvg_set_list_free(names);
	return r;
}
