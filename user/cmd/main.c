// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/version.h"
#include "cmd/commands.h"
#include "cmd/options.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"agent", kvg_cmd_agent, "gate cgroups as they come, for as long as the node is up"},
	{"attach", kvg_cmd_attach, "gate a cgroup; the gate stays when kvgate ends"},
	{"compile", kvg_cmd_compile, "make a policy from range documents and a profile"},
	{"detach", kvg_cmd_detach, "remove a gate, or all of them"},
	{"diff", kvg_cmd_diff, "say what a client gains and loses between two of them"},
	{"doctor", kvg_cmd_doctor, "say what this machine can and cannot do for kvgate"},
	{"explain", kvg_cmd_explain, "say whether a destination is let through, and why"},
	{"fetch", kvg_cmd_fetch, "download the newest range documents"},
	{"learn", kvg_cmd_learn, "propose the smallest profile that explains a record"},
	{"monitor", kvg_cmd_monitor, "show refused flows as they happen"},
	{"oci-hook", kvg_cmd_oci_hook, "gate a container before its first instruction"},
	{"policy", kvg_cmd_policy, "show earlier policies of a profile, and go back to one"},
	{"report", kvg_cmd_report, "write a page of what was refused, and why"},
	{"run", kvg_cmd_run, "run a command behind a gate of its own"},
	{"simulate", kvg_cmd_simulate,
	 "say what a policy would refuse of captured traffic or flow logs"},
	{"status", kvg_cmd_status, "show the gates of this machine and whether they hold"},
};

static int print_help(void)
{
	printf("usage: kvgate COMMAND [options]\n\n"
	       "Lets a Key Vault client reach what it needs, and nothing else.\n\n");
	for (size_t i = 0; i < KVG_ARRAY_SIZE(commands); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].help);
	printf("\n'kvgate COMMAND --help' says more; 'kvgate --version' names the version.\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		kvg_log_error("expected a command; see 'kvgate --help'");
		return KVG_EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
		return print_help();
	if (strcmp(name, "--version") == 0) {
		printf("kvgate %s\n", KVG_VERSION);
		return 0;
	}

	for (size_t i = 0; i < KVG_ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	kvg_log_error("unknown command '%s'; see 'kvgate --help'", name);
	return KVG_EXIT_USAGE;
}
