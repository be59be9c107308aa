/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small charts as inline SVG. Every number that they show is also text; what audit mode let through is
 * hatched, so that it differs without colour, too.
 */
#ifndef KVG_REPORT_CHART_H
#define KVG_REPORT_CHART_H

#include <stdio.h>

#include "report/ranking.h"
#include "report/timeline.h"

/** kvg_chart_time() - bars over time, with axes; once in a page, for it also defines the hatching */
void kvg_chart_time(FILE *out, const struct kvg_timeline *timeline);

/** kvg_chart_share() - one bar: what @count is of @most */
void kvg_chart_share(FILE *out, const struct kvg_ranking_count *count, __u64 most);

/** kvg_chart_format_slot() - "24 Nov 09:15", as exact as the width of slots wants */
const char *kvg_chart_format_slot(__s64 time_s, __s64 width_s, char ret[32]);

#endif
