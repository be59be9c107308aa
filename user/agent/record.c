// SPDX-License-Identifier: BSD-2-Clause
/* What the gates refuse, to where the configuration says. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/core.h"

static void on_trouble(void *data, bool failing, const char *message)
{
	struct kvg_agent *agent = data;

	kvg_agent_fault(agent, KVG_FAULT_RECORD, "%s", message);
	if (!failing)
		kvg_agent_mended(agent, KVG_FAULT_RECORD);
}

static int add_sink(struct kvg_agent *agent, const struct kvg_sink_options *options)
{
	struct kvg_sink *sink;
	struct kvg_diag diag = {};
	int r;

	r = kvg_sink_open(options, &sink, &diag);
	if (r < 0) {
		kvg_agent_fault(agent, KVG_FAULT_RECORD, "%s", diag.msg);
		return r;
	}
	return kvg_recorder_add_sink(agent->recorder, sink);
}

/* A sink that cannot be had leaves the others. */
static void add_sinks(struct kvg_agent *agent)
{
	const struct kvg_sink_options file = {
		.path = agent->config->audit_file,
		.trouble = on_trouble,
		.data = agent,
	};
	/* What a service writes there is in the journal. */
	const struct kvg_sink_options journal = {.kind = KVG_SINK_WORDS, .fd = STDERR_FILENO};

	kvg_agent_mended(agent, KVG_FAULT_RECORD);
	if (file.path)
		add_sink(agent, &file);
	if (agent->config->audit_journal)
		add_sink(agent, &journal);
}

static void note_read(struct kvg_agent *agent, int r)
{
	if (r < 0)
		kvg_agent_fault(agent, KVG_FAULT_RECORD, "the kernel's record cannot be read: %s",
				strerror(-r));
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
	note_read(agent, r);
}

/* Nobody else reads the record of the agent's set; without a sink, `status` shows what was refused. */
void kvg_agent_open_record(struct kvg_agent *agent)
{
	int r;

	kvg_agent_close_record(agent);
	if (!agent->config->audit_file && !agent->config->audit_journal) {
		kvg_agent_mended(agent, KVG_FAULT_RECORD);
		return;
	}
	r = kvg_recorder_open(kvg_gates_set(agent->gates), 0, &agent->recorder);
	if (r == 0)
		r = sd_event_add_io(agent->event, &agent->record_io,
				    kvg_recorder_fd(agent->recorder), EPOLLIN, on_record, agent);
	if (r < 0) {
		kvg_agent_close_record(agent);
		note_read(agent, r);
		return;
	}
	add_sinks(agent);
	kvg_agent_arm(agent, &agent->record_timer, KVG_RECORDER_TICK_MS, on_tick);
}
