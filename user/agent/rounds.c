// SPDX-License-Identifier: BSD-2-Clause
/* What comes round: the self-check, tidying, and telling how things are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/behind.h"
#include "agent/core.h"
#include "agent/notify.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "gate/cgroup.h"

#define ROUND_MS      10000 /* a foreign detach is noticed within this */
#define TIDY_MS       1000
#define TIDY_AGAIN_MS 10
#define STATUS_MS     100

static void note_repairs(struct kvg_agent *agent)
{
	size_t repaired = kvg_check_repaired(agent->check);

	if (repaired == agent->repaired)
		return;
	kvg_metrics_set(agent->metrics, KVG_METRIC_GATES_REPAIRED, (double)repaired);
	kvg_log_error("the self-check has mended %zu faults; see 'kvgate status'",
		      repaired - agent->repaired);
	agent->repaired = repaired;
}

static void log_problems(struct kvg_agent *agent)
{
	const char *const *problems;
	size_t count = kvg_check_problems(agent->check, &problems);

	for (size_t i = 0; i < count; i++)
		kvg_log_error("%s", problems[i]);
}

static void check(struct kvg_agent *agent)
{
	int r;

	if (!agent->check)
		return;
	r = kvg_check_round(agent->check);
	/* Whatever the canary tried is still unread. */
	if (agent->recorder)
		kvg_recorder_ignore(agent->recorder, kvg_check_canary_id(agent->check));
	if (r < 0) {
		kvg_agent_fault(agent, KVG_FAULT_CHECK, "the self-check cannot be done: %s",
				strerror(-r));
		return;
	}
	kvg_agent_mended(agent, KVG_FAULT_CHECK);
	kvg_metrics_set(agent->metrics, KVG_METRIC_GATE_UNHEALTHY, r);
	if (r)
		log_problems(agent);
	note_repairs(agent);
}

/* What cannot be looked at now is looked at in the next round. */
static void look_behind(struct kvg_agent *agent)
{
	struct kvg_diag diag = {};
	int r = kvg_behind_look(agent->options->bpffs_dir, agent->options->cgroup_root, &diag);

	if (r > 0)
		kvg_agent_fault(agent, KVG_FAULT_BEHIND, "%s", diag.msg);
	else if (r == 0)
		kvg_agent_mended(agent, KVG_FAULT_BEHIND);
}

static int on_round(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kvg_agent *agent = userdata;

	(void)source;
	(void)usec;
	check(agent);
	kvg_gates_count(agent->gates);
	look_behind(agent);
	kvg_agent_retry(agent);
	kvg_agent_retry_record(agent);
	kvg_agent_open_web(agent); /* where somebody else listened */
	if (agent->files)
		kvg_files_poll(agent->files);
	kvg_agent_tell_status(agent);
	kvg_agent_arm(agent, &agent->round_timer, ROUND_MS, on_round);
	return 0;
}

int kvg_agent_start_rounds(struct kvg_agent *agent)
{
	KVG_CLEANUP(kvg_freep) char *own = NULL;
	int r;

	/* Below its own cgroup: it goes when the service does. */
	if (kvg_cgroup_of(0, &own) < 0)
		own = NULL;
	r = kvg_check_open(agent->gates, own, &agent->check);
	if (r < 0) {
		kvg_log_error("the self-check cannot be set up: %s", strerror(-r));
		return r;
	}
	look_behind(agent);
	kvg_agent_arm(agent, &agent->round_timer, ROUND_MS, on_round);
	return 0;
}

static int on_tidy(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kvg_agent *agent = userdata;
	bool more = kvg_gates_tidy(agent->gates);

	(void)source;
	(void)usec;
	if (kvg_agent_drop_variants(agent) || more)
		kvg_agent_arm(agent, &agent->tidy_timer, TIDY_AGAIN_MS, on_tidy);
	kvg_agent_tell_status(agent);
	return 0;
}

/*
 * Not put off by what follows: containers that come and go all the time must not hold it back. But whoever
 * waits for an answer comes first.
 */
static void arm_once(struct kvg_agent *agent, sd_event_source **source, unsigned long ms,
		     sd_event_time_handler_t handler)
{
	int enabled = SD_EVENT_OFF;

	if (*source)
		sd_event_source_get_enabled(*source, &enabled);
	if (enabled == SD_EVENT_OFF)
		kvg_agent_arm(agent, source, ms, handler);
	if (*source)
		sd_event_source_set_priority(*source, SD_EVENT_PRIORITY_IDLE);
}

void kvg_agent_tidy_later(struct kvg_agent *agent)
{
	arm_once(agent, &agent->tidy_timer, TIDY_MS, on_tidy);
}

void kvg_agent_tell_status(struct kvg_agent *agent)
{
	const struct kvg_gates_entry *gates;
	json_t *problems;
	size_t count;

	if (!agent->ready)
		return;
	problems = kvg_agent_problems(agent);
	count = json_array_size(problems);
	json_decref(problems);
	kvg_metrics_set(agent->metrics, KVG_METRIC_AGENT_PROBLEMS, (double)count);
	kvg_notify_status(kvg_gates_list(agent->gates, &gates), agent->config->profiles_count,
			  count);
}

static int on_status(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	kvg_agent_tell_status(userdata);
	return 0;
}

void kvg_agent_tell_status_later(struct kvg_agent *agent)
{
	if (agent->ready)
		arm_once(agent, &agent->status_timer, STATUS_MS, on_status);
}
