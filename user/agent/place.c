// SPDX-License-Identifier: BSD-2-Clause
/* Cgroups as they come: whose are they, which profile gates them, is the gate in force? */
#include <errno.h>
#include <string.h>

#include "agent/core.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "policy/variant.h"

/* A runtime that makes the cgroup first writes whose it is a moment later. */
static const unsigned int retry_ms[] = {10, 40, 150, 600, 2500, 10000};

static struct kvg_identity_roots roots(const struct kvg_agent *agent)
{
	return (struct kvg_identity_roots){
		.run = agent->options->runtime_run,
		.var_lib = agent->options->runtime_lib,
	};
}

static const struct kvg_gates_entry *find_gate(const struct kvg_agent *agent, const char *cgroup)
{
	const struct kvg_gates_entry *gates;
	size_t count = kvg_gates_list(agent->gates, &gates);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(gates[i].cgroup, cgroup) == 0)
			return &gates[i];
	}
	return NULL;
}

/* The latency is that of news: what was there when the agent came is none. */
static void note_gated(struct kvg_agent *agent, const struct kvg_target *target, bool is_new)
{
	uint64_t heard;

	kvg_log_note("gated '%s' by profile '%s'", target->cgroup, kvg_target_profile(target));
	if (!is_new || agent->scanning || !agent->ready ||
	    sd_event_now(agent->event, CLOCK_MONOTONIC, &heard) != 0)
		return;
	kvg_metrics_observe(agent->metrics, KVG_METRIC_ATTACH_SECONDS,
			    (double)(kvg_agent_now_us() - heard) / 1e6);
}

static void note_failed(struct kvg_agent *agent, struct kvg_target *target, int error,
			const struct kvg_diag *diag)
{
	struct kvg_diag problem = {};

	kvg_diag_set(&problem, 0, "'%s' cannot be gated by profile '%s': %s", target->cgroup,
		     kvg_target_profile(target), diag->msg[0] ? diag->msg : strerror(-error));
	if (error == -ELOOP) {
		kvg_log_note("%s", problem.msg);
		return;
	}
	kvg_metrics_add(agent->metrics, KVG_METRIC_ATTACH_FAILURES, 1);
	if (strcmp(target->problem.msg, problem.msg) != 0)
		kvg_log_error("%s", problem.msg);
	target->problem = problem;
}

static int put(struct kvg_agent *agent, struct kvg_target *target)
{
	const char *profile = kvg_target_profile(target);
	const struct kvg_gates_entry *gate = find_gate(agent, target->cgroup);
	struct kvg_diag diag = {}, problem = {};
	bool is_new = !gate, is_same = gate && kvg_variant_is_of(gate->profile, profile);
	char variant[KVG_PROFILE_LEN];
	int r;

	r = kvg_agent_choose_variant(agent, target, variant, &problem, &diag);
	if (r == 0)
		r = kvg_gates_put(agent->gates, target->cgroup, variant, &diag);
	if (r == -ENOENT)
		return 0; /* it went meanwhile; the watch tells so */
	if (r < 0) {
		note_failed(agent, target, r, &diag);
		return r;
	}
	target->in_force = true;
	if (problem.msg[0] && strcmp(problem.msg, target->problem.msg) != 0)
		kvg_log_error("%s", problem.msg);
	target->problem = problem;
	if (!is_same)
		note_gated(agent, target, is_new);
	return 0;
}

static void look_again_later(struct kvg_agent *agent, struct kvg_target *target);

int kvg_agent_place(struct kvg_agent *agent, struct kvg_target *target)
{
	const struct kvg_identity_roots where = roots(agent);
	bool was_incomplete = target->incomplete;
	int r;

	target->in_force = false;
	r = kvg_targets_decide(&agent->targets, target, agent->config, &where);
	if (r < 0) {
		kvg_diag_set(&target->problem, 0, "'%s' cannot be looked at: %s", target->cgroup,
			     strerror(-r));
		return r;
	}
	if (target->incomplete && !was_incomplete)
		look_again_later(agent, target);
	if (kvg_target_profile(target))
		return put(agent, target);
	target->problem = (struct kvg_diag){};
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata);

/* Arms the timer for the target that is due next. */
static void arm_retry(struct kvg_agent *agent)
{
	unsigned long long next = 0, now = kvg_agent_now_us();

	for (size_t i = 0; i < agent->targets.count; i++) {
		const struct kvg_target *target = agent->targets.list[i];

		if (target->due_us && (!next || target->due_us < next))
			next = target->due_us;
	}
	if (next)
		kvg_agent_arm(agent, &agent->retry_timer, next > now ? (next - now) / 1000 + 1 : 0,
			      on_retry);
}

