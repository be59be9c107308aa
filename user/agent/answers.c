// SPDX-License-Identifier: BSD-2-Clause
/* The control socket's requests: ping, status, reload, metrics, gate, watch, flows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/core.h"
#include "base/cleanup.h"
#include "base/version.h"
#include "discover/oci_state.h"
#include "discover/told.h"
#include "policy/words.h"

static void add_text(json_t *array, const char *text)
{
	if (text && text[0])
		json_array_append_new(array, json_string(text));
}

json_t *kvg_agent_problems(const struct kvg_agent *agent)
{
	const char *const *found = NULL;
	json_t *array = json_array();
	size_t count;

	for (int i = 0; i < KVG_FAULT_COUNT; i++) {
		if (kvg_agent_is_problem(i))
			add_text(array, agent->faults[i].msg);
	}
	for (size_t i = 0; i < agent->policies_count; i++)
		add_text(array, agent->policies[i].problem.msg);
	for (size_t i = 0; i < agent->targets.count; i++)
		add_text(array, agent->targets.list[i]->problem.msg);
	count = agent->check ? kvg_check_problems(agent->check, &found) : 0;
	for (size_t i = 0; i < count; i++)
		add_text(array, found[i]);
	return array;
}

static json_t *make_notes(const struct kvg_agent *agent)
{
	json_t *array = json_array();
	const char *text;

	for (int i = 0; i < KVG_FAULT_COUNT; i++) {
		if (!kvg_agent_is_problem(i))
			add_text(array, agent->faults[i].msg);
	}
	for (size_t i = 0; agent->lookup && (text = kvg_lookup_problem(agent->lookup, i)); i++)
		add_text(array, text);
	for (size_t i = 0; i < agent->targets.count; i++) {
		const struct kvg_target *target = agent->targets.list[i];

		if (target->note.msg[0])
			json_array_append_new(
				array, json_sprintf("'%s': %s", target->cgroup, target->note.msg));
	}
	return array;
}

static json_t *make_profiles(const struct kvg_agent *agent)
{
	json_t *array = json_array();

	for (size_t i = 0; i < agent->policies_count; i++) {
		const struct kvg_agent_policy *policy = &agent->policies[i];
		char digest[KVG_DIGEST_HEX_LEN + 7] = "sha256:";
		const char *source = "documents";

		kvg_digest_format(policy->digest, digest + strlen(digest));
		if (policy->missing)
			source = "none";
		else if (policy->held)
			source = "held";
		else if (policy->from_saved)
			source = "last good";
		json_array_append_new(array, json_pack("{s:s, s:s, s:s?}", "name", policy->profile,
						       "source", source, "policy_digest",
						       policy->missing ? NULL : digest));
	}
	return array;
}

/* Cgroups that more than one profile is for, or that are covered: all that match are shown. */
static json_t *make_cgroups(const struct kvg_agent *agent)
{
	json_t *array = json_array();

	for (size_t i = 0; i < agent->targets.count; i++) {
		const struct kvg_target *target = agent->targets.list[i];
		json_t *object, *also;

		if (target->count < 2 && !target->cover)
			continue;
		also = json_array();
		for (size_t j = 1; j < target->count; j++)
			add_text(also, target->matches[j].profile->profile.name);
		object = json_pack("{s:s, s:s, s:o, s:s?}", "cgroup", target->cgroup, "profile",
				   target->matches[0].profile->profile.name, "also", also,
				   "covered_by", target->cover);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *on_ping(void *data, const json_t *request)
{
	(void)data;
	(void)request;
	return json_pack("{s:s, s:s, s:i}", "result", "ok", "version", KVG_VERSION, "pid",
			 (int)getpid());
}

static json_t *on_status(void *data, const json_t *request)
{
	const struct kvg_agent *agent = data;
	const struct kvg_gates_entry *gates;
	json_t *problems = kvg_agent_problems(agent);

	(void)request;
	return json_pack("{s:s, s:s, s:i, s:s, s:b, s:o, s:o, s:o, s:o, s:I, s:I}", "result", "ok",
			 "version", KVG_VERSION, "pid", (int)getpid(), "config",
			 agent->options->config, "healthy", json_array_size(problems) == 0,
			 "problems", problems, "notes", make_notes(agent), "profiles",
			 make_profiles(agent), "cgroups", make_cgroups(agent), "gates",
			 (json_int_t)kvg_gates_list(agent->gates, &gates), "repaired",
			 (json_int_t)agent->repaired);
}

static json_t *on_reload(void *data, const json_t *request)
{
	struct kvg_diag diag = {};

	(void)request;
	if (kvg_agent_reload(data, &diag) < 0)
		return kvg_control_answer("failed", diag.msg);
	return kvg_control_answer("ok", NULL);
}

static json_t *on_metrics(void *data, const json_t *request)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;

	(void)request;
	if (kvg_agent_format_metrics(data, &text) < 0)
		return kvg_control_answer("failed", "out of memory");
	return json_pack("{s:s, s:s}", "result", "ok", "text", text);
}

/* What the hook said of a container is remembered: the disk may say less. */
static int remember(struct kvg_target *target, struct kvg_identity *identity)
{
	if (!identity->container_id[0] || identity->incomplete)
		return 0;
	if (!target->told)
		target->told = calloc(1, sizeof(*target->told));
	if (!target->told)
		return -ENOMEM;
	kvg_identity_done(target->told);
	*target->told = *identity;
	*identity = (struct kvg_identity){};
	return 0;
}

static bool is_policy_missing(const struct kvg_agent *agent, const char *cgroup)
{
	const struct kvg_gates_entry *gates;
	size_t count = kvg_gates_list(agent->gates, &gates);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(gates[i].cgroup, cgroup) == 0)
			return gates[i].policy_missing;
	}
	return false;
}

