// SPDX-License-Identifier: BSD-2-Clause
/* Policies: planned, put in force, remembered for those who ask. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/core.h"
#include "agent/plan.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "policy/history.h"
#include "policy/variant.h"

/* Names and documents come in groups. */
#define REPLAN_MS 1000

/* A timer of a day at most: the clock may jump meanwhile. */
#define EXPIRY_S_MAX 86400

/* When the kernel refused a policy: memory may be there again. */
#define REPLAN_AFTER_FAILURE_MS 30000

struct kvg_agent_policy *kvg_agent_find_policy(const struct kvg_agent *agent, const char *profile)
{
	for (size_t i = 0; i < agent->policies_count; i++) {
		if (strcmp(agent->policies[i].profile, profile) == 0)
			return &agent->policies[i];
	}
	return NULL;
}

static struct kvg_agent_policy *add_policy(struct kvg_agent *agent, const char *profile)
{
	struct kvg_agent_policy *known = kvg_agent_find_policy(agent, profile);
	struct kvg_agent_policy *policies;
	char *name;

	if (known)
		return known;
	policies = reallocarray(agent->policies, agent->policies_count + 1, sizeof(*policies));
	if (!policies)
		return NULL;
	agent->policies = policies;
	name = strdup(profile);
	if (!name)
		return NULL;
	known = &policies[agent->policies_count++];
	*known = (struct kvg_agent_policy){.profile = name, .missing = true};
	return known;
}

void kvg_agent_free_policies(struct kvg_agent *agent)
{
	for (size_t i = 0; i < agent->policies_count; i++)
		free(agent->policies[i].profile);
	free(agent->policies);
	agent->policies = NULL;
	agent->policies_count = 0;
}

/* What another agent, or this one before, has put in force is better than nothing. */
static bool is_in_kernel(const struct kvg_agent *agent, const char *profile)
{
	const struct kvg_gates_entry *gates;
	size_t count = kvg_gates_list(agent->gates, &gates);

	for (size_t i = 0; i < count; i++) {
		if (!gates[i].policy_missing && kvg_variant_is_of(gates[i].profile, profile))
			return true;
	}
	return false;
}

static void note_prefixes(struct kvg_agent_policy *known, const struct kvg_policy *policy)
{
	known->prefixes[0] = known->prefixes[1] = 0;
	for (size_t i = 0; i < policy->rules_count; i++)
		known->prefixes[policy->rules[i].prefix.family == AF_INET6]++;
}

static bool is_in_force(const struct kvg_agent *agent, const struct kvg_agent_policy *known)
{
	return !known->missing || is_in_kernel(agent, known->profile);
}

/* Nothing to put in force: what is stays, also for new gates; else everything is refused. */
static int put_nothing(struct kvg_agent *agent, struct kvg_agent_policy *known,
		       const struct kvg_plan_row *row, struct kvg_diag *diag)
{
	bool in_kernel = is_in_force(agent, known);
	int r = 0;

	if (!in_kernel)
		r = kvg_agent_put_policy(agent, row->profile, NULL, diag);
	kvg_diag_set(&known->problem, 0, "profile '%s' has no policy, %s: %s", row->profile,
		     in_kernel ? "what is in force stays" : "its gates refuse everything",
		     row->problem.msg);
	return r;
}

static void note_change(struct kvg_agent *agent, const struct kvg_policy *policy)
{
	struct kvg_diag diag = {};
	int r = kvg_history_add(agent->options->state_dir, policy, &diag);

	kvg_metrics_add(agent->metrics, KVG_METRIC_POLICY_CHANGES, 1);
	if (r < 0)
		kvg_log_note("the history of profile '%s' cannot be kept: %s", policy->profile,
			     diag.msg[0] ? diag.msg : strerror(-r));
}

static int put_policy(struct kvg_agent *agent, struct kvg_agent_policy *known,
		      const struct kvg_plan_row *row, struct kvg_diag *diag)
{
	const struct kvg_policy *policy = row->policy;
	bool is_new = memcmp(known->digest, policy->digest, sizeof(known->digest)) != 0;
	int r;

	r = kvg_agent_put_policy(agent, row->profile, policy, diag);
	if (r < 0)
		return r;
	known->missing = false;
	known->from_saved = row->from_saved;
	known->held = row->held;
	memcpy(known->digest, policy->digest, sizeof(known->digest));
	note_prefixes(known, policy);
	known->problem = (struct kvg_diag){};
	if (row->from_saved)
		kvg_diag_set(&known->problem, 0, "profile '%s' is held by its last good policy: %s",
			     row->profile, row->problem.msg);
	if (is_new)
		note_change(agent, policy);
	return 0;
}

static void tell_saving(struct kvg_agent *agent, const struct kvg_plan_row *row)
{
	if (!row->save_error)
		return;
	agent->save_failed = true;
	kvg_metrics_add(agent->metrics, KVG_METRIC_POLICY_SAVE_FAILURES, 1);
	kvg_agent_fault(agent, KVG_FAULT_SAVING,
			"policies cannot be kept in '%s': %s; they are in force all the same",
			agent->options->state_dir, strerror(-row->save_error));
}

