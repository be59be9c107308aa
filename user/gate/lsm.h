/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf/lsm.bpf.c: where it can be loaded, and on a set's maps. */
#ifndef KVG_GATE_LSM_H
#define KVG_GATE_LSM_H

#include "gate/set.h"

/**
 * kvg_lsm_prepare() - let libbpf load the object, whoever opens it
 *
 * Return: as kvg_lsm_load(), as far as it can be told without loading it
 */
int kvg_lsm_prepare(void);

/**
 * kvg_lsm_load() - load the program that judges sockets of all families
 * @set: its maps are the program's
 * @ret: descriptor, owned by the caller; untouched on failure
 *
 * Return: 0, -EOPNOTSUPP if the BPF LSM is not on, or the kernel is older than 6.0; -EPERM it is kept
 * from this process; or another negative errno
 */
int kvg_lsm_load(const struct kvg_set *set, int *ret);

#endif
