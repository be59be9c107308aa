/* SPDX-License-Identifier: BSD-2-Clause */
/* What one kind of vault client needs, as a person says it: by options or in kvgate.yaml. */
#ifndef KVG_POLICY_PROFILE_H
#define KVG_POLICY_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "kvg_policy.h"
#include "policy/catalogue.h"
#include "policy/notes.h"
#include "policy/words.h"
#include "ranges/prefix.h"

/** struct kvg_allow - an extra destination that the person answers for */
struct kvg_allow {
	struct kvg_prefix prefix;
	struct kvg_service service;
	char *note; /* owned; NULL if none */
};

/** struct kvg_resolved - an address that a name had when it was looked up */
struct kvg_resolved {
	char *name; /* owned */
	struct kvg_prefix address;
	struct kvg_service service;
};

/** struct kvg_kept - a prefix that was published until lately */
struct kvg_kept {
	char *from; /* "AzureKeyVault (until 2026-01-31)"; owned */
	struct kvg_prefix prefix;
	struct kvg_service service;
};

/* What a person said, and so is no default any more. */
#define KVG_PROFILE_GIVEN_IDENTITY (1U << 0)
#define KVG_PROFILE_GIVEN_RESOLVER (1U << 1)
#define KVG_PROFILE_NO_RESOLVER    (1U << 2)
#define KVG_PROFILE_NO_FUNCTION    (1U << 3)

/**
 * struct kvg_profile - what to compile
 * @name:           fit for file names and metrics labels; "adhoc" if it was put together from options
 * @cloud:          whose documents
 * @functions:      bit set of 1 << enum kvg_function; 0 only in mode audit, and if it was asked for
 * @identities:     bit set of 1 << enum kvg_identity_kind; never 0
 * @regions:        as the person spelled them; none = every region
 * @auto_resolvers: the nameservers of the resolv.conf that the client sees, too
 * @resolvers:      addresses (/32 and /128)
 * @allow:          extras
 * @adfs_hosts:     AD FS or other identity providers that the person named
 * @crl_hosts:      take the catalogue's CRL and OCSP hosts
 * @crl_prefixes:   CRL and OCSP servers by prefix
 * @crl_tags:       published tags that are CRL sources
 * @private_names:  names may have addresses of private networks
 * @kept:           prefixes that are published no more, see policy/grace.h
 * @mode:           enforce, or audit: record and let pass
 * @inbound:        answers on connections that others open
 * @resolved:       hosts without published ranges that were looked up, see policy/resolve.h
 * @given:          KVG_PROFILE_*: which defaults were replaced
 *
 * All pointers are owned.
 */
struct kvg_profile {
	char *name;
	enum kvg_cloud cloud;
	unsigned int functions;
	unsigned int identities;
	char **regions;
	size_t regions_count;
	bool auto_resolvers;
	struct kvg_prefix *resolvers;
	size_t resolvers_count;
	struct kvg_allow *allow;
	size_t allow_count;
	char **adfs_hosts;
	size_t adfs_hosts_count;
	bool crl_hosts;
	struct kvg_prefix *crl_prefixes;
	size_t crl_prefixes_count;
	char **crl_tags;
	size_t crl_tags_count;
	bool private_names;
	enum kvg_mode mode;
	enum kvg_inbound inbound;
	struct kvg_resolved *resolved;
	size_t resolved_count;
	struct kvg_kept *kept;
	size_t kept_count;
	unsigned int given;
};

/** kvg_profile_init() - the defaults: public, all functions, work identity, auto resolvers, enforce */
int kvg_profile_init(struct kvg_profile *profile, const char *name);

/** kvg_profile_done() - free what it holds */
void kvg_profile_done(struct kvg_profile *profile);

/*
 * Words of options and of the config; each adds to, or sets, one field.
 * Return: 0, -EINVAL with @reterr_diag naming @text and what was expected, or -ENOMEM.
 */
int kvg_profile_set_name(struct kvg_profile *profile, const char *text,
			 struct kvg_diag *reterr_diag);