static void look_again_later(struct kvg_agent *agent, struct kvg_target *target)
{
	target->due_us = 0;
	if (target->tries >= KVG_ARRAY_SIZE(retry_ms))
		return;
	target->due_us = kvg_agent_now_us() + retry_ms[target->tries++] * 1000ULL;
	arm_retry(agent);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kvg_agent *agent = userdata;
	unsigned long long now = kvg_agent_now_us();

	(void)source;
	(void)usec;
	for (size_t i = 0; i < agent->targets.count; i++) {
		struct kvg_target *target = agent->targets.list[i];

		if (!target->due_us || target->due_us > now)
			continue;
		target->due_us = 0;
		kvg_agent_place(agent, target);
		if (target->incomplete)
			look_again_later(agent, target);
	}
	arm_retry(agent);
	kvg_agent_tell_status_later(agent);
	return 0;
}

static void on_appeared(void *data, const char *cgroup)
{
	struct kvg_agent *agent = data;
	struct kvg_target *target;

	if (kvg_targets_add(&agent->targets, cgroup, &target) < 0) {
		kvg_agent_fault(agent, KVG_FAULT_MEMORY, "'%s' cannot be looked at: out of memory",
				cgroup);
		return;
	}
	kvg_agent_place(agent, target);
	kvg_agent_tell_status_later(agent);
}

static void on_gone(void *data, const char *cgroup)
{
	struct kvg_agent *agent = data;
	bool was_gated = find_gate(agent, cgroup);

	kvg_targets_remove(&agent->targets, cgroup);
	kvg_agent_forget(agent, cgroup);
	if (was_gated)
		kvg_agent_tidy_later(agent);
}

static void on_problem(void *data, const char *message)
{
	if (message)
		kvg_agent_fault(data, KVG_FAULT_WATCH, "%s", message);
	else
		kvg_agent_mended(data, KVG_FAULT_WATCH);
}

const struct kvg_watch_ops kvg_agent_watch_ops = {
	.appeared = on_appeared,
	.gone = on_gone,
	.problem = on_problem,
};

/*
 * Does nothing ask for this gate any more? A container whose bundle cannot be found keeps the gate that
 * it has, as long as there is its profile: nobody can say that it is another's.
 */
static bool is_needless(struct kvg_agent *agent, const struct kvg_gates_entry *gate)
{
	const struct kvg_target *target = kvg_targets_find(&agent->targets, gate->cgroup);

	if (!target || kvg_target_profile(target))
		return false;
	return target->cover || !target->incomplete ||
	       !kvg_agent_find_profile(agent, gate->profile);
}

static const struct kvg_gates_entry *find_needless(struct kvg_agent *agent, size_t *at)
{
	const struct kvg_gates_entry *gates;
	size_t count = kvg_gates_list(agent->gates, &gates);

	for (; *at < count; ++*at) {
		if (is_needless(agent, &gates[*at]))
			return &gates[*at];
	}
	return NULL;
}

/* The list is another one after each removal. */
static void remove_needless(struct kvg_agent *agent)
{
	const struct kvg_gates_entry *gate;
	size_t at = 0;

	while ((gate = find_needless(agent, &at))) {
		KVG_CLEANUP(kvg_freep) char *cgroup = strdup(gate->cgroup);
		struct kvg_diag diag = {};
		int r = kvg_gates_remove(agent->gates, gate->cgroup_id, &diag);

		if (r < 0) {
			kvg_log_error("the gate of '%s' cannot be removed: %s",
				      cgroup ? cgroup : "?", diag.msg[0] ? diag.msg : strerror(-r));
			at++;
		} else {
			kvg_log_note("removed the gate of '%s': no profile is for it any more",
				     cgroup ? cgroup : "?");
		}
	}
}

void kvg_agent_place_all(struct kvg_agent *agent)
{
	kvg_agent_recall(agent);
	for (size_t i = 0; i < agent->targets.count; i++) {
		agent->targets.list[i]->tries = 0;
		agent->targets.list[i]->incomplete = false;
		kvg_agent_place(agent, agent->targets.list[i]);
	}
	remove_needless(agent);
	kvg_agent_tidy_later(agent);
}

void kvg_agent_retry(struct kvg_agent *agent)
{
	for (size_t i = 0; i < agent->targets.count; i++) {
		if (agent->targets.list[i]->problem.msg[0])
			kvg_agent_place(agent, agent->targets.list[i]);
	}
}
