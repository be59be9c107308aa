// SPDX-License-Identifier: BSD-2-Clause
/* Variants of profiles with `resolvers: [auto]`: which one a gate has, and the policy of each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/core.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "discover/resolv_conf.h"
#include "policy/history.h"
#include "policy/saved_policy.h"
#include "policy/variant.h"

const struct kvg_config_profile *kvg_agent_find_profile(const struct kvg_agent *agent,
							const char *name)
{
	char profile[KVG_PROFILE_LEN];

	snprintf(profile, sizeof(profile), "%.*s", (int)kvg_variant_profile_len(name), name);
	return kvg_config_find(agent->config, profile);
}

static bool is_auto(const struct kvg_agent *agent, const char *name)
{
	const struct kvg_config_profile *profile = kvg_agent_find_profile(agent, name);

	return profile && profile->profile.auto_resolvers;
}

static struct kvg_agent_variant *find_variant(const struct kvg_agent *agent, const char *name)
{
	for (size_t i = 0; i < agent->variants_count; i++) {
		if (strcmp(agent->variants[i].name, name) == 0)
			return &agent->variants[i];
	}
	return NULL;
}

/* Known from here on, also to agents after this one; its policy is another matter. */
static int learn(struct kvg_agent *agent, const char *name, const struct kvg_resolvers *resolvers)
{
	struct kvg_agent_variant *variant = find_variant(agent, name);
	struct kvg_agent_variant *more;
	int r;

	if (!variant) {
		more = reallocarray(agent->variants, agent->variants_count + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		agent->variants = more;
		variant = &more[agent->variants_count++];
		snprintf(variant->name, sizeof(variant->name), "%s", name);
	}
	variant->resolvers = *resolvers;
	r = kvg_resolvers_keep(agent->options->run_dir, kvg_variant_tag_of(name), resolvers);
	if (r < 0)
		kvg_log_note("resolvers of '%s' cannot be kept in '%s': %s", name,
			     agent->options->run_dir, strerror(-r));
	return r == -ENOMEM ? r : 0;
}

static bool is_named(const struct kvg_agent *agent, const char *name)
{
	const struct kvg_gates_entry *gates;
	size_t count = kvg_gates_list(agent->gates, &gates);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(gates[i].profile, name) == 0)
			return true;
	}
	return false;
}

/* The node's stays as long as its profile does: a new gate finds it filled. */
static bool is_wanted(const struct kvg_agent *agent, const struct kvg_agent_variant *variant)
{
	const char *tag = kvg_variant_tag_of(variant->name);

	return is_auto(agent, variant->name) &&
	       (strcmp(tag, KVG_VARIANT_NODE) == 0 || is_named(agent, variant->name));
}

bool kvg_agent_drop_variants(struct kvg_agent *agent)
{
	size_t kept = 0, count = agent->variants_count;

	for (size_t i = 0; i < count; i++) {
		if (is_wanted(agent, &agent->variants[i]))
			agent->variants[kept++] = agent->variants[i];
		else
			kvg_gates_forget_profile(agent->gates, agent->variants[i].name);
	}
	agent->variants_count = kept;
	return kept < count;
}

void kvg_agent_free_variants(struct kvg_agent *agent)
{
	free(agent->variants);
	agent->variants = NULL;
	agent->variants_count = 0;
}

/* --- policies -------------------------------------------------------------------------------- */

static bool is_tag_used(const void *data, const char *tag)
{
	const struct kvg_agent *agent = data;

	for (size_t i = 0; i < agent->variants_count; i++) {
		if (strcmp(kvg_variant_tag_of(agent->variants[i].name), tag) == 0)
			return true;
	}
	return false;
}

