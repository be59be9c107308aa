// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compiled.h"
#include "policy/hosts.h"
#include "policy/resolve.h"

#define SHOP KVG_CLEANUP(workshop_done) struct workshop

/* Compiling is refused, with exactly this message. */
static void assert_no_policy(struct workshop *shop, int error, const char *message)
{
	assert_int_equal(workshop_compile(shop), error);
	assert_null(shop->policy);
	assert_string_equal(shop->diag.msg, message);
}

static void the_three_tags_are_allowed_on_443_and_nothing_else_is(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS "," TAG("Storage", "", "\"203.0.113.0/24\"")));
	assert_rules(workshop_must(&shop), "192.0.2.0/26 tcp/443 AzureActiveDirectory; "
					   "192.0.2.64/28 tcp/443 AzureResourceManager; "
					   "198.51.100.0/28 tcp/443 AzureKeyVault; "
					   "198.51.100.32/28 tcp/443 AzureKeyVault; "
					   "198.51.100.64/28 tcp/443 AzureKeyVault; "
					   "2001:db8:1::/48 tcp/443 AzureActiveDirectory; "
					   "2001:db8:2::/64 tcp/443 AzureKeyVault");
	assert_int_equal(shop.notes.count, 0);
}

static void only_the_chosen_functions_give_rules(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_set_functions(&shop.profile, "management", NULL);
	assert_rules(workshop_must(&shop), "192.0.2.64/28 tcp/443 AzureResourceManager");
}

static void a_tag_is_taken_by_its_exact_id(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(TAG("AzureActiveDirectory.ServiceEndpoint", "",
				      "\"203.0.113.0/24\"") "," MANAGE "," VAULTS));
	assert_no_policy(&shop, -ENOENT,
			 "'test.json' has no 'AzureActiveDirectory', which authentication needs");
}

static void an_empty_required_tag_is_an_error_and_never_an_empty_policy(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(TAG("AzureKeyVault", "", "")));
	kvg_profile_set_functions(&shop.profile, "data", NULL);
	assert_no_policy(&shop, -ENOENT, "'AzureKeyVault' of 'test.json' has no prefixes");
}

static void a_cloud_without_a_document_is_an_error_that_names_it(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_set_cloud(&shop.profile, "china", NULL);
	assert_no_policy(&shop, -ENOENT,
			 "no service tags of the cloud 'china' for authentication: give "
			 "ServiceTags_China_<date>.json by --ranges");
}

/* --- regions ------------------------------------------------------------------------------------ */

static void a_region_narrows_only_the_vaults(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_add_region(&shop.profile, "WESTEUROPE", NULL);
	assert_rules(workshop_must(&shop), "192.0.2.0/26 tcp/443 AzureActiveDirectory; "
					   "192.0.2.64/28 tcp/443 AzureResourceManager; "
					   "198.51.100.0/28 tcp/443 AzureKeyVault.WestEurope; "
					   "2001:db8:1::/48 tcp/443 AzureActiveDirectory; "
					   "2001:db8:2::/64 tcp/443 AzureKeyVault.WestEurope");
}

static void a_region_is_known_by_the_tags_and_by_the_documents_spelling(void **state)
{
	static const char *const spellings[] = {"FranceCentral", "francecentral", "centralfrance",
						"CentralFrance"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		SHOP shop;

		workshop_init(&shop, TAGS(CLIENT_TAGS));
		kvg_profile_set_functions(&shop.profile, "data", NULL);
		kvg_profile_add_region(&shop.profile, spellings[i], NULL);
		assert_rules(workshop_must(&shop),
			     "198.51.100.32/28 tcp/443 AzureKeyVault.FranceCentral");
	}
}

static void prefixes_without_a_region_are_counted_in_a_note(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_add_region(&shop.profile, "westeurope", NULL);
	workshop_must(&shop);
	assert_true(workshop_noted(&shop, "1 of the 4 prefixes of AzureKeyVault have no region"));
}

static void an_unknown_region_is_an_error_that_lists_the_known_ones(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_add_region(&shop.profile, "westeurop", NULL);
	assert_no_policy(&shop, -EINVAL,
			 "unknown region 'westeurop': 'test.json' has no such part of "
			 "AzureKeyVault, see the list");
	assert_true(workshop_noted(&shop, "the regions of AzureKeyVault are FranceCentral, "
					  "WestEurope"));
}

