// SPDX-License-Identifier: BSD-2-Clause
/* What the gates refuse, to where the configuration says. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/core.h"
#include "base/log.h"
#include "policy/words.h"

/* What `status` shows: the kernel's side, else the first sink that is in trouble. */
static void note_sinks(struct kvg_agent *agent)
{
	if (agent->record_unread) {
		kvg_agent_fault(agent, KVG_FAULT_RECORD, "the kernel's record cannot be read: %s",
				strerror(agent->record_unread));
		return;
	}
	for (size_t i = 0; i < agent->sinks_count; i++) {
		const struct kvg_diag *problem = &agent->sinks[i].problem;

		if (problem->msg[0]) {
			kvg_agent_fault(agent, KVG_FAULT_RECORD, "%s", problem->msg);
			return;
		}
	}
	kvg_agent_mended(agent, KVG_FAULT_RECORD);
}

static void on_trouble(void *data, bool failing, const char *message)
{
	struct kvg_agent_sink *sink = data;

	sink->problem = (struct kvg_diag){};
	if (failing)
		kvg_diag_set(&sink->problem, 0, "%s", message);
	else
		kvg_log_note("%s", message);
	note_sinks(sink->agent);
}

static struct kvg_sink_options options_of(const struct kvg_agent *agent, enum kvg_sink_kind kind)
{
	const struct kvg_config_audit *audit = &agent->config->audit;

	if (kind == KVG_SINK_WORDS)
		return (struct kvg_sink_options){.fd = STDERR_FILENO};
	if (kind != KVG_SINK_FILE)
		return (struct kvg_sink_options){};
	return (struct kvg_sink_options){
		.path = audit->file,
		.max_bytes = audit->max_bytes,
		.keep = audit->keep,
		.fsync = audit->fsync,
	};
}

/* Return: 0, or a negative errno of kvg_sink_open() */
static int open_sink(struct kvg_agent *agent, struct kvg_agent_sink *place)
{
	struct kvg_sink_options options = options_of(agent, place->kind);
	struct kvg_sink *sink;
	int r;

	options.kind = place->kind;
	options.dropped = &agent->sinks_dropped[place->kind];
	options.trouble = on_trouble;
	options.data = place;
	r = kvg_sink_open(&options, &sink, &place->problem);
	if (r < 0)
		return r;
	place->open = true;
	place->problem = (struct kvg_diag){};
	return kvg_recorder_add_sink(agent->recorder, sink);
}

/* A sink that cannot be had leaves the others, and is tried again. */
static int add_sink(struct kvg_agent *agent, enum kvg_sink_kind kind)
{
	struct kvg_agent_sink *place = &agent->sinks[agent->sinks_count++];

	*place = (struct kvg_agent_sink){.agent = agent, .kind = kind};
	return open_sink(agent, place);
}

/* What a service writes on stderr is in the journal, where there is one; a container's engine keeps it. */
static void add_journal(struct kvg_agent *agent)
{
	if (add_sink(agent, KVG_SINK_JOURNAL) != -ENOENT)
		return;
	kvg_log_note("%s; refused flows are told on stderr",
		     agent->sinks[--agent->sinks_count].problem.msg);
	add_sink(agent, KVG_SINK_WORDS);
}

static void add_sinks(struct kvg_agent *agent)
{
	const struct kvg_config_audit *audit = &agent->config->audit;

	if (audit->file)
		add_sink(agent, KVG_SINK_FILE);
	if (audit->to_stdout)
		add_sink(agent, KVG_SINK_STDOUT);
	if (audit->journal)
		add_journal(agent);
	if (audit->syslog)
		add_sink(agent, KVG_SINK_SYSLOG);
	if (audit->linux_audit)
		add_sink(agent, KVG_SINK_LINUX_AUDIT);
	note_sinks(agent);
}

void kvg_agent_retry_record(struct kvg_agent *agent)
{
	if (!agent->recorder) {
		kvg_agent_open_record(agent);
		return;
	}
	for (size_t i = 0; i < agent->sinks_count; i++) {
		if (!agent->sinks[i].open && open_sink(agent, &agent->sinks[i]) == 0)
			kvg_log_note("records go to %s from now on",
				     kvg_sink_word(agent->sinks[i].kind));
	}
	note_sinks(agent);
}

static void on_line(void *data, const struct kvg_record *record, const char *json, size_t size)
{
	const struct kvg_agent *agent = data;

	kvg_top_add(agent->top, record);
	kvg_watchers_put(agent->watchers, record, json, size);
}

static void on_loss(void *data, __u64 count, const char *why)
{
	const struct kvg_agent *agent = data;

	kvg_watchers_put_loss(agent->watchers, count, why);
}

/* No sink of the configuration: it is there whether or not anybody watches. */
static void add_watchers(struct kvg_agent *agent)
{
	const struct kvg_sink_options options = {
		.kind = KVG_SINK_CALLBACK,
		.callback = {on_line, on_loss, agent},
	};
	struct kvg_diag diag = {};
	struct kvg_sink *sink;

	if (kvg_sink_open(&options, &sink, &diag) < 0 ||
	    kvg_recorder_add_sink(agent->recorder, sink) < 0)
		kvg_agent_fault(agent, KVG_FAULT_RECORD, "nobody can watch the record: %s",
				diag.msg[0] ? diag.msg : "too many sinks");
}