static int read_node(struct kvg_agent *agent, bool tell)
{
	KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {};
	char name[KVG_PROFILE_LEN];
	int r = kvg_resolvers_read_node(agent->options->resolv_conf, KVG_RESOLVERS_UPSTREAM,
					&agent->node, &notes);

	for (size_t i = 0; i < agent->config->profiles_count && r == 0; i++) {
		const struct kvg_profile *profile = &agent->config->profiles[i].profile;

		if (profile->auto_resolvers)
			r = learn(agent, kvg_variant_name(profile->name, KVG_VARIANT_NODE, name),
				  &agent->node.own);
	}
	for (size_t i = 0; i < notes.count && tell; i++)
		kvg_log_note("%s", notes.lines[i]);
	return r;
}

/* What gates have that an agent before this one, or a hook, has made. */
static int read_gates(struct kvg_agent *agent)
{
	const struct kvg_gates_entry *gates;
	size_t count = kvg_gates_list(agent->gates, &gates);
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		const char *tag = kvg_variant_tag_of(gates[i].profile);
		struct kvg_resolvers resolvers;

		if (!tag || !is_auto(agent, gates[i].profile) ||
		    find_variant(agent, gates[i].profile) ||
		    kvg_resolvers_recall(agent->options->run_dir, tag, &resolvers) < 0)
			continue;
		r = learn(agent, gates[i].profile, &resolvers);
	}
	return r;
}

int kvg_agent_plan_variants(struct kvg_agent *agent, bool tell)
{
	int r = read_node(agent, tell);

	if (r == 0)
		r = read_gates(agent);
	if (r < 0)
		return r;
	kvg_agent_drop_variants(agent);
	kvg_resolvers_forget(agent->options->run_dir, is_tag_used, agent);
	return 0;
}

static int put_variant(struct kvg_agent *agent, const struct kvg_agent_variant *variant,
		       const struct kvg_policy *policy, struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *made = NULL;
	int r = 0;

	if (policy && variant->resolvers.count)
		r = kvg_variant_make(policy, &variant->resolvers, &made, diag);
	return r < 0 ? r
		     : kvg_gates_set_policy(agent->gates, variant->name, made ? made : policy,
					    diag);
}

int kvg_agent_put_policy(struct kvg_agent *agent, const char *profile,
			 const struct kvg_policy *policy, struct kvg_diag *reterr_diag)
{
	int error = 0;

	if (!is_auto(agent, profile))
		return kvg_gates_set_policy(agent->gates, profile, policy, reterr_diag);
	kvg_gates_forget_profile(agent->gates, profile); /* it was not automatic before */
	for (size_t i = 0; i < agent->variants_count; i++) {
		int r = 0;

		if (kvg_variant_is_of(agent->variants[i].name, profile))
			r = put_variant(agent, &agent->variants[i], policy,
					error ? NULL : reterr_diag);
		error = error ? error : r;
	}
	return error;
}

/* --- which one a gate has -------------------------------------------------------------------- */

static bool is_there_still(const struct kvg_agent *agent, const struct kvg_gates_entry *gate)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s%s", agent->options->cgroup_root, gate->cgroup) < 0) {
		path = NULL;
		return false;
	}
	return stat(path, &st) == 0 && st.st_ino == gate->cgroup_id;
}

/* What was read when the gate was made holds, whoever made it: the file may be another by now. */
static bool adopt(struct kvg_agent *agent, struct kvg_target *target)
{
	const struct kvg_gates_entry *gates;
	size_t count = kvg_gates_list(agent->gates, &gates);

	for (size_t i = 0; i < count; i++) {
		const char *tag = kvg_variant_tag_of(gates[i].profile);

		if (!tag || strcmp(gates[i].cgroup, target->cgroup) != 0)
			continue;
		target->read =
			strcmp(tag, KVG_VARIANT_NODE) != 0 && is_there_still(agent, &gates[i]) &&
			kvg_resolvers_recall(agent->options->run_dir, tag, &target->resolvers) == 0;
	}
	return target->read;
}

static void note(struct kvg_target *target, const char *sentence)
{
	kvg_log_note("'%s': %s", target->cgroup, sentence);
	kvg_diag_set(&target->note, 0, "%s", sentence);
}