/* A gate without a policy refuses everything: what starts behind it could only fail. */
static int check_policy(const struct kvg_agent *agent, const struct kvg_target *target,
			struct kvg_diag *reterr_diag)
{
	if (!is_policy_missing(agent, target->cover ? target->cover : target->cgroup))
		return 0;
	return kvg_diag_set(reterr_diag, -ENODATA, "profile '%s' is for it and has no policy",
			    target->matches[0].profile->profile.name);
}

/* Return: 1 a gate is in force, 0 none is needed, or a negative errno */
static int place_told(struct kvg_agent *agent, struct kvg_identity *identity, bool starting,
		      struct kvg_diag *reterr_diag)
{
	struct kvg_target *target;
	int r;

	r = kvg_targets_add(&agent->targets, identity->cgroup, &target);
	if (r == 0)
		r = remember(target, identity);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "%s", strerror(-r));
	target->starting = starting;
	r = kvg_agent_place(agent, target);
	target->starting = false;
	if (r == -ELOOP)
		return 0;
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "%s", target->problem.msg);
	if (kvg_target_profile(target) && !target->in_force)
		return kvg_diag_set(reterr_diag, -ENOENT, "'%s' is gone", target->cgroup);
	if (!target->in_force && !target->cover)
		return 0;
	r = check_policy(agent, target, reterr_diag);
	return r < 0 ? r : 1;
}

static json_t *place_container(struct kvg_agent *agent, struct kvg_identity *identities,
			       size_t count, bool starting)
{
	bool gated = false;

	for (size_t i = 0; i < count; i++) {
		struct kvg_diag diag = {};
		int r = place_told(agent, &identities[i], starting, &diag);

		if (r < 0)
			return kvg_control_answer("failed", diag.msg);
		gated = gated || r > 0;
	}
	return kvg_control_answer(gated ? "gated" : "none", NULL);
}

static struct kvg_told_places told_places(const struct kvg_agent *agent)
{
	return (struct kvg_told_places){
		.run_dir = agent->options->run_dir,
		.cgroup_root = agent->options->cgroup_root,
	};
}

