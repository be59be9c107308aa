// SPDX-License-Identifier: BSD-2-Clause
#include "report/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/line_words.h"
#include "audit/lines.h"

#define SLOTS_SHOWN 72 /* bars that are wide enough to be told apart on a page */
#define A_DAY_US    (86400LL * 1000000)

const char *kvg_numbers_format_time(__s64 time_us, char ret[32])
{
	time_t seconds = time_us / 1000000;
	struct tm utc;

	ret[0] = '\0';
	if (gmtime_r(&seconds, &utc))
		strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
	return ret;
}

static bool is_action(const json_t *line, const char *action)
{
	return strcmp(kvg_line_text(line, "event.action"), action) == 0;
}

static __u64 count_of(const json_t *line, const char *path)
{
	long long count = kvg_line_number(line, path, 0);

	return count > 0 ? count : 0;
}

/* Does its time count? */
static bool is_inside(struct kvg_numbers *numbers, __s64 time_us)
{
	bool late = numbers->now_us && time_us > numbers->now_us + A_DAY_US;

	if (late)
		numbers->future++;
	else if (time_us < numbers->since_us || (numbers->until_us && time_us >= numbers->until_us))
		numbers->outside++;
	else
		return true;
	return false;
}

static void note_time(struct kvg_numbers *numbers, __s64 time_us)
{
	if (!numbers->lines++ || time_us < numbers->first_us)
		numbers->first_us = time_us;
	if (time_us > numbers->last_us)
		numbers->last_us = time_us;
}

static void add_by(struct kvg_ranking *ranking, struct kvg_ranking_entry entry, const char *key)
{
	entry.key = key;
	kvg_ranking_add(ranking, &entry);
}

/* By the reason, too: one destination may be refused for several. */
static void add_destination(struct kvg_numbers *numbers, const json_t *line,
			    struct kvg_ranking_entry entry)
{
	char flow[KVG_LINE_WORD_LEN], nearest[KVG_LINE_WORD_LEN], key[2 * KVG_LINE_WORD_LEN];
	const char *reason = entry.texts[KVG_RANKING_REASON];

	kvg_line_words_flow(line, flow, sizeof(flow));
	kvg_line_words_nearest(line, nearest, sizeof(nearest));
	snprintf(key, sizeof(key), "%.255s %.200s", flow, reason ? reason : "");
	entry.texts[KVG_RANKING_NAME] = flow;
	entry.texts[KVG_RANKING_NEAREST] = nearest;
	add_by(&numbers->destinations, entry, key);
}

static void add_refusal(struct kvg_numbers *numbers, const json_t *line, __s64 time_us)
{
	bool audit = is_action(line, "egress-would-refuse");
	__u64 count = count_of(line, "kvgate.count");
	const char *reason = kvg_line_text(line, "event.reason");
	const char *gate = kvg_line_text(line, "kvgate.gate");
	const char *process = kvg_line_text(line, "process.name");
	const struct kvg_ranking_entry entry = {
		.count = {.refused = audit ? 0 : count, .would = audit ? count : 0},
		.time_us = time_us,
		.texts = {[KVG_RANKING_REASON] = reason,
			  [KVG_RANKING_DOMAIN] = kvg_line_text(line, "destination.domain"),
			  [KVG_RANKING_PROCESS] = process,
			  [KVG_RANKING_GATE] = gate},
	};
	struct kvg_ranking_entry by_gate = entry;

	kvg_ranking_increase(&numbers->total, &entry.count);
	kvg_timeline_add(&numbers->timeline, time_us, &entry.count);
	add_by(&numbers->reasons, entry, reason ? reason : "");
	by_gate.texts[KVG_RANKING_NAME] = kvg_line_text(line, "kvgate.profile");
	add_by(&numbers->gates, by_gate, gate ? gate : "");
	add_by(&numbers->processes, entry, process ? process : "");
	add_destination(numbers, line, entry);
}

int kvg_numbers_add(struct kvg_numbers *numbers, const json_t *line)
{
	__s64 time_us = kvg_line_time_us(line);

	if (!is_inside(numbers, time_us))
		return 0;
	note_time(numbers, time_us);
	if (is_action(line, "records-lost"))
		numbers->lost += count_of(line, "kvgate.lost");
	else if (is_action(line, "connection-closed"))
		numbers->closed += count_of(line, "kvgate.count");
	else if (is_action(line, "egress-refused") || is_action(line, "egress-would-refuse"))
		add_refusal(numbers, line, time_us);
	return 0;
}

void kvg_numbers_add_bad(struct kvg_numbers *numbers, const char *path, unsigned long number,
			 const char *why)
{
	char *text;

	if (numbers->bad_lines < KVG_NUMBERS_BAD_MAX &&
	    asprintf(&text, "%s:%lu: %s", path, number, why) >= 0)
		numbers->bad[numbers->bad_lines] = text;
	numbers->bad_lines++;
}

void kvg_numbers_finish(struct kvg_numbers *numbers)
{
	__s64 from = numbers->since_us ? numbers->since_us : numbers->first_us;
	__s64 to = numbers->last_us;

	kvg_ranking_sort(&numbers->reasons);
	kvg_ranking_sort(&numbers->gates);
	kvg_ranking_sort(&numbers->destinations);
	kvg_ranking_sort(&numbers->processes);
	if (numbers->until_us)
		to = numbers->until_us - 1;
	else if (numbers->since_us && numbers->now_us > to)
		to = numbers->now_us;
	if (numbers->timeline.count)
		kvg_timeline_fit(&numbers->timeline, from, to, SLOTS_SHOWN);
}

void kvg_numbers_done(struct kvg_numbers *numbers)
{
	kvg_ranking_done(&numbers->reasons);
	kvg_ranking_done(&numbers->gates);
	kvg_ranking_done(&numbers->destinations);
	kvg_ranking_done(&numbers->processes);
	for (int i = 0; i < KVG_NUMBERS_BAD_MAX; i++)
		free(numbers->bad[i]);
	free(numbers->files);
}
