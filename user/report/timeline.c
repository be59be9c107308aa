// SPDX-License-Identifier: BSD-2-Clause
#include "report/timeline.h"

#include <stdbool.h>

#include "base/cleanup.h"

#define MINUTE 60LL
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Each divides the next, so that slots are put together whole. The last holds 9999 years. */
static const __s64 widths_s[] = {
	1,        5,        15,  MINUTE,  5 * MINUTE, 15 * MINUTE, HOUR,
	3 * HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY,   364 * DAY,   3640 * DAY,
};

static __s64 slot_of(__s64 time_s, unsigned int step)
{
	return time_s / widths_s[step];
}

__s64 kvg_timeline_width_s(const struct kvg_timeline *timeline)
{
	return widths_s[timeline->step];
}

__s64 kvg_timeline_begins_s(const struct kvg_timeline *timeline, size_t slot)
{
	return (timeline->first + (__s64)slot) * widths_s[timeline->step];
}

/* The slots become longer. In place: a slot never moves up. */
static void coarsen(struct kvg_timeline *timeline)
{
	__s64 ratio = widths_s[timeline->step + 1] / widths_s[timeline->step];
	__s64 first = timeline->first / ratio;
	size_t count = 0;

	for (size_t i = 0; i < timeline->count; i++) {
		struct kvg_ranking_count slot = timeline->slots[i];
		size_t to = (timeline->first + (__s64)i) / ratio - first;

		timeline->slots[i] = (struct kvg_ranking_count){0};
		kvg_ranking_increase(&timeline->slots[to], &slot);
		count = to + 1;
	}
	timeline->first = first;
	timeline->count = count;
	timeline->step++;
}

/* How many slots hold what there is and @time_s. */
static size_t slots_with(const struct kvg_timeline *timeline, __s64 time_s)
{
	__s64 slot = slot_of(time_s, timeline->step);
	__s64 last = timeline->first + (__s64)timeline->count - 1;

	if (slot < timeline->first)
		return last - slot + 1;
	return slot > last ? (size_t)(slot - timeline->first + 1) : timeline->count;
}

static void shift(struct kvg_timeline *timeline, size_t by)
{
	for (size_t i = timeline->count; i-- > 0;)
		timeline->slots[i + by] = timeline->slots[i];
	for (size_t i = 0; i < by; i++)
		timeline->slots[i] = (struct kvg_ranking_count){0};
	timeline->first -= by;
	timeline->count += by;
}

static void reach(struct kvg_timeline *timeline, __s64 time_s)
{
	__s64 slot;

	if (timeline->count == 0) {
		timeline->first = slot_of(time_s, timeline->step);
		timeline->count = 1;
	}
	while (slots_with(timeline, time_s) > KVG_TIMELINE_SLOTS &&
	       timeline->step + 1 < KVG_ARRAY_SIZE(widths_s))
		coarsen(timeline);
	slot = slot_of(time_s, timeline->step);
	if (slot < timeline->first)
		shift(timeline, timeline->first - slot);
	else if (slot >= timeline->first + (__s64)timeline->count)
		timeline->count = slot - timeline->first + 1; /* the rest is zero */
}

void kvg_timeline_add(struct kvg_timeline *timeline, __s64 time_us,
		      const struct kvg_ranking_count *count)
{
	__s64 time_s = time_us / 1000000;

	reach(timeline, time_s);
	kvg_ranking_increase(&timeline->slots[slot_of(time_s, timeline->step) - timeline->first],
			     count);
}

void kvg_timeline_fit(struct kvg_timeline *timeline, __s64 from_us, __s64 to_us, size_t slots_max)
{
	reach(timeline, from_us / 1000000);
	reach(timeline, to_us / 1000000);
	while (timeline->count > slots_max && timeline->step + 1 < KVG_ARRAY_SIZE(widths_s))
		coarsen(timeline);
}
