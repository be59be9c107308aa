// SPDX-License-Identifier: BSD-2-Clause
/* What the agent is asked for its metrics, gathered when somebody asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/core.h"
#include "base/cleanup.h"
#include "policy/variant.h"
#include "policy/words.h"

static const char *mode_of(const struct kvg_agent *agent, const char *profile)
{
	const struct kvg_config_profile *found = kvg_config_find(agent->config, profile);

	return found ? kvg_mode_word(found->profile.mode) : "unknown";
}

/* Variants of a profile are its own. */
static int compare_names(const char *a, const char *b)
{
	size_t x = kvg_variant_profile_len(a), y = kvg_variant_profile_len(b);
	int order = strncmp(a, b, x < y ? x : y);

	return order ? order : (x > y) - (x < y);
}

/* Gates of one profile side by side: asking must not take longer than there are gates. */
static int compare_profiles(const void *a, const void *b)
{
	const struct kvg_gates_entry *const *x = a, *const *y = b;

	return compare_names((*x)->profile, (*y)->profile);
}

/* The first @count are of one profile. */
static void add_gates(struct kvg_agent *agent, const struct kvg_gates_entry **gates, size_t count)
{
	const char *name = gates[0]->profile;
	char profile[KVG_PROFILE_LEN];
	__u32 generation = 0;

	snprintf(profile, sizeof(profile), "%.*s", (int)kvg_variant_profile_len(name), name);
	for (size_t i = 0; i < count; i++) {
		if (gates[i]->generation > generation)
			generation = gates[i]->generation;
	}
	kvg_metrics_set_of(agent->metrics, KVG_METRIC_GATES, profile, mode_of(agent, profile),
			   (double)count);
	kvg_metrics_set_of(agent->metrics, KVG_METRIC_POLICY_GENERATION, profile, NULL, generation);
}

static void gather_gates(struct kvg_agent *agent)
{
	KVG_CLEANUP(kvg_freep) const struct kvg_gates_entry **sorted = NULL;
	const struct kvg_gates_entry *gates;
	size_t count = kvg_gates_list(agent->gates, &gates);
	size_t first = 0;

	kvg_metrics_forget(agent->metrics, KVG_METRIC_GATES);
	kvg_metrics_forget(agent->metrics, KVG_METRIC_POLICY_GENERATION);
	sorted = calloc(count + 1, sizeof(*sorted));
	if (!sorted)
		return;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &gates[i];
	qsort(sorted, count, sizeof(*sorted), compare_profiles);
	for (size_t i = 1; i <= count; i++) {
		if (i < count && compare_names(sorted[i]->profile, sorted[first]->profile) == 0)
			continue;
		add_gates(agent, &sorted[first], i - first);
		first = i;
	}
}

static void gather_policies(struct kvg_agent *agent)
{
	kvg_metrics_forget(agent->metrics, KVG_METRIC_POLICY_PREFIXES);
	kvg_metrics_forget(agent->metrics, KVG_METRIC_POLICY_FALLBACK);
	for (size_t i = 0; i < agent->policies_count; i++) {
		const struct kvg_agent_policy *policy = &agent->policies[i];

		kvg_metrics_set_of(agent->metrics, KVG_METRIC_POLICY_PREFIXES, policy->profile,
				   "ipv4", (double)policy->prefixes[0]);
		kvg_metrics_set_of(agent->metrics, KVG_METRIC_POLICY_PREFIXES, policy->profile,
				   "ipv6", (double)policy->prefixes[1]);
		kvg_metrics_set_of(agent->metrics, KVG_METRIC_POLICY_FALLBACK, policy->profile,
				   NULL, policy->missing ? 2 : policy->from_saved);
	}
}

static void gather_ages(struct kvg_agent *agent)
{
	kvg_metrics_forget(agent->metrics, KVG_METRIC_RANGES_AGE);
	for (int kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++) {
		for (int cloud = 0; cloud < KVG_CLOUD_COUNT; cloud++) {
			unsigned int day = agent->last_day[kind][cloud];
			struct tm tm = {.tm_year = (int)(day / 10000) - 1900,
					.tm_mon = (int)(day / 100 % 100) - 1,
					.tm_mday = (int)(day % 100)};

			if (day)
				kvg_metrics_set_of(agent->metrics, KVG_METRIC_RANGES_AGE,
						   kvg_cloud_word(cloud),
						   kvg_document_kind_word(kind),
						   difftime(time(NULL), timegm(&tm)));
		}
	}
}

int kvg_agent_format_metrics(struct kvg_agent *agent, char **ret)
{
	struct kvg_control_counts counts = {};

	gather_gates(agent);
	gather_policies(agent);
	gather_ages(agent);
	kvg_agent_gather_record(agent);
	if (agent->control)
		kvg_control_counts(agent->control, &counts);
	kvg_agent_gather_sinks(agent);
	kvg_metrics_set(agent->metrics, KVG_METRIC_CONTROL_REFUSED, (double)counts.refused);
	kvg_agent_tell_status(agent);
	return kvg_metrics_format(agent->metrics, ret);
}
