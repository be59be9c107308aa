// SPDX-License-Identifier: BSD-2-Clause
#include "agent/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core.h"
#include "agent/lock.h"
#include "agent/notify.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/version.h"

static void agent_done(struct kvg_agent *agent)
{
	sd_event_source **sources[] = {&agent->replan_timer, &agent->expiry_timer,
				       &agent->retry_timer,  &agent->tidy_timer,
				       &agent->round_timer,  &agent->status_timer};

	kvg_agent_close_web(agent);
	kvg_control_close(agent->control);
	kvg_watch_close(agent->watch);
	kvg_refresh_close(agent->refresh);
	agent->lookup = kvg_lookup_close(agent->lookup); /* the last lines ask for it */
	free(agent->lookup_servers);
	kvg_agent_close_record(agent);
	kvg_agent_close_context(agent);
	kvg_watchers_close(agent->watchers);
	kvg_top_close(agent->top);
	kvg_check_close(agent->check);
	kvg_gates_close(agent->gates);
	kvg_files_close(agent->files);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(sources); i++)
		*sources[i] = sd_event_source_unref(*sources[i]);
	kvg_targets_done(&agent->targets);
	kvg_agent_free_policies(agent);
	kvg_agent_free_variants(agent);
	kvg_config_free(agent->config);
	free(agent->text);
	kvg_metrics_close(agent->metrics);
	kvg_totals_close(agent->totals);
	sd_event_unref(agent->event);
	kvg_closep(&agent->lock);
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)info;
	(void)userdata;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct kvg_agent *agent = userdata;
	struct kvg_diag diag;

	(void)source;
	(void)info;
	kvg_agent_reload(agent, &diag);
	return 0;
}

static int on_rotate(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	(void)info;
	kvg_agent_rotate_record(userdata);
	return 0;
}

/* Blocked before anything else, so that none is lost while the agent starts. */
static int open_loop(struct kvg_agent *agent)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);

	r = sd_event_new(&agent->event);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL, SIGTERM, on_end, agent);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL, SIGINT, on_end, agent);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL, SIGHUP, on_hangup, agent);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL, SIGUSR1, on_rotate, agent);
	if (r >= 0)
		r = sd_event_set_watchdog(agent->event, true);
	if (r >= 0)
		r = kvg_metrics_open(&agent->metrics);
	if (r == 0)
		r = kvg_totals_open(&agent->totals);
	if (r == 0)
		r = kvg_watchers_open(agent->event, &agent->watchers);
	if (r == 0)
		r = kvg_top_open(&agent->top);
	if (r < 0)
		kvg_log_error("the event loop cannot be made: %s", strerror(-r));
	return r;
}

/* Watched before it is read: a change in between is noticed. */
static int open_config(struct kvg_agent *agent)
{
	struct kvg_diag diag = {};
	int r;

	r = kvg_files_open(agent->event, agent->options->config, kvg_agent_config_changed, agent,
			   &agent->files);
	if (r < 0 && r != -ENOENT && r != -ENOTDIR) {
		kvg_log_error("'%s' cannot be watched: %s", agent->options->config, strerror(-r));
		return KVG_AGENT_FAILED;
	}
	if (kvg_agent_read_config(agent, &diag) < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_AGENT_CONFIG;
	}
	return 0;
}

/* Policies first: a cgroup that is found needs its slot. */
static int open_gates(struct kvg_agent *agent)
{
	const struct kvg_gates_options options = {
		.bpffs_dir = agent->options->bpffs_dir,
		.cgroup_root = agent->options->cgroup_root,
		.totals = agent->totals,
		.keep_names = true,
	};
	struct kvg_diag diag = {};
	int r;

	r = kvg_gates_open(&options, &agent->gates, &diag);
	if (r < 0) {
		kvg_log_error("%s", diag.msg[0] ? diag.msg : strerror(-r));
		return KVG_AGENT_FAILED;
	}
	kvg_agent_open_lookup(agent);
	kvg_agent_apply_policies(agent, true);
	kvg_agent_open_record(agent);
	kvg_gates_forget_gone(
		agent->gates); /* what cannot be forgotten now, a self-check forgets */
	return 0;
}

static int open_watch(struct kvg_agent *agent)
{
	struct kvg_watch_ops ops = kvg_agent_watch_ops;
	struct kvg_diag diag = {};
	int r;

	ops.data = agent;
	agent->scanning = true;
	r = kvg_watch_open(agent->options->cgroup_root, agent->event, &ops, &agent->watch, &diag);
	agent->scanning = false;
	if (r < 0) {
		kvg_log_error("cgroups cannot be watched: %s",
			      diag.msg[0] ? diag.msg : strerror(-r));
		return KVG_AGENT_FAILED;
	}
	kvg_agent_place_all(agent);
	return 0;
}

/* Without it, only questions go unanswered; hooks gate by themselves then. */
static void open_control(struct kvg_agent *agent)
{
	const struct kvg_control_options options = {
		.run_dir = agent->options->run_dir,
		.event = agent->event,
		.rows = kvg_agent_rows,
		.data = agent,
	};
	struct kvg_diag diag = {};

	if (kvg_control_open(&options, &agent->control, &diag) < 0)
		kvg_agent_fault(agent, KVG_FAULT_CONTROL, "no control socket: %s", diag.msg);
}

static int start(struct kvg_agent *agent)
{
	struct kvg_diag diag = {};
	int status;

	if (open_loop(agent) < 0)
		return KVG_AGENT_FAILED;
	if (kvg_lock_take(agent->options->run_dir, &agent->lock, &diag) < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_AGENT_FAILED;
	}
	status = open_config(agent);
	if (status == 0)
		status = open_gates(agent);
	if (status == 0)
		status = open_watch(agent);
	if (status)
		return status;

	open_control(agent);
	kvg_agent_open_web(agent);
	kvg_agent_recall(agent); /* of hooks that found no socket a moment ago */
	kvg_agent_open_refresh(agent);
	if (kvg_agent_start_rounds(agent) < 0)
		return KVG_AGENT_FAILED;
	kvg_metrics_set_of(agent->metrics, KVG_METRIC_BUILD_INFO, KVG_VERSION, NULL, 1);
	agent->ready = true;
	kvg_agent_tell_status(agent);
	kvg_notify_ready();
	kvg_log_note("ready");
	return 0;
}

static int stop(struct kvg_agent *agent)
{
	struct kvg_diag diag = {};

	kvg_notify_stopping();
	if (!agent->options->detach_on_exit)
		return 0;

	/* The record's last counts are those of gates that are there. */
	agent->watch = kvg_watch_close(agent->watch);
	kvg_agent_close_record(agent);
	agent->check = kvg_check_close(agent->check);
	if (kvg_gates_remove_all(agent->gates, &diag) < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_AGENT_FAILED;
	}
	return 0;
}

int kvg_agent_run(const struct kvg_agent_options *options)
{
	KVG_CLEANUP(agent_done) struct kvg_agent agent = {.options = options, .lock = -1};
	int status, r;

	status = start(&agent);
	if (status)
		return status;
	r = sd_event_loop(agent.event);
	if (r < 0) {
		kvg_log_error("the event loop ended: %s; the gates stay in force", strerror(-r));
		return KVG_AGENT_FAILED;
	}
	return stop(&agent);
}
