/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts without published ranges, looked up once and now (--resolve). */
#ifndef KVG_POLICY_RESOLVE_H
#define KVG_POLICY_RESOLVE_H

#include "policy/notes.h"
#include "policy/policy.h"
#include "policy/profile.h"

/**
 * kvg_resolve_hosts() - ask the system's resolver for every host of the profile without ranges
 * @profile: gains what was found, see kvg_profile_add_resolved()
 * @notes:   names that were not found, and answers that were refused
 *
 * Blocks as long as the resolver does.
 *
 * Return: 0, or -ENOMEM; a name that is not found is a note, for then nothing allows it
 */
int kvg_resolve_hosts(struct kvg_profile *profile, struct kvg_notes *notes);

/**
 * kvg_resolve_add_answer() - take one address of a host, or refuse it with a note
 * @profile: gains it
 * @host:    whose it is
 * @address: a /32 or /128
 * @notes:   why it was refused
 *
 * A name server must not open the way to the client's own network: only global addresses are taken,
 * and private ones where the profile says so (@profile->private_names). No profile can have loopback,
 * link-local (the metadata service), this machine's or the cloud platform's own opened by a name server: a host that
 * has such an address is the person's --allow.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_resolve_add_answer(struct kvg_profile *profile, const struct kvg_policy_host *host,
			   const struct kvg_prefix *address, struct kvg_notes *notes);

#endif
