/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hosts without published ranges (CRL, OCSP, login.live.com, AD FS): asked for again whenever their
 * answer has run out, and remembered across restarts.
 */
#ifndef KVG_AGENT_LOOKUP_H
#define KVG_AGENT_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "policy/config.h"
#include "policy/notes.h"
#include "policy/profile.h"

struct kvg_lookup;
struct sd_event;

/**
 * struct kvg_lookup_options - how to ask
 * @state_dir: names.json is kept here
 * @servers:   "192.0.2.53,[2001:db8::53]:5353"; NULL means those of resolv.conf
 * @grace_s:   seconds that an address is kept after it left the answer
 *
 * Copied.
 */
struct kvg_lookup_options {
	const char *state_dir;
	const char *servers;
	unsigned long grace_s;
};

/**
 * kvg_lookup_open() - begin
 * @event:       the loop; referenced
 * @options:     see above
 * @changed:     called from the loop when the addresses of a host are not the same any more
 * @data:        for @changed
 * @ret:         for kvg_lookup_close(); untouched on failure
 * @reterr_diag: why not
 *
 * What names.json holds is known at once; a file that cannot be read counts as empty, and is a
 * problem of kvg_lookup_problem().
 *
 * Return: 0, or a negative errno
 */
int kvg_lookup_open(struct sd_event *event, const struct kvg_lookup_options *options,
		    void (*changed)(void *data), void *data, struct kvg_lookup **ret,
		    struct kvg_diag *reterr_diag);

/**
 * kvg_lookup_want() - ask for the hosts without ranges of all profiles, and for no others
 * @lookup: opened
 * @config: in force
 *
 * Hosts that are new are asked for at once; those that no profile wants any more are forgotten.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_lookup_want(struct kvg_lookup *lookup, const struct kvg_config *config);

/**
 * kvg_lookup_add_resolved() - put what is known into a profile
 * @lookup:  opened
 * @profile: gains the addresses, see kvg_profile_add_resolved(); they replace those that are there
 * @notes:   answers that were refused, see kvg_resolve_add_answer(); hosts of which nothing is known
 *
 * Return: 0, or -ENOMEM
 */
int kvg_lookup_add_resolved(const struct kvg_lookup *lookup, struct kvg_profile *profile,
			    struct kvg_notes *notes);

/** kvg_lookup_has() - is it known that @host has the address, a /32 or /128, or had it lately? */
bool kvg_lookup_has(const struct kvg_lookup *lookup, const char *host,
		    const struct kvg_prefix *address);

/**
 * kvg_lookup_problem() - what an operator should know
 * @lookup: opened
 * @index:  from 0 on
 *
 * Return: a sentence without a period, borrowed until the loop goes on; NULL if there are no more
 */
const char *kvg_lookup_problem(const struct kvg_lookup *lookup, size_t index);

/** kvg_lookup_close() - end it; NULL is fine; Return: NULL */
struct kvg_lookup *kvg_lookup_close(struct kvg_lookup *lookup);

/** kvg_lookup_closep() - for KVG_CLEANUP */
void kvg_lookup_closep(struct kvg_lookup **lookup);

#endif
