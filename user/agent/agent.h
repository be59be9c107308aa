/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent: one loop that gates the cgroups that a configuration selects, and keeps them gated. What
 * decides a verdict is in the kernel, so whatever happens to this process, gates stay in force.
 */
#ifndef KVG_AGENT_AGENT_H
#define KVG_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>

#define KVG_AGENT_FAILED 1 /* it cannot start */
#define KVG_AGENT_CONFIG 2 /* the configuration is wrong */

/**
 * struct kvg_agent_options - where things are; none is NULL unless it says so
 * @config:         the configuration
 * @state_dir:      last good policies, documents
 * @run_dir:        lock and control socket
 * @bpffs_dir:      pins
 * @cgroup_root:    mount point of cgroup v2
 * @resolv_conf:    what `resolvers: [auto]` means where no container has one of its own
 * @runtime_run:    where container runtimes keep their state; NULL: "/run"
 * @runtime_lib:    where they keep what outlives a boot; NULL: "/var/lib"
 * @ranges:         documents in place of the configuration's
 * @ranges_count:   how many; 0: the configuration's
 * @detach_on_exit: remove all gates at the end
 */
struct kvg_agent_options {
	const char *config;
	const char *state_dir;
	const char *run_dir;
	const char *bpffs_dir;
	const char *cgroup_root;
	const char *resolv_conf;
	const char *runtime_run;
	const char *runtime_lib;
	const char *const *ranges;
	size_t ranges_count;
	bool detach_on_exit;
};

/**
 * kvg_agent_run() - be the agent until SIGTERM or SIGINT
 * @options: where things are
 *
 * Logs. A configuration that is wrong, or another agent, ends it before anything is touched.
 *
 * Return: the exit status: 0, KVG_AGENT_FAILED, KVG_AGENT_CONFIG
 */
int kvg_agent_run(const struct kvg_agent_options *options);

#endif
