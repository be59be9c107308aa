/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a configuration to what shall be in force: of each profile the policy that a person holds it
 * at, else that of the documents, else the last good one, else none, and then everything is refused.
 *
 * `resolvers: [auto]` is not in these policies: what it stands for differs between the gates of one profile
 * (policy/variant.h).
 *
 * Profiles come one after another, so that one policy at a time is in memory: 50 of 10,000 prefixes
 * would be more than all the rest of the agent.
 */
#ifndef KVG_AGENT_PLAN_H
#define KVG_AGENT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/diag.h"
#include "policy/config.h"
#include "policy/notes.h"
#include "policy/policy.h"
#include "ranges/library.h"

/**
 * struct kvg_plan_inputs - where to look
 * @state_dir:    the last good policies; also the documents, if nothing else says where they are
 * @ranges:       files and folders of documents; they replace those of the configuration
 * @ranges_count: how many; 0 for the configuration's
 * @add_resolved: adds what is known of names without ranges to a profile; NULL if nothing is
 * @data:         its first argument
 */
struct kvg_plan_inputs {
	const char *state_dir;
	const char *const *ranges;
	size_t ranges_count;
	int (*add_resolved)(void *data, struct kvg_profile *profile, struct kvg_notes *notes);
	void *data;
};

/**
 * struct kvg_plan_row - what shall be in force for one profile
 * @profile:    of the configuration
 * @policy:     owned; NULL: none could be had, and everything is refused
 * @from_saved: it is the last good one, not that of the documents
 * @held:       a person holds the profile at it (policy/history.h)
 * @keep:       what is in force is better than @policy, if anything is
 * @save_error: 0, or why it could not be kept on disk
 * @problem:    why it is not that of the documents; empty if it is
 */
struct kvg_plan_row {
	const char *profile;
	struct kvg_policy *policy;
	bool from_saved;
	bool held;
	bool keep;
	int save_error;
	struct kvg_diag problem;
};

struct kvg_plan;

/**
 * kvg_plan_open() - read the documents
 * @config: its profiles gain names: it can be planned once
 * @inputs: must outlive the plan
 * @ret:    for kvg_plan_close(); untouched on failure
 *
 * Documents that cannot be read are no failure here: each row says so.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_plan_open(struct kvg_config *config, const struct kvg_plan_inputs *inputs,
		  struct kvg_plan **ret);

/**
 * kvg_plan_next() - the next profile, in the order of the configuration
 * @plan:      as opened
 * @ret:       for kvg_plan_row_done()
 * @ret_notes: gains what a person should know; NULL if nobody wants it
 *
 * A policy that can be compiled is on disk as the last good one when this returns: it can be put in
 * force.
 *
 * Return: 1, 0 at the end, or -ENOMEM
 */
int kvg_plan_next(struct kvg_plan *plan, struct kvg_plan_row *ret, struct kvg_notes *ret_notes);

/** kvg_plan_library() - the documents, as far as they could be read; the plan's */
const struct kvg_library *kvg_plan_library(const struct kvg_plan *plan);

/** kvg_plan_expires() - when a new plan is due, for prefixes are kept no longer; 0: never */
time_t kvg_plan_expires(const struct kvg_plan *plan);

/** kvg_plan_row_done() - free what a row holds */
void kvg_plan_row_done(struct kvg_plan_row *row);

/** kvg_plan_close() - free it; NULL is fine; Return: NULL */
struct kvg_plan *kvg_plan_close(struct kvg_plan *plan);

/** kvg_plan_closep() - for KVG_CLEANUP */
void kvg_plan_closep(struct kvg_plan **plan);

#endif