int kvg_profile_set_cloud(struct kvg_profile *profile, const char *text,
			  struct kvg_diag *reterr_diag);
int kvg_profile_set_functions(struct kvg_profile *profile, const char *text, /* "data,management" */
			      struct kvg_diag *reterr_diag);
int kvg_profile_add_function(struct kvg_profile *profile, const char *text,
			     struct kvg_diag *reterr_diag);
int kvg_profile_add_identity(struct kvg_profile *profile, const char *text,
			     struct kvg_diag *reterr_diag);
int kvg_profile_add_region(struct kvg_profile *profile, const char *text,
			   struct kvg_diag *reterr_diag);
int kvg_profile_add_resolver(struct kvg_profile *profile, const char *text, /* address|none|auto */
			     struct kvg_diag *reterr_diag);
int kvg_profile_add_allow(struct kvg_profile *profile, const char *prefix, const char *service,
			  const char *note, struct kvg_diag *reterr_diag);
int kvg_profile_add_adfs_host(struct kvg_profile *profile, const char *text,
			      struct kvg_diag *reterr_diag);
int kvg_profile_set_crl_hosts(struct kvg_profile *profile, const char *text, /* catalogue|none */
			      struct kvg_diag *reterr_diag);
int kvg_profile_add_crl_prefix(struct kvg_profile *profile, const char *text,
			       struct kvg_diag *reterr_diag);
int kvg_profile_add_crl_tag(struct kvg_profile *profile, const char *text,
			    struct kvg_diag *reterr_diag);
int kvg_profile_set_private_names(struct kvg_profile *profile, const char *text, /* allow|refuse */
				  struct kvg_diag *reterr_diag);
int kvg_profile_set_mode(struct kvg_profile *profile, const char *text,
			 struct kvg_diag *reterr_diag);
int kvg_profile_set_inbound(struct kvg_profile *profile, const char *text,
			    struct kvg_diag *reterr_diag);

/**
 * kvg_profile_add_nameservers() - what `auto` means: the nameservers of a resolv.conf
 * @profile:     to add to
 * @path:        the resolv.conf that the client sees
 * @notes:       what was left out and why; also that there is no such file
 * @reterr_diag: why it cannot be read
 *
 * Loopback ones are left out: loopback is always reachable. Ones with a zone (fe80::1%eth0) and what
 * is no address are left out too: a resolver less is a refusal more. Not called by compile: the
 * command knows whose file it is.
 *
 * Return: 0, or a negative errno
 */
int kvg_profile_add_nameservers(struct kvg_profile *profile, const char *path,
				struct kvg_notes *notes, struct kvg_diag *reterr_diag);

/** kvg_profile_add_resolved() - @name had @address when it was looked up; Return: 0, or -ENOMEM */
int kvg_profile_add_resolved(struct kvg_profile *profile, const char *name,
			     const struct kvg_prefix *address, const struct kvg_service *service);

/** kvg_profile_clear_resolved() - forget what was looked up */
void kvg_profile_clear_resolved(struct kvg_profile *profile);

/** kvg_profile_add_kept() - @prefix may receive @service for a while; Return: 0, or -ENOMEM */
int kvg_profile_add_kept(struct kvg_profile *profile, const struct kvg_kept *kept);

/** kvg_profile_check() - do its parts fit together? Return: 0, or -EINVAL */
int kvg_profile_check(const struct kvg_profile *profile, struct kvg_diag *reterr_diag);

/** kvg_service_parse() - "tcp/443" or "udp/53"; Return: 0, or -EINVAL */
int kvg_service_parse(const char *text, struct kvg_service *ret, struct kvg_diag *reterr_diag);

#define KVG_SERVICE_STRLEN 10 /* "tcp/65535" and NUL */

/** kvg_service_format() - "tcp/443" into @ret, which is also returned */
const char *kvg_service_format(const struct kvg_service *service, char ret[KVG_SERVICE_STRLEN]);

#endif
