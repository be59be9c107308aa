// SPDX-License-Identifier: BSD-2-Clause
/* What the agent knows that explains a record: its own look-ups, and whose cgroups the gates are on. */
#include <string.h>

#include "agent/core.h"
#include "base/log.h"

static bool is_resolved(void *data, const char *host, const struct kvg_prefix *address)
{
	const struct kvg_agent *agent = data;

	return agent->lookup && kvg_lookup_has(agent->lookup, host, address);
}

static void identify(void *data, struct kvg_record *record)
{
	struct kvg_agent *agent = data;

	kvg_whose_fill(agent->whose, record);
}

static int open_context(struct kvg_agent *agent)
{
	const struct kvg_identity_roots roots = {
		.run = agent->options->runtime_run,
		.var_lib = agent->options->runtime_lib,
	};
	const struct kvg_context_options options = {
		.state_dir = agent->options->state_dir,
		.is_resolved = is_resolved,
		.identify = identify,
		.data = agent,
	};
	int r = kvg_whose_open(&roots, &agent->whose);

	return r < 0 ? r : kvg_context_open(kvg_gates_set(agent->gates), &options, &agent->context);
}

void kvg_agent_explain_record(struct kvg_agent *agent)
{
	int r = agent->context ? 0 : open_context(agent);

	if (r < 0) {
		kvg_agent_close_context(agent);
		kvg_log_note("records say only what the kernel knows: %s", strerror(-r));
		return;
	}
	kvg_recorder_explain_by(agent->recorder, agent->context);
}

void kvg_agent_close_context(struct kvg_agent *agent)
{
	agent->context = kvg_context_close(agent->context);
	agent->whose = kvg_whose_close(agent->whose);
}
