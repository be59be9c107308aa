/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies from small documents in strings, for the tests of what is made of them. */
#ifndef KVG_TESTS_COMPILED_H
#define KVG_TESTS_COMPILED_H

#include <string.h>

#include "base/cleanup.h"
#include "parse.h"
#include "policy/compile.h"

/* The three tags that a client needs, two regions, one prefix without a region. */
#define SIGN_IN TAG("AzureActiveDirectory", "", "\"192.0.2.0/26\",\"2001:db8:1::/48\"")
#define MANAGE  TAG("AzureResourceManager", "", "\"192.0.2.64/28\"")
#define VAULTS                                                               \
	TAG("AzureKeyVault", "",                                             \
	    "\"198.51.100.0/28\",\"198.51.100.32/28\",\"198.51.100.64/28\"," \
	    "\"2001:db8:2::/64\"")
#define VAULTS_WEST \
	TAG("AzureKeyVault.WestEurope", "westeurope", "\"198.51.100.0/28\",\"2001:db8:2::/64\"")
#define VAULTS_FRANCE TAG("AzureKeyVault.FranceCentral", "centralfrance", "\"198.51.100.32/28\"")
#define CLIENT_TAGS   SIGN_IN "," MANAGE "," VAULTS "," VAULTS_WEST "," VAULTS_FRANCE

/** struct workshop - what a policy is made from and what came of it */
struct workshop {
	struct kvg_library library;
	struct kvg_profile profile;
	struct kvg_policy *policy;
	struct kvg_notes notes;
	struct kvg_diag diag;
};

/** workshop_done() - for KVG_CLEANUP */
static inline void workshop_done(struct workshop *shop)
{
	kvg_policy_free(shop->policy);
	kvg_notes_done(&shop->notes);
	kvg_profile_done(&shop->profile);
	kvg_library_done(&shop->library);
}

/** workshop_add() - a document that must be sound */
static inline void workshop_add(struct workshop *shop, const char *text)
{
	struct kvg_document *document = parsed(text);
	struct kvg_document **place = &shop->library.documents[document->kind][document->cloud];

	kvg_document_free(*place);
	*place = document;
}

/** workshop_init() - a profile without resolvers and CRL hosts, and the document @text */
static inline void workshop_init(struct workshop *shop, const char *text)
{
	memset(shop, 0, sizeof(*shop));
	assert_int_equal(kvg_profile_init(&shop->profile, "test"), 0);
	assert_int_equal(kvg_profile_add_resolver(&shop->profile, "none", NULL), 0);
	shop->profile.crl_hosts = false;
	if (text)
		workshop_add(shop, text);
}

/** workshop_compile() - Return: what kvg_compile() does */
static inline int workshop_compile(struct workshop *shop)
{
	shop->policy = kvg_policy_free(shop->policy);
	kvg_notes_done(&shop->notes);
	return kvg_compile(&shop->profile, &shop->library, &shop->policy, &shop->notes,
			   &shop->diag);
}

/** workshop_must() - compile what must compile */
static inline const struct kvg_policy *workshop_must(struct workshop *shop)
{
	if (workshop_compile(shop) < 0)
		fail_msg("refused: %s", shop->diag.msg);
	assert_int_equal(kvg_policy_check(shop->policy), 0);
	return shop->policy;
}

/** workshop_noted() - did a note say @text? */
static inline bool workshop_noted(const struct workshop *shop, const char *text)
{
	for (size_t i = 0; i < shop->notes.count; i++) {
		if (strstr(shop->notes.lines[i], text))
			return true;
	}
	return false;
}

/** rules_text() - "192.0.2.0/26 tcp/443 AzureActiveDirectory; ..." in a buffer of the test's */
static inline const char *rules_text(const struct kvg_policy *policy, char *ret, size_t size)
{
	char word[KVG_PREFIX_STRLEN];
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct kvg_rule *rule = &policy->rules[i];

		used += (size_t)snprintf(ret + used, size - used, "%s%s", i ? "; " : "",
					 kvg_prefix_format(&rule->prefix, word));
		for (size_t j = 0; j < policy->services_count; j++) {
			if (rule->services & 1U << j)
				used += (size_t)snprintf(
					ret + used, size - used, " %s",
					kvg_service_format(&policy->services[j], word));
		}
		for (size_t j = 0; j < rule->from_count; j++)
			used += (size_t)snprintf(ret + used, size - used, "%s%s", j ? "," : " ",
						 rule->from[j]);
	}
	return ret;
}

/** assert_rules() - the policy has exactly these */
#define assert_rules(policy, expected)                                                      \
	do {                                                                                \
		char rules_buffer[4096];                                                    \
                                                                                            \
		assert_string_equal(rules_text(policy, rules_buffer, sizeof(rules_buffer)), \
				    expected);                                              \
	} while (0)

#endif
