/* SPDX-License-Identifier: BSD-2-Clause */
/* A compiled profile and its JSON document. The same inputs give the same bytes. */
#ifndef KVG_POLICY_POLICY_H
#define KVG_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/digest.h"
#include "kvg_policy.h"
#include "policy/catalogue.h"
#include "ranges/document.h"
#include "ranges/prefix.h"

/* A policy of KVG_PREFIXES_MAX rules is about 120 MB of JSON. */
#define KVG_POLICY_MAX_BYTES (256UL << 20)

/**
 * struct kvg_rule - what the destinations under one prefix may receive
 * @prefix:     canonical
 * @services:   bit i stands for kvg_policy.services[i]; never 0
 * @from:       names of what asked for it: "AzureKeyVault", "resolver", ...; sorted, unique; the
 *              strings belong to the policy
 * @from_count: at least 1
 */
struct kvg_rule {
	struct kvg_prefix prefix;
	__u32 services;
	const char **from;
	size_t from_count;
};

/** struct kvg_source - a document that went in; strings owned by the policy */
struct kvg_source {
	enum kvg_document_kind kind;
	enum kvg_cloud cloud;
	char *file;
	unsigned long change_number;
	unsigned char sha256[KVG_DIGEST_BYTES];
};

/** struct kvg_policy_host - a host name that the client will use; strings owned by the policy */
struct kvg_policy_host {
	char *name;
	struct kvg_service service;
	enum kvg_function function;
	bool ranged; /* false: must be resolved at run time, see kvg_resolve_hosts() */
};

/**
 * struct kvg_policy - what is enforced, and why
 * @rules:    IPv4 first, then IPv6, each sorted by kvg_prefix_compare(), unique, minimal (no rule that
 *            its parent rule or a merge with its sibling makes needless), self-contained: a rule
 *            inside another has at least the outer one's services
 * @services: sorted by protocol, then port; the distinct ones of all rules
 * @digest:   over what is enforced, see kvg_policy_digest_bytes()
 * @owned:    what the strings and arrays above live in; policy.c's own business
 */
struct kvg_policy {
	char *profile;
	enum kvg_cloud cloud;
	enum kvg_mode mode;
	enum kvg_inbound inbound;
	struct kvg_source *sources;
	size_t sources_count;
	struct kvg_service services[KVG_SERVICES_MAX];
	size_t services_count;
	struct kvg_rule *rules;
	size_t rules_count;
	struct kvg_policy_host *hosts;
	size_t hosts_count;
	unsigned char digest[KVG_DIGEST_BYTES];
	struct kvg_policy_owned *owned;
};

/**
 * struct kvg_permit - one reason why the destinations under a prefix may receive a service
 * @prefix:  canonical
 * @service: what
 * @from:    who says so; copied
 */
struct kvg_permit {
	struct kvg_prefix prefix;
	struct kvg_service service;
	const char *from;
};

/** kvg_policy_new() - a policy without rules, mode enforce, inbound allow; Return: 0, or -ENOMEM */
int kvg_policy_new(const char *profile, enum kvg_cloud cloud, struct kvg_policy **ret);

/**
 * kvg_policy_set_permits() - make the services, rules and digest of a policy
 * @policy:      fresh; mode and inbound as they shall be, for the digest covers them
 * @permits:     in any order, with repeats
 * @count:       how many
 * @reterr_diag: what is too much
 *
 * Return: 0, or a negative errno: -E2BIG above KVG_SERVICES_MAX services or KVG_PREFIXES_MAX rules of
 * one family, -ENOMEM
 */
int kvg_policy_set_permits(struct kvg_policy *policy, const struct kvg_permit *permits,
			   size_t count, struct kvg_diag *reterr_diag);

/** kvg_policy_add_source() - copy what there is to say of a document; Return: 0, or -ENOMEM */
int kvg_policy_add_source(struct kvg_policy *policy, const struct kvg_source *source);

/** kvg_policy_add_host() - copy @host; one that is there already stays single; 0, or -ENOMEM */
int kvg_policy_add_host(struct kvg_policy *policy, const struct kvg_policy_host *host);

/**
 * kvg_policy_digest_bytes() - what the digest is the SHA-256 of
 * @policy:   its rules and services complete
 * @ret:      the bytes, freed by the caller
 * @ret_size: how many
 *
 * Numbers of more than one byte are big-endian:
 *
 *	"kvgate-policy 1\n"
 *	1 byte   mode: 0 enforce, 1 audit
 *	1 byte   inbound: 0 allow, 1 deny
 *	1 byte   number of services; then each: 1 byte protocol (6, 17), 2 bytes port
 *	rules, in their order, each: 1 byte 4 or 6, 1 byte prefix length, 4 or 16 bytes address,
 *	         4 bytes services: bit i (1 << i) stands for the service i above
 *
 * Names of profiles, files and tags, change numbers and times are not in it.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_policy_digest_bytes(const struct kvg_policy *policy, unsigned char **ret, size_t *ret_size);

/** kvg_policy_free() - free it; NULL is fine; Return: NULL */
struct kvg_policy *kvg_policy_free(struct kvg_policy *policy);

/** kvg_policy_freep() - for KVG_CLEANUP */
void kvg_policy_freep(struct kvg_policy **policy);

/**
 * kvg_policy_parse() - read the JSON document
 * @data:        the bytes; need not be NUL-terminated
 * @size:        how many; above KVG_POLICY_MAX_BYTES it is refused
 * @ret:         the policy, freed by the caller; untouched on failure
 * @reterr_diag: what is wrong and with which element
 *
 * The document must keep all promises of struct kvg_policy, and its digest must fit: a policy that
 * somebody edited by hand is refused.
 *
 * Return: 0, or a negative errno: -EINVAL, -EFBIG, -ENOMEM
 */
int kvg_policy_parse(const char *data, size_t size, struct kvg_policy **ret,
		     struct kvg_diag *reterr_diag);

/** kvg_policy_write() - the JSON document, NUL-terminated, freed by the caller; 0 or -ENOMEM */
int kvg_policy_write(const struct kvg_policy *policy, char **ret, size_t *ret_size);

/** kvg_policy_check() - are all promises of the structure kept? for tests; Return: 0 or -EINVAL */
int kvg_policy_check(const struct kvg_policy *policy);

/** kvg_policy_longest() - the longest rule that holds @address (a /32 or /128), or NULL */
const struct kvg_rule *kvg_policy_longest(const struct kvg_policy *policy,
					  const struct kvg_prefix *address);

/** kvg_policy_gate() - the gate entry of this policy, for kvg_decide(); @slot and the rest as given */
void kvg_policy_gate(const struct kvg_policy *policy, __u64 cgroup_id, __u32 slot, __u32 generation,
		     struct kvg_gate *ret);

#endif
