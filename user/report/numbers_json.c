// SPDX-License-Identifier: BSD-2-Clause
/* The numbers of a report for programs. */
#include "report/numbers.h"

#define ROWS_SHOWN 1000

static json_t *time_json(__s64 time_us)
{
	char text[32];

	return time_us ? json_string(kvg_numbers_format_time(time_us, text)) : json_null();
}

static json_t *count_json(const struct kvg_ranking_count *count)
{
	return json_pack("{s:I, s:I}", "refused", (json_int_t)count->refused, "would_refuse",
			 (json_int_t)count->would);
}

static json_t *row_json(const struct kvg_ranking_row *row, const char *name,
			const char *const *keys)
{
	json_t *json = count_json(&row->count);

	json_object_set_new(json, name, json_string(row->key));
	json_object_set_new(json, "first", time_json(row->first_us));
	json_object_set_new(json, "last", time_json(row->last_us));
	for (int i = 0; i < KVG_RANKING_TEXTS; i++) {
		if (keys[i] && row->texts[i])
			json_object_set_new(json, keys[i], json_string(row->texts[i]));
	}
	return json;
}

/* @keys: what the texts are called; NULL: not shown */
static json_t *ranking_json(const struct kvg_ranking *ranking, const char *name,
			    const char *const *keys)
{
	json_t *rows = json_array();
	size_t shown = ranking->count < ROWS_SHOWN ? ranking->count : ROWS_SHOWN;
	struct kvg_ranking_count rest = ranking->others;

	for (size_t i = 0; i < ranking->count; i++) {
		if (i < shown)
			json_array_append_new(rows, row_json(ranking->rows[i], name, keys));
		else
			kvg_ranking_increase(&rest, &ranking->rows[i]->count);
	}
	return json_pack("{s:o, s:o, s:b}", "rows", rows, "others", count_json(&rest), "exact",
			 ranking->others_rows == 0);
}

static json_t *timeline_json(const struct kvg_timeline *timeline)
{
	json_t *slots = json_array();

	for (size_t i = 0; i < timeline->count; i++) {
		json_t *slot = count_json(&timeline->slots[i]);

		json_object_set_new(slot, "time",
				    time_json(kvg_timeline_begins_s(timeline, i) * 1000000));
		json_array_append_new(slots, slot);
	}
	return json_pack("{s:I, s:o}", "interval_seconds",
			 (json_int_t)kvg_timeline_width_s(timeline), "slots", slots);
}

static json_t *files_json(const struct kvg_numbers *numbers)
{
	json_t *files = json_array();

	for (size_t i = 0; i < numbers->files_count; i++) {
		const struct kvg_numbers_file *file = &numbers->files[i];

		json_array_append_new(files,
				      json_pack("{s:s, s:I, s:I, s:b}", "file", file->path, "lines",
						(json_int_t)file->lines, "bad_lines",
						(json_int_t)file->bad, "failed", file->failed));
	}
	return files;
}

json_t *kvg_numbers_to_json(const struct kvg_numbers *numbers)
{
	static const char *const reasons[KVG_RANKING_TEXTS] = {0};
	static const char *const gates[KVG_RANKING_TEXTS] = {[KVG_RANKING_NAME] = "profile"};
	static const char *const processes[KVG_RANKING_TEXTS] = {[KVG_RANKING_GATE] = "gate"};
	static const char *const destinations[KVG_RANKING_TEXTS] = {
		[KVG_RANKING_NAME] = "flow",       [KVG_RANKING_REASON] = "reason",
		[KVG_RANKING_DOMAIN] = "domain",   [KVG_RANKING_NEAREST] = "nearest",
		[KVG_RANKING_PROCESS] = "process", [KVG_RANKING_GATE] = "gate",
	};
	json_t *json = count_json(&numbers->total);
	json_t *rest = json_pack(
		"{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "since",
		time_json(numbers->since_us), "until", time_json(numbers->until_us), "first",
		time_json(numbers->first_us), "last", time_json(numbers->last_us), "lines",
		(json_int_t)numbers->lines, "lines_outside", (json_int_t)numbers->outside,
		"lines_of_the_future", (json_int_t)numbers->future, "connections_closed",
		(json_int_t)numbers->closed, "lost", (json_int_t)numbers->lost, "bad_lines",
		(json_int_t)numbers->bad_lines);

	json_object_update_missing(json, rest);
	json_decref(rest);
	json_object_set_new(json, "files", files_json(numbers));
	json_object_set_new(json, "by_time", timeline_json(&numbers->timeline));
	json_object_set_new(json, "by_reason", ranking_json(&numbers->reasons, "reason", reasons));
	json_object_set_new(json, "by_gate", ranking_json(&numbers->gates, "gate", gates));
	json_object_set_new(json, "by_destination",
			    ranking_json(&numbers->destinations, "destination", destinations));
	json_object_set_new(json, "by_process",
			    ranking_json(&numbers->processes, "process", processes));
	return json;
}