static json_t *place_state(struct kvg_agent *agent, const struct kvg_oci_state *state,
			   bool starting)
{
	const struct kvg_identity_roots roots = {
		.run = agent->options->runtime_run,
		.var_lib = agent->options->runtime_lib,
	};
	struct kvg_identity *identities = NULL;
	struct kvg_diag diag = {};
	json_t *answer;
	size_t count = 0;

	if (kvg_oci_state_identify(state, &roots, &identities, &count, &diag) < 0)
		return kvg_control_answer("failed", diag.msg);
	answer = place_container(agent, identities, count, starting);
	kvg_oci_state_free_identities(identities, count);
	return answer;
}

static void on_told(void *data, struct kvg_oci_state *state)
{
	json_decref(place_state(data, state, false));
}

void kvg_agent_recall(struct kvg_agent *agent)
{
	const struct kvg_told_places places = told_places(agent);

	kvg_told_each(&places, on_told, agent);
}

void kvg_agent_forget(struct kvg_agent *agent, const char *cgroup)
{
	const struct kvg_told_places places = told_places(agent);

	kvg_told_forget(&places, cgroup);
}

/* Kept on disk first: a gate must not be in force that the next agent takes for needless. */
static json_t *on_gate(void *data, const json_t *request)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state state = {};
	struct kvg_agent *agent = data;
	const struct kvg_told_places places = told_places(agent);
	struct kvg_diag diag = {};
	json_t *answer;
	int r;

	r = kvg_oci_state_read(request, &state, &diag);
	if (r == 0)
		r = kvg_oci_state_find_cgroup(&state, &diag);
	if (r == 0)
		r = kvg_told_keep(&places, &state, &diag);
	if (r < 0)
		return kvg_control_answer("failed", diag.msg[0] ? diag.msg : strerror(-r));
	answer = place_state(agent, &state, true);
	kvg_agent_tell_status_later(agent);
	return answer;
}

static json_t *flow_json(const struct kvg_top_flow *flow)
{
	char text[KVG_TOP_FLOW_STRLEN], process[KVG_COMM_LEN + 1] = "";
	json_t *json;

	memcpy(process, flow->comm, KVG_COMM_LEN);
	json = json_pack("{s:s, s:s, s:I}", "flow", kvg_top_format_flow(&flow->refusal, text),
			 "reason", kvg_reason_word(flow->refusal.reason), "count",
			 (json_int_t)flow->count);
	/* What is no UTF-8 is left out. */
	if (process[0])
		json_object_set_new(json, "process", json_string(process));
	if (flow->domain)
		json_object_set_new(json, "domain", json_string(flow->domain));
	return json;
}

static json_t *on_flows(void *data, const json_t *request)
{
	const struct kvg_agent *agent = data;
	struct kvg_top_gate *const *gates;
	size_t count = kvg_top_list(agent->top, &gates);
	json_t *array = json_array();

	(void)request;
	for (size_t i = 0; i < count; i++) {
		json_t *flows = json_array();

		for (size_t j = 0; j < gates[i]->count; j++)
			json_array_append_new(flows, flow_json(&gates[i]->flows[j]));
		json_array_append_new(array,
				      json_pack("{s:I, s:I, s:o}", "cgroup_id",
						(json_int_t)gates[i]->cgroup_id, "others",
						(json_int_t)gates[i]->others, "flows", flows));
	}
	return json_pack("{s:s, s:o}", "result", "ok", "gates", array);
}

static int on_watch(void *data, const json_t *request, int fd, struct kvg_diag *reterr_diag)
{
	const struct kvg_agent *agent = data;

	return kvg_watchers_take(agent->watchers, request, fd, reterr_diag);
}

const struct kvg_control_row kvg_agent_rows[] = {
	{.request = "ping", .run = on_ping},     {.request = "status", .run = on_status},
	{.request = "reload", .run = on_reload}, {.request = "metrics", .run = on_metrics},
	{.request = "gate", .run = on_gate},     {.request = "watch", .take = on_watch},
	{.request = "flows", .run = on_flows},   {},
};
