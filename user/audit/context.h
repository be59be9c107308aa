/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What explains a record besides what the kernel says of it: the closest prefix that would have been let
 * through, the name that the client looked up, the user's name, and whose container it is. All of it is
 * for people; what is not known is left out.
 */
#ifndef KVG_AUDIT_CONTEXT_H
#define KVG_AUDIT_CONTEXT_H

#include <linux/types.h>
#include <stdbool.h>

#include "audit/record.h"
#include "gate/set.h"
#include "policy/policy.h"

/**
 * struct kvg_context_options - where to ask
 * @state_dir:   where policies are kept; NULL: none are
 * @is_resolved: does the process itself know, of its own look-ups, that @host has the address? Asked for
 *               hosts of the gate's policy that have no published ranges; NULL: it looks nothing up
 * @identify:    fills container, image, namespace and pod; what they point to holds until the next call;
 *               NULL if nobody knows
 * @data:        first argument of both
 *
 * Copied; @state_dir, too.
 */
struct kvg_context_options {
	const char *state_dir;
	bool (*is_resolved)(void *data, const char *host, const struct kvg_prefix *address);
	void (*identify)(void *data, struct kvg_record *record);
	void *data;
};

struct kvg_context;

/**
 * kvg_context_open() - begin to hear the answers of name servers, for kvg_context_close()
 * @set:     whose records are to be explained; must outlive the context
 * @options: see there
 * @ret:     untouched on failure
 *
 * Return: 0, or a negative errno
 */
int kvg_context_open(const struct kvg_set *set, const struct kvg_context_options *options,
		     struct kvg_context **ret);

/** kvg_context_know() - a policy that need not be read from disk; must outlive @context; 0 or -ENOMEM */
int kvg_context_know(struct kvg_context *context, const struct kvg_policy *policy);

/**
 * kvg_context_fill() - say what is known
 * @context: reads a policy at the first record that it refused, the state folder's or nobody's
 * @record:  its gate, profile and digest are filled; gains the rest, which holds until the next call
 */
void kvg_context_fill(struct kvg_context *context, struct kvg_record *record);

/** kvg_context_tick() - once in a while: make room for answers to come */
void kvg_context_tick(struct kvg_context *context);

/** kvg_context_close() - forget all of it; NULL is fine; Return: NULL */
struct kvg_context *kvg_context_close(struct kvg_context *context);

/** kvg_context_closep() - for KVG_CLEANUP */
void kvg_context_closep(struct kvg_context **context);

#endif
