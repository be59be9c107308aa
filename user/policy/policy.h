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
 * @digest:   over what is enforced (mode, inbound, services, rules' prefixes and services), not over
 *            names of profiles, files, tags or times
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

/** kvg_policy_free() - free it; NULL is fine; Return: NULL */
struct kvg_policy *kvg_policy_free(struct kvg_policy *policy);

/** kvg_policy_freep() - for KVG_CLEANUP */
void kvg_policy_freep(struct kvg_policy **policy);

/** kvg_policy_parse() - read the JSON document; its digest must fit; Return: 0 or a negative errno */
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
