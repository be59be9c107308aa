/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was refused and let through, added up by profile. Gates come and go, these sums only ever grow.
 * As many rows as there are profiles, whatever the clients do.
 */
#ifndef KVG_AUDIT_TOTALS_H
#define KVG_AUDIT_TOTALS_H

#include <linux/types.h>
#include <stddef.h>

#include "kvg_event.h"
#include "kvg_policy.h"

/* Profiles told apart. A node has a few; what comes beyond them counts for the profile "". */
#define KVG_TOTALS_PROFILES_MAX 1024

/**
 * struct kvg_totals_row - of one profile
 * @profile: its name; "" for what was refused where no profile was known
 * @allowed: packets let through
 * @packets: refused packets and calls, by enum kvg_reason
 * @flows:   refused flows, by enum kvg_reason: one that goes on counts once, and again when it comes back
 *           after it was forgotten (KVG_FOLD_INTERVAL_NS); those that are not told apart do not count
 */
struct kvg_totals_row {
	char profile[KVG_PROFILE_LEN];
	__u64 allowed;
	__u64 packets[KVG_REASON_COUNT];
	__u64 flows[KVG_REASON_COUNT];
};

struct kvg_totals;

/** kvg_totals_open() - no rows yet, for kvg_totals_close(); Return: 0 or -ENOMEM */
int kvg_totals_open(struct kvg_totals **ret);

/**
 * kvg_totals_row() - the sums of a profile, to be added to
 * @totals:  where
 * @name:    the profile's or that of a variant of it; NULL is ""
 *
 * Return: its row, made if there is none, until the next call; that of "" where there is no room
 */
struct kvg_totals_row *kvg_totals_row(struct kvg_totals *totals, const char *name);

/** kvg_totals_list() - all rows, in the order they came, until the next kvg_totals_row(); how many */
size_t kvg_totals_list(const struct kvg_totals *totals, const struct kvg_totals_row **ret);

/** kvg_totals_close() - free it; NULL is fine; Return: NULL */
struct kvg_totals *kvg_totals_close(struct kvg_totals *totals);

/** kvg_totals_closep() - for KVG_CLEANUP */
void kvg_totals_closep(struct kvg_totals **totals);

#endif
