/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The variants of a profile with `resolvers: [auto]`: its policy, and the resolvers of one resolv.conf. A gate
 * has one of them; the kernel's name of its profile says which:
 *
 *	payments@node             the node's resolv.conf
 *	payments@1f0c33a25b9e04   that of a container; the tag stands for the addresses (policy/resolvers.h)
 *	payments                  the profile does not say auto
 *
 * The policy that is compiled, kept as the last good one and held by a rollback is the one without them.
 */
#ifndef KVG_POLICY_VARIANT_H
#define KVG_POLICY_VARIANT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "kvg_policy.h"
#include "policy/policy.h"
#include "policy/resolvers.h"

#define KVG_VARIANT_NODE "node" /* the tag of the node's */

/* Of one profile, at a time: as many networks with a resolver of their own are more than nodes have. */
#define KVG_VARIANTS_MAX 16

#define KVG_VARIANT_TAG_LEN \
	15 /* 14 hex digits and NUL: with a name of 48 and "@" in KVG_PROFILE_LEN */

/** kvg_variant_tag() - what stands for a container's resolvers, also for none, into @ret */
void kvg_variant_tag(const struct kvg_resolvers *resolvers, char ret[KVG_VARIANT_TAG_LEN]);

/** kvg_variant_name() - of the variant @tag of @profile into @ret, which is also returned */
const char *kvg_variant_name(const char *profile, const char *tag, char ret[KVG_PROFILE_LEN]);

/** kvg_variant_tag_of() - what stands behind the profile in a variant's name; NULL if nothing does */
const char *kvg_variant_tag_of(const char *name);

/** kvg_variant_profile_len() - how much of a name is the profile's; the name need not have a tag */
size_t kvg_variant_profile_len(const char *name);

/** kvg_variant_is_of() - is it the name of @profile, or of one of its variants? */
bool kvg_variant_is_of(const char *name, const char *profile);

/**
 * kvg_variant_make() - a policy with resolvers, each by udp/53 and tcp/53
 * @base:        without them
 * @resolvers:   of the gate
 * @ret:         freed by the caller; what it is without (sources, hosts) nobody enforces
 * @reterr_diag: what is too much
 *
 * The digest is that of the same profile compiled with these resolvers.
 *
 * Return: 0, -E2BIG, or -ENOMEM
 */
int kvg_variant_make(const struct kvg_policy *base, const struct kvg_resolvers *resolvers,
		     struct kvg_policy **ret, struct kvg_diag *reterr_diag);

#endif
