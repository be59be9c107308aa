// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/places.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "gate/cgroup.h"
#include "gate/set.h"

const char *kvg_places_bpffs(const struct kvg_places *places)
{
	return places->bpffs_dir ? places->bpffs_dir : KVG_BPFFS_DIR;
}

int kvg_places_cgroup_root(const struct kvg_places *places, char **ret)
{
	struct kvg_diag diag = {};
	int r = 0;

	if (places->cgroup_root) {
		*ret = strdup(places->cgroup_root);
		if (!*ret)
			r = kvg_diag_set(&diag, -ENOMEM, "out of memory");
	} else {
		r = kvg_cgroup_find_root(ret, &diag);
	}
	if (r < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_EXIT_FAILED;
	}
	return 0;
}