static void a_dotted_tag_without_a_region_is_no_region(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop,
		      TAGS(CLIENT_TAGS "," TAG("AzureKeyVault.Core", "", "\"203.0.113.0/24\"")));
	kvg_profile_add_region(&shop.profile, "core", NULL);
	assert_int_equal(workshop_compile(&shop), -EINVAL);
	assert_false(workshop_noted(&shop, "Core"));
}

static void tags_that_only_begin_alike_are_no_regions(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS "," TAG("AzureKeyVaultX.WestUS", "westus",
						      "\"203.0.113.0/24\"")));
	kvg_profile_add_region(&shop.profile, "westus", NULL);
	assert_int_equal(workshop_compile(&shop), -EINVAL);
}

/* --- Microsoft 365 ------------------------------------------------------------------------------ */

static void the_identity_set_adds_to_authentication_without_port_80(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	workshop_add(&shop, "[" SIGN_IN_SET "]");
	kvg_profile_set_functions(&shop.profile, "authentication", NULL);
	assert_rules(workshop_must(&shop), "192.0.2.0/24 tcp/443 m365:56; "
					   "2001:db8::/32 tcp/443 m365:56");
	assert_int_equal(shop.policy->sources_count, 2);
	assert_int_equal(shop.policy->services_count, 1);
}

static void an_m365_document_is_no_source_where_nobody_signs_in(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	workshop_add(&shop, "[" SIGN_IN_SET "]");
	kvg_profile_set_functions(&shop.profile, "data", NULL);
	workshop_must(&shop);
	assert_int_equal(shop.policy->sources_count, 1);
}

/* --- identities, resolvers, extras ------------------------------------------------------------- */

static void managed_identity_opens_imds_on_80_and_only_then(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_set_functions(&shop.profile, "management", NULL);
	workshop_must(&shop);
	assert_int_equal(shop.policy->rules_count, 1);

	kvg_profile_add_identity(&shop.profile, "managed", NULL);
	assert_rules(workshop_must(&shop), "169.254.169.254/32 tcp/80 managed-identity; "
					   "192.0.2.64/28 tcp/443 AzureResourceManager");
}

static void a_resolver_gets_both_transports_of_port_53(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_done(&shop.profile);
	kvg_profile_init(&shop.profile, "test");
	kvg_profile_set_functions(&shop.profile, "management", NULL);
	kvg_profile_add_resolver(&shop.profile, "203.0.113.53", NULL);
	kvg_profile_add_resolver(&shop.profile, "127.0.0.53", NULL);
	assert_rules(workshop_must(&shop), "192.0.2.64/28 tcp/443 AzureResourceManager; "
					   "203.0.113.53/32 tcp/53 udp/53 resolver");
	assert_true(workshop_noted(&shop, "resolver 127.0.0.53 is loopback"));
}

static void an_extra_inside_a_tag_carries_the_tags_service_too(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_set_functions(&shop.profile, "management", NULL);
	kvg_profile_add_allow(&shop.profile, "192.0.2.66/32", "tcp/8443", "private endpoint", NULL);
	assert_rules(workshop_must(&shop),
		     "192.0.2.64/28 tcp/443 AzureResourceManager; "
		     "192.0.2.66/32 tcp/443 tcp/8443 AzureResourceManager,allow: private endpoint");
}

static void a_wide_extra_is_noted_and_everything_at_once_is_refused(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_add_allow(&shop.profile, "0.0.0.0/1", "tcp/443", NULL, NULL);
	workshop_must(&shop);
	assert_true(workshop_noted(&shop, "the extra 0.0.0.0/1 tcp/443 is wider than"));

	kvg_profile_add_allow(&shop.profile, "128.0.0.0/1", "tcp/443", NULL, NULL);
	assert_int_equal(workshop_compile(&shop), -ERANGE);
	assert_non_null(strstr(shop.diag.msg, "hold every address: that would open the gate"));
}

static void documents_whose_prefixes_add_up_to_too_much_are_refused(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(TAG("AzureKeyVault", "", "\"198.0.0.0/8\",\"199.0.0.0/8\"")));
	kvg_profile_set_functions(&shop.profile, "data", NULL);
	assert_no_policy(&shop, -ERANGE,
			 "the prefixes of 'AzureKeyVault' add up to 198.0.0.0/7, wider than "
			 "anything that was ever published");
}

