/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cgroup of kvgate's own behind a gate of the agent's set, and a child process in it that tries what
 * must be refused. In a network namespace without any way out, so that nothing leaves if it is not.
 */
#ifndef KVG_AGENT_CANARY_H
#define KVG_AGENT_CANARY_H

#include <linux/types.h>
#include <stdbool.h>

#include "base/diag.h"
#include "gate/set.h"
#include "kvg_policy.h"

#define KVG_CANARY_CGROUP "kvgate.canary"

struct kvg_canary;

/** kvg_canary_is() - is this the path of a canary's cgroup? */
bool kvg_canary_is(const char *path);

/**
 * kvg_canary_open() - make and gate its cgroup
 * @set:         whose programs are tried; must outlive the canary
 * @root:        mount point of cgroup v2
 * @parent:      cgroup below which its own is made, path below @root
 * @ret:         for kvg_canary_close(); untouched on failure
 * @reterr_diag: what went wrong
 *
 * Return: 0, or a negative errno
 */
int kvg_canary_open(struct kvg_set *set, const char *root, const char *parent,
		    struct kvg_canary **ret, struct kvg_diag *reterr_diag);

/**
 * kvg_canary_try() - does the gate hold?
 * @canary:      whose
 * @gate:        the policy it is to be judged by; only the cgroup and the mode are set by the canary
 * @reterr_diag: what got through
 *
 * Return: 0 it was refused; -EBADE it was not; another negative errno: it could not be tried
 */
int kvg_canary_try(struct kvg_canary *canary, const struct kvg_gate *gate,
		   struct kvg_diag *reterr_diag);

/** kvg_canary_id() - its cgroup's id */
__u64 kvg_canary_id(const struct kvg_canary *canary);

/** kvg_canary_close() - remove gate and cgroup; NULL is fine; Return: NULL */
struct kvg_canary *kvg_canary_close(struct kvg_canary *canary);

#endif
