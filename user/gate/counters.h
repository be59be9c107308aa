/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters that each CPU keeps for itself. */
#ifndef KVG_GATE_COUNTERS_H
#define KVG_GATE_COUNTERS_H

#include "kvg_event.h"

/**
 * kvg_counters_read() - one entry, summed over the CPUs
 * @map: per CPU, of struct kvg_counters
 * @key: of the entry
 * @ret: the sums; a share is each CPU's, and no sum
 *
 * Return: 0, -ENOENT no such entry, or another negative errno
 */
int kvg_counters_read(int map, const void *key, struct kvg_counters *ret);

/** kvg_counters_clear() - make the entry, or make it zero; 0 or a negative errno */
int kvg_counters_clear(int map, const void *key);

#endif
