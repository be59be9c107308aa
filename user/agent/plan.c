// SPDX-License-Identifier: BSD-2-Clause
#include "agent/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "policy/compile.h"
#include "policy/grace.h"
#include "policy/history.h"
#include "policy/saved_policy.h"

struct kvg_plan {
	struct kvg_config *config;
	const struct kvg_plan_inputs *inputs;
	struct kvg_library library;
	struct kvg_grace grace;
	struct kvg_diag fault; /* of the documents; empty if there is none */
	size_t next;
};

static void describe(struct kvg_diag *ret, const char *file, const struct kvg_diag *diag)
{
	if (diag->line)
		kvg_diag_set(ret, 0, "%s:%u:%u: %s", file, diag->line, diag->column, diag->msg);
	else
		kvg_diag_set(ret, 0, "%s: %s", file, diag->msg);
}

static int add_documents(struct kvg_plan *plan, const char *path)
{
	KVG_CLEANUP(kvg_freep) char *fault = NULL;
	struct kvg_diag diag = {};
	int r;

	r = kvg_library_add(&plan->library, path, &fault, &diag);
	if (r < 0)
		describe(&plan->fault, fault ? fault : path, &diag);
	return r;
}

static int read_documents(struct kvg_plan *plan)
{
	const struct kvg_plan_inputs *inputs = plan->inputs;
	KVG_CLEANUP(kvg_freep) char *standard = NULL;
	const char *folder = plan->config->ranges_directory;
	int r = 0;

	for (size_t i = 0; i < inputs->ranges_count && r >= 0; i++)
		r = add_documents(plan, inputs->ranges[i]);
	if (inputs->ranges_count)
		return r;

	if (!folder) {
		if (asprintf(&standard, "%s/ranges", inputs->state_dir) < 0) {
			standard = NULL;
			return -ENOMEM;
		}
		folder = standard;
	}
	if (access(folder, F_OK) < 0)
		return kvg_diag_set(&plan->fault, -errno,
				    "no range documents: '%s' cannot be opened: %s", folder,
				    strerror(errno));
	r = kvg_grace_load(folder, plan->config->ranges_grace_s, time(NULL), &plan->grace);
	return r < 0 ? r : add_documents(plan, folder);
}

int kvg_plan_open(struct kvg_config *config, const struct kvg_plan_inputs *inputs,
		  struct kvg_plan **ret)
{
	KVG_CLEANUP(kvg_plan_closep) struct kvg_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	plan->config = config;
	plan->inputs = inputs;
	if (read_documents(plan) == -ENOMEM)
		return -ENOMEM;
	*ret = KVG_TAKE_PTR(plan);
	return 0;
}

/* What depends on this machine and this moment. */
static int look_up(const struct kvg_plan *plan, struct kvg_profile *profile,
		   struct kvg_notes *notes, struct kvg_diag *diag)
{
	const struct kvg_plan_inputs *inputs = plan->inputs;
	int r = kvg_grace_add(&plan->grace, &plan->library, profile);

	if (r == 0 && inputs->add_resolved)
		r = inputs->add_resolved(inputs->data, profile, notes);
	return r < 0 ? kvg_diag_set(diag, r, "names and kept prefixes cannot be added: %s",
				    strerror(-r))
		     : 0;
}

static int compile(const struct kvg_plan *plan, struct kvg_profile *profile,
		   struct kvg_plan_row *row, struct kvg_notes *notes)
{
	int r;

	if (plan->fault.msg[0]) {
		row->problem = plan->fault;
		return -EINVAL;
	}
	r = look_up(plan, profile, notes, &row->problem);
	if (r < 0)
		return r;
	return kvg_compile(profile, &plan->library, &row->policy, notes, &row->problem);
}

/* Return: 0 or a negative errno: there is no such policy */
static int use_saved(const struct kvg_plan *plan, struct kvg_plan_row *row)
{
	int r = kvg_saved_policy_get_last(plan->inputs->state_dir, row->profile, &row->policy);

	row->from_saved = r == 0;
	return r;
}

/* Return: is the profile held? */
static bool use_held(const struct kvg_plan *plan, struct kvg_plan_row *row)
{
	struct kvg_diag diag = {};
	int r = kvg_history_held(plan->inputs->state_dir, row->profile, &row->policy, &diag);

	if (r == -ENOENT)
		return false;
	row->held = r == 0;
	if (r < 0) {
		kvg_diag_set(&row->problem, 0, "it is held, but the policy cannot be read: %s",
			     diag.msg[0] ? diag.msg : strerror(-r));
		row->keep = true;
		use_saved(plan, row);
	}
	return true;
}

int kvg_plan_next(struct kvg_plan *plan, struct kvg_plan_row *ret, struct kvg_notes *ret_notes)
{
	struct kvg_profile *profile;
	int r;

	if (plan->next == plan->config->profiles_count)
		return 0;
	profile = &plan->config->profiles[plan->next++].profile;
	*ret = (struct kvg_plan_row){.profile = profile->name};
	if (use_held(plan, ret))
		return 1;

	r = compile(plan, profile, ret, ret_notes);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		use_saved(plan, ret);
	} else {
		r = kvg_saved_policy_put_last(plan->inputs->state_dir, ret->policy);
		ret->save_error = r < 0 ? r : 0;
	}
	return 1;
}

time_t kvg_plan_expires(const struct kvg_plan *plan)
{
	return kvg_grace_next(&plan->grace);
}

const struct kvg_library *kvg_plan_library(const struct kvg_plan *plan)
{
	return &plan->library;
}

void kvg_plan_row_done(struct kvg_plan_row *row)
{
	row->policy = kvg_policy_free(row->policy);
}

struct kvg_plan *kvg_plan_close(struct kvg_plan *plan)
{
	if (!plan)
		return NULL;
	kvg_grace_done(&plan->grace);
	kvg_library_done(&plan->library);
	free(plan);
	return NULL;
}

void kvg_plan_closep(struct kvg_plan **plan)
{
	*plan = kvg_plan_close(*plan);
}