void kvg_agent_gather_sinks(struct kvg_agent *agent)
{
	kvg_metrics_set_of(agent->metrics, KVG_METRIC_SINK_DROPPED, "watch", NULL,
			   (double)kvg_watchers_dropped(agent->watchers));
	for (size_t i = 0; i < agent->sinks_count; i++) {
		enum kvg_sink_kind kind = agent->sinks[i].kind;

		kvg_metrics_set_of(agent->metrics, KVG_METRIC_SINK_DROPPED, kvg_sink_word(kind),
				   NULL, (double)agent->sinks_dropped[kind]);
	}
}

void kvg_agent_rotate_record(struct kvg_agent *agent)
{
	if (agent->recorder)
		kvg_recorder_rotate(agent->recorder);
}

/* Counts that could not be read are in the kernel still. */
static void note_read(struct kvg_agent *agent, int r)
{
	int unread = r < 0 ? -r : 0;

	if (unread == agent->record_unread)
		return;
	agent->record_unread = unread;
	note_sinks(agent);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kvg_agent *agent = userdata;

	(void)source;
	(void)usec;
	note_read(agent, kvg_recorder_tick(agent->recorder));
	kvg_agent_arm(agent, &agent->record_timer, KVG_RECORDER_TICK_MS, on_tick);
	return 0;
}

static int on_record(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct kvg_agent *agent = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	note_read(agent, kvg_recorder_read(agent->recorder));
	return 0;
}

void kvg_agent_close_record(struct kvg_agent *agent)
{
	int r = 0;

	agent->record_io = sd_event_source_unref(agent->record_io);
	agent->record_timer = sd_event_source_unref(agent->record_timer);
	agent->recorder = kvg_recorder_close(agent->recorder, &r);
	agent->sinks_count = 0;
	note_read(agent, r);
}

/* Nobody else reads the record of the agent's set. Without a sink it is counted all the same. */
void kvg_agent_open_record(struct kvg_agent *agent)
{
	int r;

	kvg_agent_close_record(agent);
	r = kvg_recorder_open(kvg_gates_set(agent->gates), 0, &agent->recorder);
	if (r == 0)
		r = sd_event_add_io(agent->event, &agent->record_io,
				    kvg_recorder_fd(agent->recorder), EPOLLIN, on_record, agent);
	if (r < 0) {
		kvg_agent_close_record(agent);
		note_read(agent, r);
		return;
	}
	kvg_recorder_add_to(agent->recorder, agent->totals);
	kvg_agent_explain_record(agent);
	add_sinks(agent);
	add_watchers(agent);
	kvg_agent_arm(agent, &agent->record_timer, KVG_RECORDER_TICK_MS, on_tick);
}

static void gather_row(struct kvg_agent *agent, const struct kvg_totals_row *row)
{
	bool is_profile = row->profile[0];

	if (is_profile || row->allowed)
		kvg_metrics_append_of(agent->metrics, KVG_METRIC_PACKETS_ALLOWED, row->profile,
				      NULL, (double)row->allowed);
	for (int reason = KVG_REASON_ALLOWED + 1; reason < KVG_REASON_COUNT; reason++) {
		if (!is_profile && !row->packets[reason])
			continue;
		kvg_metrics_append_of(agent->metrics, KVG_METRIC_PACKETS_REFUSED, row->profile,
				      kvg_reason_word(reason), (double)row->packets[reason]);
		kvg_metrics_append_of(agent->metrics, KVG_METRIC_FLOWS_REFUSED, row->profile,
				      kvg_reason_word(reason), (double)row->flows[reason]);
	}
}

/* Every reason of a profile is there from the start: an alert sees the first refusal as a change, too. */
void kvg_agent_gather_record(struct kvg_agent *agent)
{
	const struct kvg_totals_row *rows;
	struct kvg_lost lost;
	size_t count;

	for (size_t i = 0; i < agent->policies_count; i++)
		kvg_totals_row(agent->totals, agent->policies[i].profile);
	kvg_gates_count(agent->gates);
	if (agent->recorder && kvg_recorder_lost(agent->recorder, &lost) == 0)
		kvg_metrics_set(agent->metrics, KVG_METRIC_EVENTS_LOST,
				(double)(lost.events + lost.flows));

	kvg_metrics_forget(agent->metrics, KVG_METRIC_PACKETS_ALLOWED);
	kvg_metrics_forget(agent->metrics, KVG_METRIC_PACKETS_REFUSED);
	kvg_metrics_forget(agent->metrics, KVG_METRIC_FLOWS_REFUSED);
	count = kvg_totals_list(agent->totals, &rows);
	for (size_t i = 0; i < count; i++)
		gather_row(agent, &rows[i]);
}