static int put_row(struct kvg_agent *agent, const struct kvg_plan_row *row)
{
	struct kvg_agent_policy *known = add_policy(agent, row->profile);
	struct kvg_diag before, diag = {};
	int r = -ENOMEM;

	if (!known)
		return r;
	known->seen = true;
	before = known->problem;
	if (row->policy && !(row->keep && is_in_force(agent, known)))
		r = put_policy(agent, known, row, &diag);
	else
		r = put_nothing(agent, known, row, &diag);
	if (r < 0)
		kvg_diag_set(&known->problem, 0,
			     "the policy of profile '%s' cannot be put in force: %s", row->profile,
			     diag.msg[0] ? diag.msg : strerror(-r));
	if (known->problem.msg[0] && strcmp(before.msg, known->problem.msg) != 0)
		kvg_log_error("%s", known->problem.msg);
	tell_saving(agent, row);
	return r;
}

static void forget_unseen(struct kvg_agent *agent)
{
	for (size_t i = agent->policies_count; i > 0; i--) {
		struct kvg_agent_policy *policy = &agent->policies[i - 1];

		if (policy->seen)
			continue;
		kvg_gates_forget_profile(agent->gates, policy->profile);
		free(policy->profile);
		*policy = agent->policies[--agent->policies_count];
	}
}

static void note_documents(struct kvg_agent *agent, const struct kvg_library *library, bool tell)
{
	for (int kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++) {
		for (int cloud = 0; cloud < KVG_CLOUD_COUNT; cloud++) {
			const struct kvg_document *document = library->documents[kind][cloud];

			agent->last_day[kind][cloud] = document ? document->last_day : 0;
		}
	}
	for (size_t i = 0; i < library->notes_count && tell; i++)
		kvg_log_note("%s", library->notes[i]);
}

static int add_resolved(void *data, struct kvg_profile *profile, struct kvg_notes *notes)
{
	const struct kvg_agent *agent = data;

	return agent->lookup ? kvg_lookup_add_resolved(agent->lookup, profile, notes) : 0;
}

static int put_all(struct kvg_agent *agent, struct kvg_plan *plan, bool tell)
{
	int failed = 0, r;

	do {
		KVG_CLEANUP(kvg_plan_row_done) struct kvg_plan_row row = {};
		KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {};

		r = kvg_plan_next(plan, &row, &notes);
		if (r > 0 && put_row(agent, &row) < 0)
			failed = 1;
		for (size_t i = 0; i < notes.count && tell; i++)
			kvg_log_note("profile '%s': %s", row.profile, notes.lines[i]);
	} while (r > 0);
	return r < 0 ? r : failed;
}

static int on_replan(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	kvg_agent_apply_policies(userdata, false);
	kvg_agent_tell_status(userdata);
	return 0;
}

static void arm_expiry(struct kvg_agent *agent, time_t expires)
{
	time_t now = time(NULL);
	time_t wait = expires > now ? expires - now + 1 : 1;

	if (expires)
		kvg_agent_arm(agent, &agent->expiry_timer,
			      (wait < EXPIRY_S_MAX ? wait : EXPIRY_S_MAX) * 1000UL, on_replan);
}

/* Planned on a copy: a plan adds names to its profiles. */
static int apply(struct kvg_agent *agent, bool tell)
{
	const struct kvg_plan_inputs inputs = {
		.state_dir = agent->options->state_dir,
		.ranges = agent->options->ranges,
		.ranges_count = agent->options->ranges_count,
		.add_resolved = add_resolved,
		.data = agent,
	};
	KVG_CLEANUP(kvg_config_freep) struct kvg_config *config = NULL;
	KVG_CLEANUP(kvg_plan_closep) struct kvg_plan *plan = NULL;
	int r;

	r = kvg_config_parse(agent->text, agent->text_size, &config, NULL);
	if (r == 0)
		r = kvg_agent_plan_variants(agent, tell);
	if (r == 0)
		r = kvg_plan_open(config, &inputs, &plan);
	if (r < 0)
		return r;
	for (size_t i = 0; i < agent->policies_count; i++)
		agent->policies[i].seen = false;
	note_documents(agent, kvg_plan_library(plan), tell);
	agent->save_failed = false;
	r = put_all(agent, plan, tell);
	if (!agent->save_failed)
		kvg_agent_mended(agent, KVG_FAULT_SAVING);
	if (r == 0)
		forget_unseen(agent);
	arm_expiry(agent, kvg_plan_expires(plan));
	return r;
}

void kvg_agent_apply_policies(struct kvg_agent *agent, bool tell)
{
	int r = apply(agent, tell);

	if (r < 0)
		kvg_agent_fault(agent, KVG_FAULT_MEMORY, "policies cannot be made: %s",
				strerror(-r));
	else
		kvg_agent_mended(agent, KVG_FAULT_MEMORY);
	if (r)
		kvg_agent_arm(agent, &agent->replan_timer, REPLAN_AFTER_FAILURE_MS, on_replan);
	kvg_agent_tidy_later(agent);
	malloc_trim(0); /* the documents were most of what the process ever had */
}

void kvg_agent_replan_later(struct kvg_agent *agent)
{
	kvg_agent_arm(agent, &agent->replan_timer, REPLAN_MS, on_replan);
}
