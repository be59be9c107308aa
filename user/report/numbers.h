/* SPDX-License-Identifier: BSD-2-Clause */
/* What a record says of a period: sums by reason, gate, destination, process and time. */
#ifndef KVG_REPORT_NUMBERS_H
#define KVG_REPORT_NUMBERS_H

#include <jansson.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "report/ranking.h"
#include "report/timeline.h"

#define KVG_NUMBERS_BAD_MAX 20 /* so many bad lines are named; all are counted */

/** struct kvg_numbers_file - one that was read; @path is borrowed */
struct kvg_numbers_file {
	const char *path;
	unsigned long lines;
	unsigned long bad;
	bool failed;
};

/**
 * struct kvg_numbers - zeroed but for @since_us, @until_us and @now_us, it is empty
 * @since_us:  older lines are passed over; microseconds since 1970, 0 for none
 * @until_us:  and so are those from here on; 0 for none
 * @now_us:    lines of more than a day later have a wrong time, and are passed over
 * @first_us:  of the lines that count; 0 if there are none
 * @last_us:   likewise
 * @lines:     that count
 * @outside:   lines of other times
 * @future:    lines of a time to come
 * @closed:    connections that a policy change closed
 * @lost:      refusals that have no line
 * @bad_lines: lines that are none
 * @total:     refused; what audit mode let through
 */
struct kvg_numbers {
	__s64 since_us;
	__s64 until_us;
	__s64 now_us;
	__s64 first_us;
	__s64 last_us;
	unsigned long lines;
	unsigned long outside;
	unsigned long future;
	__u64 closed;
	__u64 lost;
	unsigned long bad_lines;
	struct kvg_ranking_count total;
	struct kvg_ranking reasons;
	struct kvg_ranking gates;
	struct kvg_ranking destinations;
	struct kvg_ranking processes;
	struct kvg_timeline timeline;
	struct kvg_numbers_file *files;
	size_t files_count;
	char *bad[KVG_NUMBERS_BAD_MAX];
};

/** kvg_numbers_add() - a line of the record; 0 */
int kvg_numbers_add(struct kvg_numbers *numbers, const json_t *line);

/** kvg_numbers_add_bad() - a line that is none: "FILE:7: why" */
void kvg_numbers_add_bad(struct kvg_numbers *numbers, const char *path, unsigned long number,
			 const char *why);

/** kvg_numbers_finish() - sort, and choose slots of time that fit the period: 72 at most */
void kvg_numbers_finish(struct kvg_numbers *numbers);

/** kvg_numbers_to_json() - all of it, of destinations and processes the first 1000; NULL without memory */
json_t *kvg_numbers_to_json(const struct kvg_numbers *numbers);

/** kvg_numbers_done() - free what it holds */
void kvg_numbers_done(struct kvg_numbers *numbers);

/** kvg_numbers_format_time() - "2026-11-24T09:00:00Z" */
const char *kvg_numbers_format_time(__s64 time_us, char ret[32]);

#endif
