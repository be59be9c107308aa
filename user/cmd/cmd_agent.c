// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "base/cleanup.h"
#include "cmd/commands.h"
#include "cmd/places.h"

/* struct agent - options */
struct agent {
	struct kvg_places places;
	const char *config;
	const char *state_dir;
	const char *runtime_run;
	const char *runtime_lib;
	const char **ranges;
	size_t ranges_count;
	bool detach_on_exit;
};

static int add_ranges(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	struct agent *agent = field;
	const char **ranges;

	ranges = reallocarray(agent->ranges, agent->ranges_count + 1, sizeof(*ranges));
	if (!ranges)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	agent->ranges = ranges;
	ranges[agent->ranges_count++] = argument;
	return 0;
}

static const struct kvg_option options[] = {
	{.name = "config",
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct agent, config),
	 .help = "profiles and whom they are for (" KVG_CONFIG_FILE ")"},
	{.name = "ranges",
	 .argument = "PATH",
	 .set = add_ranges,
	 .offset = 0,
	 .help = "document, or folder of them, in place of the configuration's; repeatable"},
	{.name = "detach-on-exit",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct agent, detach_on_exit),
	 .help = "remove all gates at the end; else they stay in force"},
	{.name = "state-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct agent, state_dir),
	 .help = "last good policies and documents (" KVG_STATE_DIR ")"},
	{.name = "run-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct agent, places.run_dir),
	 .help = "lock and control socket (" KVG_RUN_DIR ")"},
	KVG_PLACES_OPTIONS(offsetof(struct agent, places)),
	{.name = "runtime-run",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct agent, runtime_run),
	 .help = "what container runtimes call /run"},
	{.name = "runtime-lib",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct agent, runtime_lib),
	 .help = "what container runtimes call /var/lib"},
	{0},
};

static const struct kvg_usage usage = {
	.command = "agent",
	.help = "Gates every cgroup that the configuration selects, as soon as it appears, and "
		"keeps "
		"it gated: reads the configuration again when it changes, refreshes documents and "
		"names, checks itself, and records what is refused. When it ends, gates stay in "
		"force.",
	.exit_status = "0 on SIGTERM, 1 it cannot start or go on, 2 usage or configuration",
	.options = options,
};

static void agent_done(struct agent *agent)
{
	free(agent->ranges);
}

int kvg_cmd_agent(int argc, char **argv)
{
	KVG_CLEANUP(agent_done) struct agent agent = {};
	KVG_CLEANUP(kvg_freep) char *root = NULL;
	int status;

	status = kvg_options_parse(&usage, argc, argv, NULL, &agent);
	if (status != KVG_OPTIONS_GO)
		return status;
	status = kvg_places_cgroup_root(&agent.places, &root);
	if (status)
		return status;

	return kvg_agent_run(&(struct kvg_agent_options){
		.config = agent.config ? agent.config : KVG_CONFIG_FILE,
		.state_dir = agent.state_dir ? agent.state_dir : KVG_STATE_DIR,
		.run_dir = kvg_places_run_dir(&agent.places),
		.bpffs_dir = kvg_places_bpffs(&agent.places),
		.cgroup_root = root,
		.resolv_conf = KVG_RESOLV_CONF,
		.runtime_run = agent.runtime_run,
		.runtime_lib = agent.runtime_lib,
		.ranges = agent.ranges,
		.ranges_count = agent.ranges_count,
		.detach_on_exit = agent.detach_on_exit,
	});
}
