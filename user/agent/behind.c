// SPDX-License-Identifier: BSD-2-Clause
#include "agent/behind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gate/cgroup.h"
#include "gate/gate.h"

/* Links are there in a set of any layout, and as long as the gate is. */
static bool is_gated_by(const char *set_path, __u64 cgroup_id)
{
	KVG_CLEANUP(kvg_freep) char *links = NULL;

	if (asprintf(&links, "%s/links/%llu", set_path, (unsigned long long)cgroup_id) < 0) {
		links = NULL;
		return false;
	}
	return access(links, F_OK) == 0;
}

static void say(const char *set_path, const char *cgroup, __u64 cgroup_id,
		struct kvg_diag *ret_diag)
{
	struct kvg_gate_info info;

	if (kvg_gate_read_other(set_path, cgroup_id, &info) < 0)
		snprintf(info.profile, sizeof(info.profile), "?");
	kvg_diag_set(
		ret_diag, 0,
		"kvgate itself is behind the gate of \"%s\" (profile \"%s\"), which judges what "
		"it downloads and looks up: stop it and start it in another cgroup",
		cgroup, info.profile);
}

static int look_at(const char *bpffs_dir, char *const *sets, const char *root, const char *cgroup,
		   struct kvg_diag *ret_diag)
{
	__u64 id;
	int r = kvg_cgroup_read_id(root, cgroup, &id);

	for (; r == 0 && *sets; sets++) {
		KVG_CLEANUP(kvg_freep) char *path = NULL;

		if (asprintf(&path, "%s/%s", bpffs_dir, *sets) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		if (!is_gated_by(path, id))
			continue;
		say(path, cgroup, id, ret_diag);
		return 1;
	}
	return r;
}

int kvg_behind_look(const char *bpffs_dir, const char *cgroup_root, struct kvg_diag *ret_diag)
{
	KVG_CLEANUP(kvg_freep) char *cgroup = NULL;
	char **sets = NULL;
	int r = kvg_cgroup_of(0, &cgroup);

	if (r == 0)
		r = kvg_set_list(bpffs_dir, &sets);
	while (r == 0 && strlen(cgroup) > 1) {
		r = look_at(bpffs_dir, sets, cgroup_root, cgroup, ret_diag);
		*strrchr(cgroup, '/') = '\0';
	}
	kvg_set_list_free(sets);
	return r;
}
