/* SPDX-License-Identifier: BSD-2-Clause */
/* A difference in words. */
#ifndef KVG_CMD_DIFF_TEXT_H
#define KVG_CMD_DIFF_TEXT_H

#include "policy/diff.h"

/** kvg_diff_print() - what a client gains and loses, on stdout */
void kvg_diff_print(const struct kvg_policy *old_policy, const struct kvg_policy *new_policy,
		    const struct kvg_diff *diff);

#endif
