/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do the gates hold? What the kernel runs and holds is compared with what the agent put there, and
 * a process in a gated cgroup tries to get out (canary.h). What is wrong is mended at once, and listed
 * until a later round finds it whole.
 */
#ifndef KVG_AGENT_CHECK_H
#define KVG_AGENT_CHECK_H

#include <stddef.h>

#include "agent/gates.h"

struct kvg_check;

/**
 * kvg_check_open() - for kvg_check_round()
 * @gates:         must outlive the check
 * @canary_parent: cgroup below which the canary's is made, path below the root; NULL: no canary
 * @ret:           for kvg_check_close(); untouched on failure
 *
 * Return: 0, or a negative errno
 */
int kvg_check_open(struct kvg_gates *gates, const char *canary_parent, struct kvg_check **ret);

/** kvg_check_close() - forget it, the canary's cgroup included; NULL is fine; Return: NULL */
struct kvg_check *kvg_check_close(struct kvg_check *check);

/** kvg_check_closep() - for KVG_CLEANUP */
void kvg_check_closep(struct kvg_check **check);

/**
 * kvg_check_round() - look at everything once
 * @check: whose
 *
 * In each round: every gate's cgroup, its programs in force, its entry, the identity of each policy's
 * tries, and the canary. A part of the prefixes is read back in each, so that all are after a while.
 *
 * Return: how many problems it found, or a negative errno
 */
int kvg_check_round(struct kvg_check *check);

/** kvg_check_problems() - one sentence each, of the last round; @ret is the check's. Return: how many */
size_t kvg_check_problems(const struct kvg_check *check, const char *const **ret);

/** kvg_check_repaired() - what was mended since kvg_check_open(), counted */
size_t kvg_check_repaired(const struct kvg_check *check);

/** kvg_check_canary_id() - the canary's cgroup: what is refused to it belongs in no record; 0: none so far */
__u64 kvg_check_canary_id(const struct kvg_check *check);

/** kvg_check_foreign() - programs of others in force on gated cgroups, in the last round, each once */
size_t kvg_check_foreign(const struct kvg_check *check);

#endif
