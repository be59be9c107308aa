// SPDX-License-Identifier: BSD-2-Clause
#include "gate/effective.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"

int kvg_effective_read(int cgroup_fd, enum kvg_program which, struct kvg_effective *ret)
{
	LIBBPF_OPTS(bpf_prog_query_opts, options, .query_flags = BPF_F_QUERY_EFFECTIVE,
		    .prog_ids = ret->ids, .prog_cnt = KVG_EFFECTIVE_MAX);

	if (bpf_prog_query_opts(cgroup_fd, kvg_programs()[which].type, &options) < 0)
		return -errno;
	ret->count = options.prog_cnt;
	return 0;
}

bool kvg_effective_has(const struct kvg_effective *effective, __u32 id)
{
	for (__u32 i = 0; i < effective->count; i++) {
		if (effective->ids[i] == id)
			return true;
	}
	return false;
}

void kvg_effective_program_name(__u32 id, char ret[16])
{
	KVG_CLEANUP(kvg_closep) int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0 || !info.name[0])
		snprintf(ret, 16, "?");
	else
		snprintf(ret, 16, "%s", info.name);
}
