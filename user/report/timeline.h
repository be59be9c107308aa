/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much was refused when, in bounded memory and without knowing the period before: the slots become
 * longer as the period does, each a whole number of those before.
 */
#ifndef KVG_REPORT_TIMELINE_H
#define KVG_REPORT_TIMELINE_H

#include <linux/types.h>
#include <stddef.h>

#include "report/ranking.h"

#define KVG_TIMELINE_SLOTS 4096 /* an hour in seconds, six weeks in quarters of an hour; 64 KB */

/**
 * struct kvg_timeline - zeroed, it is empty
 * @step:  which length of the slots, see kvg_timeline_width_s()
 * @first: number of the first slot: seconds since 1970 by the length
 * @count: slots in use
 * @slots: the first @count of them
 */
struct kvg_timeline {
	unsigned int step;
	__s64 first;
	size_t count;
	struct kvg_ranking_count slots[KVG_TIMELINE_SLOTS];
};

/** kvg_timeline_width_s() - how long a slot is */
__s64 kvg_timeline_width_s(const struct kvg_timeline *timeline);

/** kvg_timeline_begins_s() - seconds since 1970 of the beginning of a slot */
__s64 kvg_timeline_begins_s(const struct kvg_timeline *timeline, size_t slot);

/** kvg_timeline_add() - at @time_us, not before 1970 */
void kvg_timeline_add(struct kvg_timeline *timeline, __s64 time_us,
		      const struct kvg_ranking_count *count);

/** kvg_timeline_fit() - hold @from_us to @to_us, too, and then have at most @slots_max slots */
void kvg_timeline_fit(struct kvg_timeline *timeline, __s64 from_us, __s64 to_us, size_t slots_max);

#endif