static void crl_sources_get_port_80_only(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS "," TAG("FrontDoor", "", "\"203.0.113.0/28\"")));
	kvg_profile_set_functions(&shop.profile, "management", NULL);
	kvg_profile_add_crl_prefix(&shop.profile, "203.0.113.64/28", NULL);
	kvg_profile_add_crl_tag(&shop.profile, "FrontDoor", NULL);
	assert_rules(workshop_must(&shop), "192.0.2.64/28 tcp/443 AzureResourceManager; "
					   "203.0.113.0/28 tcp/80 crl:FrontDoor; "
					   "203.0.113.64/28 tcp/80 crl");

	kvg_profile_add_crl_tag(&shop.profile, "FrontDor", NULL);
	assert_no_policy(&shop, -EINVAL, "unknown CRL tag 'FrontDor': 'test.json' has no such id");
}

static void more_services_than_a_gate_has_bits_for_are_refused(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	for (int port = 1; port <= KVG_SERVICES_MAX; port++) { /* and tcp/443 */
		char service[16];

		snprintf(service, sizeof(service), "udp/%d", port);
		kvg_profile_add_allow(&shop.profile, "203.0.113.1/32", service, NULL, NULL);
	}
	assert_int_equal(workshop_compile(&shop), -E2BIG);
	assert_non_null(
		strstr(shop.diag.msg, " different services: a policy has no room for more"));
}

/* --- hosts --------------------------------------------------------------------------------------- */

static const struct kvg_policy_host *find_host(const struct kvg_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->hosts_count; i++) {
		if (strcmp(policy->hosts[i].name, name) == 0)
			return &policy->hosts[i];
	}
	return NULL;
}

static void hosts_without_ranges_are_listed_and_noted_until_they_are_resolved(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	shop.profile.crl_hosts = true;
	kvg_profile_add_identity(&shop.profile, "microsoft", NULL);
	workshop_must(&shop);
	assert_true(find_host(shop.policy, "login.microsoftonline.com")->ranged);
	assert_false(find_host(shop.policy, "login.live.com")->ranged);
	assert_true(workshop_noted(&shop, "the authentication hosts login.live.com: nothing"));
	assert_true(workshop_noted(&shop, "the CRL and OCSP hosts crl3.digicert.com,"));
}

static void a_resolved_host_becomes_a_rule_from_its_name(void **state)
{
	SHOP shop;
	struct kvg_service https;
	struct kvg_prefix address;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_set_functions(&shop.profile, "authentication", NULL);
	kvg_profile_add_identity(&shop.profile, "microsoft", NULL);
	kvg_service_parse("tcp/443", &https, NULL);
	kvg_prefix_parse_address("203.0.113.9", &address, NULL);
	kvg_profile_add_resolved(&shop.profile, "login.live.com", &address, &https);
	assert_rules(workshop_must(&shop), "192.0.2.0/26 tcp/443 AzureActiveDirectory; "
					   "203.0.113.9/32 tcp/443 dns:login.live.com; "
					   "2001:db8:1::/48 tcp/443 AzureActiveDirectory");
	assert_int_equal(shop.notes.count, 0);
}

static void a_host_whose_group_is_not_chosen_counts_as_without_ranges(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_set_functions(&shop.profile, "management", NULL);
	workshop_must(&shop);
	assert_true(find_host(shop.policy, "management.azure.com")->ranged);
	assert_false(find_host(shop.policy, "graph.microsoft.com")->ranged);
	assert_null(find_host(shop.policy, "login.microsoftonline.com"));
}

static void adfs_hosts_are_the_persons_own(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_add_identity(&shop.profile, "adfs", NULL);
	workshop_must(&shop);
	assert_true(workshop_noted(&shop, "identity adfs without the names of AD FS hosts"));

	kvg_profile_add_adfs_host(&shop.profile, "adfs.example.com", NULL);
	workshop_must(&shop);
	assert_false(find_host(shop.policy, "adfs.example.com")->ranged);
	assert_true(workshop_noted(&shop, "the authentication hosts adfs.example.com: nothing"));
}