static int find_resolvers(struct kvg_agent *agent, struct kvg_target *target)
{
	const struct kvg_resolv_conf_container container = {target->bundle, !target->starting};
	KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {};
	struct kvg_diag diag = {};
	int r;

	if (!target->starting && (target->read || adopt(agent, target)))
		return 0;
	r = kvg_resolv_conf_read(&container, &agent->node, &target->resolvers, &notes, &diag);
	if (r == -ENOMEM)
		return r;
	target->read = r == 0 || r == -ESTALE;
	target->note = (struct kvg_diag){};
	if (r < 0)
		note(target, diag.msg);
	for (size_t i = 0; i < notes.count; i++)
		note(target, notes.lines[i]);
	return 0;
}

/* As it was put in force last; it is read again, for it is too large to be kept in memory. */
static int load_policy(const struct kvg_agent *agent, const char *profile, struct kvg_policy **ret)
{
	const struct kvg_agent_policy *known = kvg_agent_find_policy(agent, profile);
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	const char *state_dir = agent->options->state_dir;
	int r;

	if (!known || known->missing)
		return -ENODATA;
	r = known->held ? kvg_history_held(state_dir, profile, &policy, NULL)
			: kvg_saved_policy_get_last(state_dir, profile, &policy);
	if (r < 0)
		return r;
	if (memcmp(policy->digest, known->digest, sizeof(known->digest)) != 0)
		return -ESTALE;
	*ret = KVG_TAKE_PTR(policy);
	return 0;
}

/* The one without resolvers is there for those that find no room. */
static bool is_room(struct kvg_agent *agent, const char *profile)
{
	size_t count = 1; /* the node's */

	kvg_agent_drop_variants(agent);
	for (size_t i = 0; i < agent->variants_count; i++) {
		const struct kvg_agent_variant *variant = &agent->variants[i];

		count += kvg_variant_is_of(variant->name, profile) && variant->resolvers.count &&
			 strcmp(kvg_variant_tag_of(variant->name), KVG_VARIANT_NODE) != 0;
	}
	return count < KVG_VARIANTS_MAX;
}

/* Without the policy at hand its gates refuse everything until the next plan, which is soon. */
static int add_variant(struct kvg_agent *agent, const char *profile, const char *name,
		       const struct kvg_resolvers *resolvers, struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	int r = learn(agent, name, resolvers);

	if (r < 0)
		return r;
	r = load_policy(agent, profile, &policy);
	if (r != -ENOMEM)
		r = put_variant(agent, find_variant(agent, name), policy, diag);
	if (r < 0 || !policy)
		kvg_agent_replan_later(agent);
	return r;
}

int kvg_agent_choose_variant(struct kvg_agent *agent, struct kvg_target *target,
			     char ret[KVG_PROFILE_LEN], struct kvg_diag *ret_problem,
			     struct kvg_diag *reterr_diag)
{
	const struct kvg_profile *profile = &target->matches[0].profile->profile;
	struct kvg_resolvers none = {}, *resolvers = &target->resolvers;
	char tag[KVG_VARIANT_TAG_LEN] = KVG_VARIANT_NODE;
	int r;

	snprintf(ret, KVG_PROFILE_LEN, "%s", profile->name);
	if (!profile->auto_resolvers)
		return 0;
	kvg_variant_name(profile->name, tag, ret);
	if (!target->bundle)
		return 0;
	r = find_resolvers(agent, target);
	if (r < 0)
		return r;
	kvg_variant_tag(resolvers, tag);
	if (find_variant(agent, kvg_variant_name(profile->name, tag, ret)))
		return 0;
	if (resolvers->count && !is_room(agent, profile->name)) {
		kvg_diag_set(ret_problem, 0,
			     "profile '%s' has %d different sets of resolvers, as many as it may: "
			     "name them in 'resolvers'; this one gets none: '%s'",
			     profile->name, KVG_VARIANTS_MAX, target->cgroup);
		resolvers = &none;
		kvg_variant_tag(resolvers, tag);
		if (find_variant(agent, kvg_variant_name(profile->name, tag, ret)))
			return 0;
	}
	return add_variant(agent, profile->name, ret, resolvers, reterr_diag);
}
