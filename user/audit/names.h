/* SPDX-License-Identifier: BSD-2-Clause */
/* What the gates of a set are called, remembered for the lines that come after a gate is gone. */
#ifndef KVG_AUDIT_NAMES_H
#define KVG_AUDIT_NAMES_H

#include <linux/types.h>

#include "audit/record.h"
#include "gate/set.h"

struct kvg_names;

/** kvg_names_open() - read those of all gates there are; Return: 0 or -ENOMEM */
int kvg_names_open(const struct kvg_set *set, struct kvg_names **ret);

/**
 * kvg_names_fill() - say what is known of the gate and the policy that refused
 * @names:  asks the kernel for a gate or generation that it has not seen
 * @record: its gate, profile and digest are set; they belong to @names and hold until the next call
 */
void kvg_names_fill(struct kvg_names *names, struct kvg_record *record);

/** kvg_names_close() - forget them; NULL is fine; Return: NULL */
struct kvg_names *kvg_names_close(struct kvg_names *names);

/** kvg_names_closep() - for KVG_CLEANUP */
void kvg_names_closep(struct kvg_names **names);

#endif
