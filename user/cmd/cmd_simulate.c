// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/simulate_text.h"

#define EXIT_REFUSED 3

struct simulate {
	bool json;
	enum kvg_input_format format;
	struct kvg_clients clients;
};

static int set_format(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	return kvg_input_format_parse(argument, field, reterr_diag);
}

static int add_client(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	return kvg_clients_add(field, argument, reterr_diag);
}

static const struct kvg_option options[] = {
	{.name = "client",
	 .argument = "ADDR|PREFIX",
	 .set = add_client,
	 .offset = offsetof(struct simulate, clients),
	 .help = "who is to be behind the gate (repeatable); else the input says it, or it\n"
		 "                                     is guessed, and that is said"},
	{.name = "format",
	 .argument = "FORMAT",
	 .set = set_format,
	 .offset = offsetof(struct simulate, format),
	 .help = "auto, pcap, json, ss, nsg, vnet or aws"},
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct simulate, json),
	 .help = "print JSON"},
	{0},
};

static const struct kvg_usage usage = {
	.command = "simulate",
	.operands = "FILE...",
	.help = "Says what a policy would refuse of what a client has sent before: captures "
		"(pcap,\n"
		"pcapng), lists of flows (JSON lines, the output of 'ss -tnp'), flow logs of "
		"Azure\n"
		"(NSG, VNet) and AWS. \"-\" is standard input. Nothing is loaded or changed.",
	.exit_status = "0 nothing would be refused, 3 something would, 1 trouble (what could be\n"
		       "read was judged), 2 usage or configuration",
	.options = options,
	.min_operands = 1,
	.max_operands = -1,
	.profile_options = true,
};

static void simulation_done(struct kvg_simulation *simulation)
{
	for (size_t i = 0; i < simulation->count; i++)
		kvg_traffic_done(&simulation->inputs[i].traffic);
	free(simulation->inputs);
	kvg_judgement_done(&simulation->judgement);
}

static void note_fault(struct kvg_simulated *input, const struct kvg_diag *diag)
{
	if (input->trouble[0] || !diag->msg[0])
		return;
	if (diag->line)
		snprintf(input->trouble, sizeof(input->trouble), "line %u: %s", diag->line,
			 diag->msg);
	else
		snprintf(input->trouble, sizeof(input->trouble), "%s", diag->msg);
}

/* What could be read is judged, whatever came after it. */
static int judge_input(const struct simulate *simulate, struct kvg_judgement *judgement,
		       struct kvg_simulated *input)
{
	struct kvg_diag diag = {0};

	input->format = simulate->format;
	if (kvg_input_read(input->path, &input->format, &input->traffic, &diag) < 0)
		note_fault(input, &diag);
	note_fault(input, &input->traffic.fault);

	input->clients = simulate->clients;
	if (!simulate->clients.count && input->traffic.count &&
	    kvg_clients_guess(&input->traffic, &input->clients, &diag) < 0) {
		note_fault(input, &diag);
		return 0;
	}

	input->judged = kvg_judgement_add(judgement, &input->traffic, &input->clients);
	if (input->judged < 0)
		return (int)input->judged;
	if (!input->judged) {
		kvg_diag_set(&diag, 0, "it holds no flow of the client: nothing was judged");
		note_fault(input, &diag);
	}
	return 0;
}

static int judge_all(const struct simulate *simulate, struct kvg_simulation *simulation,
		     char **paths, bool *ret_trouble)
{
	for (size_t i = 0; i < simulation->count; i++) {
		struct kvg_simulated *input = &simulation->inputs[i];
		int r;

		input->path = paths[i];
		r = judge_input(simulate, &simulation->judgement, input);
		if (r < 0)
			return r;
		if (input->trouble[0]) {
			kvg_log_error("%s: %s", input->path, input->trouble);
			*ret_trouble = true;
		}
	}
	return 0;
}

static int run(const struct simulate *simulate, struct kvg_options *shared, char **paths,
	       size_t count)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	KVG_CLEANUP(simulation_done) struct kvg_simulation simulation = {0};
	bool trouble = false;
	int status, r;

	status = kvg_options_policy(shared, KVG_RESOLV_CONF, &policy);
	if (status)
		return status;

	simulation.judgement.policy = policy;
	simulation.inputs = calloc(count, sizeof(*simulation.inputs));
	simulation.count = simulation.inputs ? count : 0;
	r = simulation.inputs ? judge_all(simulate, &simulation, paths, &trouble) : -ENOMEM;
	if (r == 0)
		r = simulate->json ? kvg_simulation_print_json(&simulation)
				   : kvg_simulation_print(&simulation);
	if (r == 0 && fflush(stdout) != 0)
		r = -errno;
	if (r < 0) {
		kvg_log_error("cannot simulate: %s", strerror(-r));
		return KVG_EXIT_FAILED;
	}
	if (trouble)
		return KVG_EXIT_FAILED;
	return simulation.judgement.refused.flows ? EXIT_REFUSED : 0;
}

int kvg_cmd_simulate(int argc, char **argv)
{
	KVG_CLEANUP(kvg_options_done) struct kvg_options shared = {0};
	struct simulate simulate = {.clients.how = KVG_CLIENTS_NAMED};
	int status = kvg_options_parse(&usage, argc, argv, &shared, &simulate);

	if (status != KVG_OPTIONS_GO)
		return status;
	return run(&simulate, &shared, argv + optind, (size_t)(argc - optind));
}
