/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What user space has to say in a set's record. It goes through the set's ring, as what the hooks say
 * does: whoever reads the record, in whichever process, writes the line.
 */
#ifndef KVG_GATE_TELL_H
#define KVG_GATE_TELL_H

#include "gate/set.h"
#include "kvg_event.h"

struct kvg_tell;

/** kvg_tell_open() - @ret for kvg_tell_close(), gone before @set; Return: 0, or a negative errno */
int kvg_tell_open(const struct kvg_set *set, struct kvg_tell **ret);

/**
 * kvg_tell_event() - one event more for the record; what the ring has no room for is counted as lost
 * @tell:  where to
 * @event: its time is set by the kernel
 *
 * Return: 0, or a negative errno
 */
int kvg_tell_event(struct kvg_tell *tell, const struct kvg_event *event);

/** kvg_tell_close() - NULL is fine; Return: NULL */
struct kvg_tell *kvg_tell_close(struct kvg_tell *tell);

/** kvg_tell_closep() - for KVG_CLEANUP */
void kvg_tell_closep(struct kvg_tell **tell);

#endif
