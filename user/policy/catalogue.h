/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each function of a vault client needs, per cloud: tags, Microsoft 365 sets, host names and
 * ports, each row with the document that it was taken from.
 */
#ifndef KVG_POLICY_CATALOGUE_H
#define KVG_POLICY_CATALOGUE_H

#include <linux/types.h>
#include <stddef.h>

#include "ranges/document.h"

/* X(enumerator, word): what a client does. The last two are not chosen by --functions. */
#define KVG_FUNCTIONS(X)                        \
	X(AUTHENTICATION, "authentication")     \
	X(MANAGEMENT, "management")             \
	X(DATA, "data")                         \
	X(CRL, "crl")                           \
	X(MANAGED_IDENTITY, "managed-identity") \
	X(RESOLVER, "resolver")                 \
	X(EXTRA, "extra")

enum kvg_function {
#define X(name, word) KVG_FUNCTION_##name,
	KVG_FUNCTIONS(X)
#undef X
		KVG_FUNCTION_COUNT
};

/* X(enumerator, word): how the client signs in. */
#define KVG_IDENTITIES(X)         \
	X(WORK, "work")           \
	X(MICROSOFT, "microsoft") \
	X(ADFS, "adfs")           \
	X(MANAGED, "managed")

enum kvg_identity_kind {
#define X(name, word) KVG_IDENTITY_##name,
	KVG_IDENTITIES(X)
#undef X
		KVG_IDENTITY_COUNT
};

/** kvg_function_word(), kvg_identity_word() - the words of configuration and output */
const char *kvg_function_word(enum kvg_function function);
const char *kvg_identity_word(enum kvg_identity_kind identity);

/** struct kvg_catalogue_tag - a published group that a function needs whole */
struct kvg_catalogue_tag {
	enum kvg_cloud cloud;
	enum kvg_function function;
	enum kvg_document_kind kind;
	const char *name;   /* tag id, or number of the M365 set in this cloud's instance */
	bool regional;      /* --region narrows it to NAME.Region */
	__u16 port;         /* TCP, host order */
	const char *source; /* where this is written down */
};

/** struct kvg_catalogue_host - a host name that a function needs */
struct kvg_catalogue_host {
	enum kvg_cloud cloud;
	enum kvg_function function;
	unsigned int
		identities; /* bit set of 1 << enum kvg_identity_kind; 0: whatever the identity */
	const char *name;   /* "<vault>.vault.azure.net" for the customer's own names */
	bool ranged; /* its addresses are in a group of ranged_by; false: resolved at run time */
	enum kvg_function ranged_by;
	__u16 port;
	const char *source;
};

/* Where a virtual machine hands out managed-identity tokens; link-local, the same in every cloud. */
#define KVG_IMDS_PREFIX "169.254.169.254/32"

/** kvg_catalogue_tags(), kvg_catalogue_hosts() - the tables; @ret_count rows, static */
const struct kvg_catalogue_tag *kvg_catalogue_tags(size_t *ret_count);
const struct kvg_catalogue_host *kvg_catalogue_hosts(size_t *ret_count);

#endif
