/* SPDX-License-Identifier: BSD-2-Clause */
/* Which programs the kernel runs for a cgroup, its ancestors' included. */
#ifndef KVG_GATE_EFFECTIVE_H
#define KVG_GATE_EFFECTIVE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "gate/set.h"

/* The kernel runs at most this many per cgroup and hook (BPF_CGROUP_MAX_PROGS). */
#define KVG_EFFECTIVE_MAX 64

/**
 * struct kvg_effective - programs in force at one hook of a cgroup
 * @ids:   program ids
 * @count: how many
 */
struct kvg_effective {
	__u32 ids[KVG_EFFECTIVE_MAX];
	__u32 count;
};

/** kvg_effective_read() - programs that run for @cgroup_fd at the hook of @which; 0 or -errno */
int kvg_effective_read(int cgroup_fd, enum kvg_program which, struct kvg_effective *ret);

/** kvg_effective_has() - is program @id among them? */
bool kvg_effective_has(const struct kvg_effective *effective, __u32 id);

/** kvg_effective_program_name() - name of program @id, "?" if it is gone */
void kvg_effective_program_name(__u32 id, char ret[16]);

#endif
