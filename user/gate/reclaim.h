/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frees the policies that no gate names any more, without anybody waiting for it: what is unused is noted, a
 * thread waits until every packet is judged that may still be judged by it, and a later step frees it.
 */
#ifndef KVG_GATE_RECLAIM_H
#define KVG_GATE_RECLAIM_H

#include <linux/types.h>
#include <stdbool.h>

#include "gate/set.h"

struct kvg_reclaim;

/** kvg_reclaim_open() - nothing is noted yet; NULL: no memory */
struct kvg_reclaim *kvg_reclaim_open(struct kvg_set *set);

/** kvg_reclaim_close() - waits for its thread, some 10 ms; NULL is fine; Return: NULL */
struct kvg_reclaim *kvg_reclaim_close(struct kvg_reclaim *reclaim);

/** kvg_reclaim_touch() - a gate names this slot now: the wait that is under way does not count for it */
void kvg_reclaim_touch(struct kvg_reclaim *reclaim, __u32 slot);

/**
 * kvg_reclaim_step() - note or free what is unused; returns at once
 * @reclaim: whose set's lock is held, kvg_set_lock()
 * @keep:    KVG_SLOTS_MAX of them: leave it although no gate names it
 *
 * Return: is there more to do later?
 */
bool kvg_reclaim_step(struct kvg_reclaim *reclaim, const bool *keep);

#endif
