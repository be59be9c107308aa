/* SPDX-License-Identifier: BSD-2-Clause */
/* What explains the records of `run` and `attach`. */
#ifndef KVG_CMD_EXPLAINING_H
#define KVG_CMD_EXPLAINING_H

#include "audit/recorder.h"
#include "discover/whose.h"

/** struct kvg_explaining - for kvg_explaining_done(), after the recorder was closed; all zero: nothing */
struct kvg_explaining {
	struct kvg_whose *whose;
	struct kvg_context *context;
};

/**
 * kvg_explaining_open() - have a recorder's lines say more than the kernel knows
 * @set:       whose records
 * @state_dir: where policies are kept; NULL: nowhere
 * @policy:    the gate's, if it is in memory anyway; outlives @ret
 * @recorder:  of the set
 * @ret:       zeroed before
 *
 * What goes wrong is a note: lines are written all the same.
 */
void kvg_explaining_open(const struct kvg_set *set, const char *state_dir,
			 const struct kvg_policy *policy, struct kvg_recorder *recorder,
			 struct kvg_explaining *ret);

/** kvg_explaining_done() - free what it holds */
void kvg_explaining_done(struct kvg_explaining *explaining);

#endif
