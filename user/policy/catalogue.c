// SPDX-License-Identifier: BSD-2-Clause
/*
 * AzureGermany has no rows: it was retired in March 2025. AzureActiveDirectory.ServiceEndpoint is
 * another, larger tag that clients do not sign in at; tags are taken by their exact id, so it never
 * slips in. Vaults behind a private endpoint have private addresses that no document holds: those are
 * the person's --allow.
 */
#include "policy/catalogue.h"

#include "base/cleanup.h"

#define KV_PAGE \
	"learn.microsoft.com/azure/key-vault/general/access-behind-firewall, as of 2026-06-16"
#define TAGS_PAGE "learn.microsoft.com/azure/virtual-network/service-tags-overview"
#define CA_PAGE                                                                                 \
	"learn.microsoft.com/azure/security/fundamentals/azure-certificate-authority-details, " \
	"as of 2025-09-09"
#define SET_56 "Microsoft 365 endpoints, Worldwide, set 56"
#define SET_13 "Microsoft 365 endpoints, USGovGCCHigh and USGovDoD, set 13"
#define SET_17 "Microsoft 365 endpoints, China, set 17"

#define TAG(cloud_, function_, name_, regional_)                                              \
	{                                                                                     \
		.cloud = KVG_CLOUD_##cloud_, .function = KVG_FUNCTION_##function_,            \
		.kind = KVG_DOCUMENT_KIND_SERVICE_TAGS, .name = name_, .regional = regional_, \
		.port = 443, .source = KV_PAGE "; " TAGS_PAGE                                 \
	}

/* The set is part of authentication only where a Microsoft 365 document is given. */
#define SET(cloud_, name_, source_)                                                           \
	{                                                                                     \
		.cloud = KVG_CLOUD_##cloud_, .function = KVG_FUNCTION_AUTHENTICATION,         \
		.kind = KVG_DOCUMENT_KIND_M365, .name = name_, .port = 443, .source = source_ \
	}

static const struct kvg_catalogue_tag tags[] = {
	TAG(PUBLIC, AUTHENTICATION, "AzureActiveDirectory", false),
	SET(PUBLIC, "56", SET_56),
	TAG(PUBLIC, MANAGEMENT, "AzureResourceManager", false),
	TAG(PUBLIC, DATA, "AzureKeyVault", true),
	TAG(USGOV, AUTHENTICATION, "AzureActiveDirectory", false),
	SET(USGOV, "13", SET_13),
	TAG(USGOV, MANAGEMENT, "AzureResourceManager", false),
	TAG(USGOV, DATA, "AzureKeyVault", true),
	TAG(CHINA, AUTHENTICATION, "AzureActiveDirectory", false),
	SET(CHINA, "17", SET_17),
	TAG(CHINA, MANAGEMENT, "AzureResourceManager", false),
	TAG(CHINA, DATA, "AzureKeyVault", true),
};

/* A host whose addresses are among the prefixes of the function @by_. */
#define RANGED(cloud_, function_, by_, name_, source_)                                            \
	{                                                                                         \
		.cloud = KVG_CLOUD_##cloud_, .function = KVG_FUNCTION_##function_, .name = name_, \
		.ranged = true, .ranged_by = KVG_FUNCTION_##by_, .port = 443, .source = source_   \
	}

/* A host for which nothing is published. */
#define NAMED(cloud_, function_, identities_, port_, name_, source_)                       \
	{                                                                                  \
		.cloud = KVG_CLOUD_##cloud_, .function = KVG_FUNCTION_##function_,         \
		.identities = identities_, .name = name_, .port = port_, .source = source_ \
	}

#define LIVE(cloud_) \
	NAMED(cloud_, AUTHENTICATION, 1U << KVG_IDENTITY_MICROSOFT, 443, "login.live.com", KV_PAGE)

#define CRL(cloud_, name_) NAMED(cloud_, CRL, 0, 80, name_, CA_PAGE)

