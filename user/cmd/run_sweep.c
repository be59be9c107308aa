// SPDX-License-Identifier: BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/run.h"
#include "gate/gate.h"

/* Its number may belong to somebody else by now: then the gate waits for the next sweep. */
static bool is_dead(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static bool is_left_by_run(const struct kvg_set *set, __u64 *ret_cgroup_id)
{
	KVG_CLEANUP(kvg_freep) __u64 *ids = NULL;
	struct kvg_gate_info info;
	size_t count = 0;

	if (kvg_gate_list(set, &ids, &count) < 0 || count != 1 ||
	    kvg_gate_read(set, ids[0], NULL, &info) < 0)
		return false;
	*ret_cgroup_id = ids[0];
	return info.run_pid && is_dead(info.run_pid);
}

/* Removes the cgroup; false if processes are left in it, or it cannot be told. */
static bool remove_cgroup(const char *root, __u64 cgroup_id)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	const char *name;
	int r;

	r = kvg_cgroup_find_by_id(root, cgroup_id, &path);
	if (r < 0)
		return r == -ESTALE;
	name = strrchr(path, '/');
	if (!name || strncmp(name + 1, KVG_RUN_CGROUP_PREFIX, strlen(KVG_RUN_CGROUP_PREFIX)) != 0)
		return false;
	return kvg_cgroup_open(root, path, &cgroup, NULL) == 0 && cgroup.id == cgroup_id &&
	       kvg_cgroup_remove(root, &cgroup) == 0;
}

static void sweep_sets(const char *bpffs_dir, const char *root)
{
	char **names = NULL;

	if (kvg_set_list(bpffs_dir, &names) < 0)
		return;
	for (char **name = names; *name; name++) {
		KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = NULL;
		__u64 cgroup_id;

		if (kvg_set_open(bpffs_dir, *name, &set, NULL) == 0 &&
		    is_left_by_run(set, &cgroup_id) && remove_cgroup(root, cgroup_id))
			kvg_set_remove(bpffs_dir, *name);
	}
	kvg_set_list_free(names);
}

/* A kvgate that was killed before it made the gate, or after it removed it, leaves the cgroup alone. */
static void sweep_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int pid;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (sscanf(entry->d_name, KVG_RUN_CGROUP_PREFIX "%d", &pid) == 1 && is_dead(pid))
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR); /* only if it is empty */
	}
	closedir(dir);
}

void kvg_run_sweep(const char *bpffs_dir, const char *root, const char *parent)
{
	KVG_CLEANUP(kvg_freep) char *own = NULL;
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	sweep_sets(bpffs_dir, root);
	if (!parent && kvg_cgroup_of(0, &own) < 0)
		return;
	if (parent && strncmp(parent, root, strlen(root)) == 0)
		parent += strlen(root);
	if (asprintf(&path, "%s/%s", root, parent ? parent : own) < 0)
		path = NULL;
	else
		sweep_folder(path);
}