static void answers_that_are_not_global_are_refused_with_a_note(void **state)
{
	static const char *const bad[] = {"127.0.0.1", "10.0.0.1",       "169.254.169.254",
					  "224.0.0.1", "64:ff9b::a00:1", "fe80::1"};
	struct kvg_policy_host host = {.name = (char *)"login.live.com"};
	struct kvg_prefix address;
	SHOP shop;

	(void)state;
	workshop_init(&shop, NULL);
	kvg_service_parse("tcp/443", &host.service, NULL);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(bad); i++) {
		assert_int_equal(kvg_prefix_parse_address(bad[i], &address, NULL), 0);
		assert_int_equal(
			kvg_resolve_add_answer(&shop.profile, &host, &address, &shop.notes), 0);
	}
	assert_int_equal(shop.profile.resolved_count, 0);
	assert_int_equal(shop.notes.count, KVG_ARRAY_SIZE(bad));
	assert_true(workshop_noted(&shop, "'login.live.com' resolves to 10.0.0.1, a private"));

	kvg_prefix_parse_address("203.0.113.9", &address, NULL);
	assert_int_equal(kvg_resolve_add_answer(&shop.profile, &host, &address, &shop.notes), 0);
	assert_true(kvg_hosts_is_resolved(&shop.profile, &host));
}

/* --- the whole --------------------------------------------------------------------------------- */

static void a_contradicting_profile_is_refused(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	shop.profile.functions = 0;
	assert_no_policy(&shop, -EINVAL,
			 "no function: expected authentication, management or data");
}

static void mode_and_inbound_reach_the_policy_and_its_digest(void **state)
{
	unsigned char digests[3][KVG_DIGEST_BYTES];
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	memcpy(digests[0], workshop_must(&shop)->digest, KVG_DIGEST_BYTES);
	kvg_profile_set_mode(&shop.profile, "audit", NULL);
	memcpy(digests[1], workshop_must(&shop)->digest, KVG_DIGEST_BYTES);
	kvg_profile_set_inbound(&shop.profile, "deny", NULL);
	memcpy(digests[2], workshop_must(&shop)->digest, KVG_DIGEST_BYTES);
	assert_int_equal(shop.policy->mode, KVG_MODE_AUDIT);
	assert_int_equal(shop.policy->inbound, KVG_INBOUND_DENY);
	assert_memory_not_equal(digests[0], digests[1], KVG_DIGEST_BYTES);
	assert_memory_not_equal(digests[1], digests[2], KVG_DIGEST_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_tags_are_allowed_on_443_and_nothing_else_is),
		cmocka_unit_test(only_the_chosen_functions_give_rules),
		cmocka_unit_test(a_tag_is_taken_by_its_exact_id),
		cmocka_unit_test(an_empty_required_tag_is_an_error_and_never_an_empty_policy),
		cmocka_unit_test(a_cloud_without_a_document_is_an_error_that_names_it),
		cmocka_unit_test(a_region_narrows_only_the_vaults),
		cmocka_unit_test(a_region_is_known_by_the_tags_and_by_the_documents_spelling),
		cmocka_unit_test(prefixes_without_a_region_are_counted_in_a_note),
		cmocka_unit_test(an_unknown_region_is_an_error_that_lists_the_known_ones),
		cmocka_unit_test(a_dotted_tag_without_a_region_is_no_region),
		cmocka_unit_test(tags_that_only_begin_alike_are_no_regions),
		cmocka_unit_test(the_identity_set_adds_to_authentication_without_port_80),
		cmocka_unit_test(an_m365_document_is_no_source_where_nobody_signs_in),
		cmocka_unit_test(managed_identity_opens_imds_on_80_and_only_then),
		cmocka_unit_test(a_resolver_gets_both_transports_of_port_53),
		cmocka_unit_test(an_extra_inside_a_tag_carries_the_tags_service_too),
		cmocka_unit_test(a_wide_extra_is_noted_and_everything_at_once_is_refused),
		cmocka_unit_test(documents_whose_prefixes_add_up_to_too_much_are_refused),
		cmocka_unit_test(crl_sources_get_port_80_only),
		cmocka_unit_test(more_services_than_a_gate_has_bits_for_are_refused),
		cmocka_unit_test(hosts_without_ranges_are_listed_and_noted_until_they_are_resolved),
		cmocka_unit_test(a_resolved_host_becomes_a_rule_from_its_name),
		cmocka_unit_test(a_host_whose_group_is_not_chosen_counts_as_without_ranges),
		cmocka_unit_test(adfs_hosts_are_the_persons_own),
		cmocka_unit_test(answers_that_are_not_global_are_refused_with_a_note),
		cmocka_unit_test(a_contradicting_profile_is_refused),
		cmocka_unit_test(mode_and_inbound_reach_the_policy_and_its_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