static const struct kvg_catalogue_host hosts[] = {
	RANGED(PUBLIC, AUTHENTICATION, AUTHENTICATION, "login.microsoftonline.com", KV_PAGE),
	RANGED(PUBLIC, AUTHENTICATION, AUTHENTICATION, "login.microsoft.com", SET_56),
	RANGED(PUBLIC, AUTHENTICATION, AUTHENTICATION, "login.windows.net", SET_56),
	LIVE(PUBLIC),
	RANGED(PUBLIC, MANAGEMENT, MANAGEMENT, "management.azure.com", KV_PAGE),
	RANGED(PUBLIC, MANAGEMENT, AUTHENTICATION, "graph.microsoft.com", KV_PAGE "; " SET_56),
	RANGED(PUBLIC, DATA, DATA, "<vault>.vault.azure.net", KV_PAGE),

	RANGED(USGOV, AUTHENTICATION, AUTHENTICATION, "login.microsoftonline.us", KV_PAGE),
	LIVE(USGOV),
	RANGED(USGOV, MANAGEMENT, MANAGEMENT, "management.usgovcloudapi.net", KV_PAGE),
	RANGED(USGOV, MANAGEMENT, AUTHENTICATION, "graph.microsoft.us", SET_13),
	RANGED(USGOV, MANAGEMENT, AUTHENTICATION, "graph.microsoftazure.us", SET_13),
	RANGED(USGOV, MANAGEMENT, AUTHENTICATION, "dod-graph.microsoft.us", SET_13),
	NAMED(USGOV, MANAGEMENT, 0, 443, "graph.microsoft.com", KV_PAGE),
	RANGED(USGOV, DATA, DATA, "<vault>.vault.usgovcloudapi.net", KV_PAGE),

	RANGED(CHINA, AUTHENTICATION, AUTHENTICATION, "login.chinacloudapi.cn", KV_PAGE),
	RANGED(CHINA, AUTHENTICATION, AUTHENTICATION, "login.partner.microsoftonline.cn", SET_17),
	LIVE(CHINA),
	RANGED(CHINA, MANAGEMENT, MANAGEMENT, "management.chinacloudapi.cn", KV_PAGE),
	RANGED(CHINA, MANAGEMENT, AUTHENTICATION, "microsoftgraph.chinacloudapi.cn", SET_17),
	NAMED(CHINA, MANAGEMENT, 0, 443, "graph.chinacloudapi.cn", KV_PAGE),
	RANGED(CHINA, DATA, DATA, "<vault>.vault.azure.cn", KV_PAGE),

	CRL(PUBLIC, "crl3.digicert.com"),
	CRL(PUBLIC, "crl4.digicert.com"),
	CRL(PUBLIC, "www.microsoft.com"),
	CRL(PUBLIC, "ocsp.digicert.com"),
	CRL(PUBLIC, "oneocsp.microsoft.com"),
	CRL(USGOV, "crl3.digicert.com"),
	CRL(USGOV, "crl4.digicert.com"),
	CRL(USGOV, "www.microsoft.com"),
	CRL(USGOV, "ocsp.digicert.com"),
	CRL(USGOV, "oneocsp.microsoft.com"),
	CRL(CHINA, "crl3.digicert.com"),
	CRL(CHINA, "crl4.digicert.com"),
	CRL(CHINA, "crl.digicert.cn"),
	CRL(CHINA, "www.microsoft.com"),
	CRL(CHINA, "ocsp.digicert.com"),
	CRL(CHINA, "ocsp.digicert.cn"),
	CRL(CHINA, "oneocsp.microsoft.com"),
};

static const char *const function_words[] = {
#define X(name, word) [KVG_FUNCTION_##name] = word,
	KVG_FUNCTIONS(X)
#undef X
};

static const char *const identity_words[] = {
#define X(name, word) [KVG_IDENTITY_##name] = word,
	KVG_IDENTITIES(X)
#undef X
};

const char *kvg_function_word(enum kvg_function function)
{
	return (unsigned int)function < KVG_FUNCTION_COUNT ? function_words[function] : "unknown";
}

const char *kvg_identity_word(enum kvg_identity_kind identity)
{
	return (unsigned int)identity < KVG_IDENTITY_COUNT ? identity_words[identity] : "unknown";
}

const struct kvg_catalogue_tag *kvg_catalogue_tags(size_t *ret_count)
{
	*ret_count = KVG_ARRAY_SIZE(tags);
	return tags;
}

const struct kvg_catalogue_host *kvg_catalogue_hosts(size_t *ret_count)
{
	*ret_count = KVG_ARRAY_SIZE(hosts);
	return hosts;
}
