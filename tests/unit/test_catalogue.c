// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "policy/catalogue.h"

static const enum kvg_cloud clouds[] = {KVG_CLOUD_PUBLIC, KVG_CLOUD_USGOV, KVG_CLOUD_CHINA};

static const struct kvg_catalogue_tag *find_tag(enum kvg_cloud cloud, enum kvg_function function,
						enum kvg_document_kind kind)
{
	const struct kvg_catalogue_tag *found = NULL;
	size_t count;
	const struct kvg_catalogue_tag *tags = kvg_catalogue_tags(&count);

	for (size_t i = 0; i < count; i++) {
		if (tags[i].cloud != cloud || tags[i].function != function || tags[i].kind != kind)
			continue;
		assert_null(found);
		found = &tags[i];
	}
	return found;
}

static const struct kvg_catalogue_host *find_host(enum kvg_cloud cloud, const char *name)
{
	size_t count;
	const struct kvg_catalogue_host *hosts = kvg_catalogue_hosts(&count);

	for (size_t i = 0; i < count; i++) {
		if (hosts[i].cloud == cloud && strcmp(hosts[i].name, name) == 0)
			return &hosts[i];
	}
	return NULL;
}

static void every_cloud_has_the_three_tags_on_443(void **state)
{
	static const char *const names[] = {"AzureActiveDirectory", "AzureResourceManager",
					    "AzureKeyVault"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (enum kvg_function f = 0; f <= KVG_FUNCTION_DATA; f++) {
			const struct kvg_catalogue_tag *tag =
				find_tag(clouds[i], f, KVG_DOCUMENT_KIND_SERVICE_TAGS);

			assert_non_null(tag);
			assert_string_equal(tag->name, names[f]);
			assert_int_equal(tag->port, 443);
			assert_int_equal(tag->regional, f == KVG_FUNCTION_DATA);
		}
	}
}

static void the_identity_set_has_another_number_in_each_instance(void **state)
{
	static const char *const names[] = {"56", "13", "17"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct kvg_catalogue_tag *set =
			find_tag(clouds[i], KVG_FUNCTION_AUTHENTICATION, KVG_DOCUMENT_KIND_M365);

		assert_non_null(set);
		assert_string_equal(set->name, names[i]);
		assert_int_equal(set->port, 443);
	}
}

static void the_hosts_are_those_of_the_key_vault_page(void **state)
{
	static const struct {
		enum kvg_cloud cloud;
		const char *names[4];
	} page[] = {
		{KVG_CLOUD_PUBLIC,
		 {"login.microsoftonline.com", "management.azure.com", "graph.microsoft.com",
		  "<vault>.vault.azure.net"}},
		{KVG_CLOUD_USGOV,
		 {"login.microsoftonline.us", "management.usgovcloudapi.net", "graph.microsoft.com",
		  "<vault>.vault.usgovcloudapi.net"}},
		{KVG_CLOUD_CHINA,
		 {"login.chinacloudapi.cn", "management.chinacloudapi.cn", "graph.chinacloudapi.cn",
		  "<vault>.vault.azure.cn"}},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 4; j++) {
			const struct kvg_catalogue_host *host =
				find_host(page[i].cloud, page[i].names[j]);

			if (!host)
				fail_msg("%s is missing", page[i].names[j]);
			assert_int_equal(host->port, 443);
			assert_int_equal(host->identities, 0);
		}
	}
}

static void live_com_is_for_microsoft_accounts_only_and_has_no_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct kvg_catalogue_host *host = find_host(clouds[i], "login.live.com");

		assert_non_null(host);
		assert_int_equal(host->identities, 1U << KVG_IDENTITY_MICROSOFT);
		assert_false(host->ranged);
	}
}

static void crl_and_ocsp_hosts_are_on_80_and_have_no_ranges(void **state)
{
	size_t count;
	const struct kvg_catalogue_host *hosts = kvg_catalogue_hosts(&count);
	size_t per_cloud[KVG_CLOUD_COUNT] = {0};

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(hosts[i].port == 80, hosts[i].function == KVG_FUNCTION_CRL);
		if (hosts[i].function != KVG_FUNCTION_CRL)
			continue;
		assert_false(hosts[i].ranged);
		per_cloud[hosts[i].cloud]++;
	}
	for (size_t i = 0; i < 3; i++)
		assert_true(per_cloud[clouds[i]] >= 5);
}

static void every_row_names_its_source_and_none_is_of_the_retired_cloud(void **state)
{
	size_t tags_count;
	size_t hosts_count;
	const struct kvg_catalogue_tag *tags = kvg_catalogue_tags(&tags_count);
	const struct kvg_catalogue_host *hosts = kvg_catalogue_hosts(&hosts_count);

	(void)state;
	for (size_t i = 0; i < tags_count; i++) {
		assert_true(strlen(tags[i].source) > 10);
		assert_int_not_equal(tags[i].cloud, KVG_CLOUD_GERMANY);
	}
	for (size_t i = 0; i < hosts_count; i++) {
		assert_true(strlen(hosts[i].source) > 10);
		assert_int_not_equal(hosts[i].cloud, KVG_CLOUD_GERMANY);
	}
}

static void no_host_stands_twice_in_a_cloud(void **state)
{
	size_t count;
	const struct kvg_catalogue_host *hosts = kvg_catalogue_hosts(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (find_host(hosts[i].cloud, hosts[i].name) != &hosts[i])
			fail_msg("%s stands twice", hosts[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cloud_has_the_three_tags_on_443),
		cmocka_unit_test(the_identity_set_has_another_number_in_each_instance),
		cmocka_unit_test(the_hosts_are_those_of_the_key_vault_page),
		cmocka_unit_test(live_com_is_for_microsoft_accounts_only_and_has_no_ranges),
		cmocka_unit_test(crl_and_ocsp_hosts_are_on_80_and_have_no_ranges),
		cmocka_unit_test(every_row_names_its_source_and_none_is_of_the_retired_cloud),
		cmocka_unit_test(no_host_stands_twice_in_a_cloud),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
