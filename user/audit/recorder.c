// SPDX-License-Identifier: BSD-2-Clause
#include "audit/recorder.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "audit/fold.h"
#include "audit/names.h"
#include "base/cleanup.h"
#include "gate/intake.h"

struct kvg_recorder {
	struct kvg_intake *intake;
	struct kvg_names *names;
	struct kvg_context *context; /* NULL: nobody knows more */
	struct kvg_fold *fold;
	struct kvg_sink *sinks[KVG_RECORDER_SINKS_MAX];
	size_t sinks_count;
	bool needs_json;
	__u64 now_ns;
	__u64 ticked_ns;
	__u64 lost_told;
	__u64 ignored; /* cgroup id; 0 for none */
	struct kvg_totals *totals;
};

static __u64 now_ns(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static bool is_ignored(const struct kvg_recorder *recorder, const struct kvg_refusal *refusal)
{
	return recorder->ignored && refusal->cgroup_id == recorder->ignored;
}

/* A connection that was closed is no packet. */
static void count(struct kvg_recorder *recorder, const struct kvg_record *record, bool is_new)
{
	struct kvg_record named = *record;
	struct kvg_totals_row *row;

	if (!recorder->totals || record->refusal.hook == KVG_HOOK_SOCK_DESTROY ||
	    record->refusal.reason >= KVG_REASON_COUNT)
		return;
	kvg_names_fill(recorder->names, &named);
	row = kvg_totals_row(recorder->totals, named.profile);
	row->packets[record->refusal.reason] += record->count;
	if (is_new && !record->refusal.folded)
		row->flows[record->refusal.reason]++;
}

static void add(struct kvg_recorder *recorder, const struct kvg_record *record)
{
	count(recorder, record, kvg_fold_add(recorder->fold, record, recorder->now_ns));
}

static void on_event(void *data, const struct kvg_event *event)
{
	struct kvg_recorder *recorder = data;
	struct kvg_record record;

	if (is_ignored(recorder, &event->refusal))
		return;
	kvg_record_from_event(event, &record);
	add(recorder, &record);
}

static void on_rest(void *data, const struct kvg_refusal *refusal, const struct kvg_tally *tally,
		    __u64 count)
{
	struct kvg_recorder *recorder = data;
	struct kvg_record record;

	if (is_ignored(recorder, refusal))
		return;
	kvg_record_from_rest(refusal, tally, count, &record);
	add(recorder, &record);
}

static void on_line(void *data, const struct kvg_record *record)
{
	struct kvg_recorder *recorder = data;
	KVG_CLEANUP(kvg_freep) char *json = NULL;
	struct kvg_record named = *record;
	size_t size = 0;

	kvg_names_fill(recorder->names, &named);
	if (recorder->context)
		kvg_context_fill(recorder->context, &named);
	if (recorder->needs_json &&
	    kvg_record_format_json(&named, kvg_record_wall_offset(), &json, &size) < 0)
		json = NULL; /* sinks count what they cannot write */
	for (size_t i = 0; i < recorder->sinks_count; i++)
		kvg_sink_put(recorder->sinks[i], &named, json, size);
}

static void flush(struct kvg_recorder *recorder)
{
	for (size_t i = 0; i < recorder->sinks_count; i++)
		kvg_sink_flush(recorder->sinks[i]); /* tells of its troubles itself */
}

static void on_pause(void *data)
{
	flush(data);
}

int kvg_recorder_open(struct kvg_set *set, __u64 interval_ns, struct kvg_recorder **ret)
{
	KVG_CLEANUP(kvg_recorder_closep) struct kvg_recorder *recorder = NULL;
	struct kvg_intake_handler handler = {.event = on_event, .rest = on_rest, .pause = on_pause};
	struct kvg_fold_options folding = {
		.interval_ns = interval_ns ? interval_ns : KVG_FOLD_INTERVAL_NS,
		.flows_max = KVG_FOLD_FLOWS_MAX,
		.line = on_line,
	};
	int r;

	recorder = calloc(1, sizeof(*recorder));
	if (!recorder)
		return -ENOMEM;

	handler.data = recorder;
	folding.data = recorder;
	r = kvg_names_open(set, &recorder->names);
	if (r < 0)
		return r;

	r = kvg_fold_open(&folding, &recorder->fold);
	if (r < 0)
		return r;

	r = kvg_intake_open(set, &handler, &recorder->intake);
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(recorder);
	return 0;
}

int kvg_recorder_add_sink(struct kvg_recorder *recorder, struct kvg_sink *sink)
{
	if (recorder->sinks_count == KVG_RECORDER_SINKS_MAX) {
		kvg_sink_close(sink);
		return -ENOSPC;
	}
	recorder->sinks[recorder->sinks_count++] = sink;
	recorder->needs_json |= kvg_sink_needs_json(sink);
	return 0;
}

void kvg_recorder_rotate(struct kvg_recorder *recorder)
{
	for (size_t i = 0; i < recorder->sinks_count; i++)
		kvg_sink_rotate(recorder->sinks[i]);
}

void kvg_recorder_ignore(struct kvg_recorder *recorder, __u64 cgroup_id)
{
	recorder->ignored = cgroup_id;
}

void kvg_recorder_add_to(struct kvg_recorder *recorder, struct kvg_totals *totals)
{
	recorder->totals = totals;
}

int kvg_recorder_lost(const struct kvg_recorder *recorder, struct kvg_lost *ret)
{
	return kvg_intake_lost(recorder->intake, ret);
}

void kvg_recorder_explain_by(struct kvg_recorder *recorder, struct kvg_context *context)
{
	recorder->context = context;
}

int kvg_recorder_fd(const struct kvg_recorder *recorder)
{
	return kvg_intake_fd(recorder->intake);
}

int kvg_recorder_read(struct kvg_recorder *recorder)
{
	int r;

	recorder->now_ns = now_ns();
	if (recorder->now_ns - recorder->ticked_ns >= KVG_RECORDER_TICK_MS * 1000000ULL)
		return kvg_recorder_tick(recorder);

	r = kvg_intake_read(recorder->intake);
	flush(recorder);
	return r < 0 ? r : 0;
}

/* Refusals that found both the table and the ring full are in the gate's counters only. */
static void tell_lost(struct kvg_recorder *recorder)
{
	struct kvg_lost lost;
	__u64 count;

	if (kvg_intake_lost(recorder->intake, &lost) < 0 || lost.flows == recorder->lost_told)
		return;
	count = lost.flows - recorder->lost_told;
	recorder->lost_told = lost.flows;
	for (size_t i = 0; i < recorder->sinks_count; i++)
		kvg_sink_put_loss(recorder->sinks[i], count, "too many flows at once");
}

int kvg_recorder_tick(struct kvg_recorder *recorder)
{
	int r;

	recorder->now_ns = now_ns();
	recorder->ticked_ns = recorder->now_ns;
	r = kvg_intake_read(recorder->intake);
	if (r >= 0)
		r = kvg_intake_take(recorder->intake);
	tell_lost(recorder);
	kvg_fold_tick(recorder->fold, recorder->now_ns);
	if (recorder->context)
		kvg_context_tick(recorder->context);
	flush(recorder);
	return r;
}

struct kvg_recorder *kvg_recorder_close(struct kvg_recorder *recorder, int *ret_status)
{
	int r = 0;

	if (!recorder)
		return NULL;
	if (recorder->intake)
		r = kvg_recorder_tick(recorder);
	recorder->fold = kvg_fold_close(recorder->fold);
	for (size_t i = 0; i < recorder->sinks_count; i++)
		kvg_sink_close(recorder->sinks[i]);
	kvg_intake_close(recorder->intake);
	kvg_names_close(recorder->names);
	free(recorder);
	if (ret_status)
		*ret_status = r;
	return NULL;
}

void kvg_recorder_closep(struct kvg_recorder **recorder)
{
	*recorder = kvg_recorder_close(*recorder, NULL);
}
