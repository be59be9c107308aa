/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of every set, to tell foreign ones apart. */
#ifndef KVG_GATE_OWN_H
#define KVG_GATE_OWN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * struct kvg_own - program ids
 * @ids:   owned
 * @count: how many
 */
struct kvg_own {
	__u32 *ids;
	size_t count;
};

/**
 * kvg_own_read() - the programs that are pinned in the sets of a folder
 * @bpffs_dir: where the sets are, also those that another version of kvgate made
 * @ret:       for kvg_own_done(), also on failure
 *
 * Return: 0, or a negative errno
 */
int kvg_own_read(const char *bpffs_dir, struct kvg_own *ret);

/** kvg_own_has() - is program @id one of them? @own is a struct kvg_own */
bool kvg_own_has(void *own, __u32 id);

/** kvg_own_done() - free it */
void kvg_own_done(struct kvg_own *own);

/** kvg_own_program_id() - id of the program behind a descriptor; 0 if it is none */
__u32 kvg_own_program_id(int fd);

/** kvg_own_is_same_program() - are the instructions behind two descriptors the same, whenever loaded? */
bool kvg_own_is_same_program(int a, int b);

#endif
