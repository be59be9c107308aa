/* SPDX-License-Identifier: BSD-2-Clause */
/* The host names that a profile's client will use. */
#ifndef KVG_POLICY_HOSTS_H
#define KVG_POLICY_HOSTS_H

#include <stddef.h>

#include "policy/policy.h"
#include "policy/profile.h"

/**
 * kvg_hosts_list() - catalogue rows that the profile asks for, then the hosts that the person named
 * @profile:   for whom
 * @ret:       freed by the caller with free(3); the names belong to the catalogue and the profile
 * @ret_count: how many
 *
 * Return: 0, or -ENOMEM
 */
int kvg_hosts_list(const struct kvg_profile *profile, struct kvg_policy_host **ret,
		   size_t *ret_count);

/** kvg_hosts_is_resolved() - has the profile an address of @host, looked up before? */
bool kvg_hosts_is_resolved(const struct kvg_profile *profile, const struct kvg_policy_host *host);

#endif
