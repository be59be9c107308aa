// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/lines.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "learn/proposal_text.h"
#include "learn/propose.h"

#define EXIT_OPEN 3 /* a proposal, and something that it does not explain */

struct learn_options {
	bool json;
	const char *name;
	const char *gate;
};

static const struct kvg_option options[] = {
	{.name = "gate",
	 .argument = "CGROUP",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct learn_options, gate),
	 .help = "only what this gate recorded"},
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct learn_options, json),
	 .help = "print JSON"},
	{.name = "name",
	 .argument = "NAME",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct learn_options, name),
	 .help = "of the proposed profile (learned)"},
	{0},
};

static const struct kvg_usage usage = {
	.command = "learn",
	.operands = "FILE...",
	.help = "Proposes the smallest profile that explains a record, best one of `mode: audit`, "
		"as "
		"YAML: tags,\n"
		"not addresses; and says what it cannot explain. `functions: [none]` in audit mode "
		"records all that a\n"
		"client asks for. What a profile let through is in no record: name it by --config "
		"and --profile, and\n"
		"the proposal adds to it. \"-\" reads standard input.",
	.exit_status = "0 everything is explained, 3 something is not, 1 no proposal or lines that "
		       "cannot be read, 2 usage or config",
	.options = options,
	.min_operands = 1,
	.max_operands = -1,
	.profile_options = true,
};

struct learning {
	const struct learn_options *own;
	struct kvg_evidence evidence;
	unsigned long bad;
};

static int on_line(void *data, const json_t *line)
{
	struct learning *learning = data;
	const char *gate = kvg_line_text(line, "kvgate.gate");

	if (learning->own->gate && (!gate || strcmp(gate, learning->own->gate) != 0))
		return 0;
	return kvg_evidence_add(&learning->evidence, line);
}

static void on_bad(void *data, const char *path, unsigned long number, const char *why)
{
	struct learning *learning = data;

	learning->bad++;
	kvg_log_error("%s:%lu: no record, passed over: %s", path, number, why);
}

static int read_records(struct learning *learning, char **paths)
{
	const struct kvg_lines_handler handler = {on_line, on_bad, learning};
	struct kvg_diag diag;

	for (; *paths; paths++) {
		diag.msg[0] = '\0';
		if (kvg_lines_read(*paths, &handler, &diag) < 0) {
			kvg_log_error("%s", *diag.msg ? diag.msg : "out of memory");
			return KVG_EXIT_FAILED;
		}
	}
	if (learning->evidence.records)
		return 0;
	kvg_log_error("no refused flow is recorded there: nothing to learn from");
	return KVG_EXIT_FAILED;
}

/* Only the cloud and the documents can be said ad hoc: the rest is what is to be learned. */
static int start_profile(const struct learn_options *own, struct kvg_options *shared,
			 struct kvg_profile *ret)
{
	struct kvg_config_profile *base;

	if (!shared->config)
		return kvg_propose_start(ret, own->name ? own->name : "learned",
					 shared->profile.cloud) < 0
			       ? KVG_EXIT_FAILED
			       : 0;

	if (!shared->profile_name)
		return kvg_options_usage_error(&usage, "--config needs --profile NAME");
	if (kvg_options_read_config(shared->config, &shared->loaded))
		return KVG_EXIT_USAGE;
	base = kvg_config_find(shared->loaded, shared->profile_name);
	if (!base)
		return kvg_options_usage_error(&usage, "'%s' has no profile '%s'", shared->config,
					       shared->profile_name);
	*ret = base->profile;
	base->profile = (struct kvg_profile){0};
	return 0;
}

static int print(const struct learning *learning, const struct kvg_proposal *proposal,
		 const struct kvg_profile *profile)
{
	json_t *json;
	int r = 0;

	if (!learning->own->json) {
		kvg_proposal_print(stdout, &learning->evidence, proposal, profile);
	} else {
		json = kvg_proposal_to_json(&learning->evidence, proposal, profile);
		r = json ? json_dumpf(json, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER) : -1;
		json_decref(json);
		putchar('\n');
	}
	if (r < 0 || fflush(stdout) != 0) {
		kvg_log_error("cannot print the proposal: %m");
		return KVG_EXIT_FAILED;
	}
	if (!profile->functions) {
		kvg_log_error("nothing was recorded that a vault client needs: no profile");
		return KVG_EXIT_FAILED;
	}
	if (learning->bad)
		return KVG_EXIT_FAILED;
	return proposal->open || learning->evidence.others_count ? EXIT_OPEN : 0;
}

static int run(const struct learn_options *own, struct kvg_options *shared, char **paths)
{
	KVG_CLEANUP(kvg_library_done) struct kvg_library library = {0};
	KVG_CLEANUP(kvg_proposal_done) struct kvg_proposal proposal = {0};
	KVG_CLEANUP(kvg_profile_done) struct kvg_profile profile = {0};
	struct learning learning = {.own = own};
	struct kvg_diag diag;
	int status;

	if (shared->policy || (shared->adhoc && strcmp(shared->adhoc, "cloud") != 0))
		return kvg_options_usage_error(&usage, "--%s is what is to be learned",
					       shared->policy ? "policy" : shared->adhoc);
	status = start_profile(own, shared, &profile);
	if (!status)
		status = kvg_options_load(shared, &library);
	if (!status)
		status = read_records(&learning, paths);
	if (!status && kvg_propose(&learning.evidence, &library, &profile, &proposal, &diag) < 0) {
		kvg_log_error("%s", diag.msg);
		status = KVG_EXIT_FAILED;
	}
	if (!status)
		status = print(&learning, &proposal, &profile);
	kvg_evidence_done(&learning.evidence);
	return status;
}

int kvg_cmd_learn(int argc, char **argv)
{
	KVG_CLEANUP(kvg_options_done) struct kvg_options shared = {0};
	struct learn_options own = {0};
	int status;

	status = kvg_options_parse(&usage, argc, argv, &shared, &own);
	return status == KVG_OPTIONS_GO ? run(&own, &shared, argv + optind) : status;
}
