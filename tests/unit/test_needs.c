// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "parse.h"
#include "policy/needs.h"

#define DOCUMENT KVG_CLEANUP(kvg_document_freep) struct kvg_document *
#define NEEDS    KVG_CLEANUP(kvg_guard_needs_done) struct kvg_guard_needs

#define VAULTS                                       \
	TAG("AzureKeyVault", "", "\"192.0.2.0/24\"") \
	"," TAG("AzureKeyVault.FranceCentral", "centralfrance", "\"192.0.2.0/25\"")

static struct kvg_profile profile;

static int set_up(void **state)
{
	(void)state;
	return kvg_profile_init(&profile, "app");
}

static int tear_down(void **state)
{
	(void)state;
	kvg_profile_done(&profile);
	return 0;
}

static void assert_needs(const struct kvg_document *document, const char *expected)
{
	NEEDS needs = {0};
	char said[512] = "";

	assert_int_equal(kvg_needs_add(&profile, document, &needs), 0);
	for (size_t i = 0; i < needs.count; i++) {
		assert_string_equal(needs.items[i].who, "profile 'app'");
		snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s", i ? " " : "",
			 needs.items[i].group);
	}
	assert_string_equal(said, expected);
}

static void each_function_needs_its_tag(void **state)
{
	DOCUMENT tags = parsed(TAGS(VAULTS));

	(void)state;
	assert_needs(tags, "AzureActiveDirectory AzureResourceManager AzureKeyVault");
	profile.functions = 1U << KVG_FUNCTION_DATA;
	assert_needs(tags, "AzureKeyVault");
}

static void a_region_is_needed_by_the_name_of_its_tag(void **state)
{
	DOCUMENT tags = parsed(TAGS(VAULTS));

	(void)state;
	profile.functions = 1U << KVG_FUNCTION_DATA;
	kvg_profile_add_region(&profile, "centralfrance", NULL);
	assert_needs(tags, "AzureKeyVault.FranceCentral");
	kvg_profile_add_region(&profile, "westeurope", NULL);
	assert_needs(tags, "AzureKeyVault.FranceCentral AzureKeyVault.westeurope");
}

static void a_crl_tag_is_needed(void **state)
{
	DOCUMENT tags = parsed(TAGS(VAULTS));

	(void)state;
	profile.functions = 1U << KVG_FUNCTION_DATA;
	kvg_profile_add_crl_tag(&profile, "AzureFrontDoor.Frontend", NULL);
	assert_needs(tags, "AzureKeyVault AzureFrontDoor.Frontend");
}

static void sign_in_needs_its_set_of_the_other_document(void **state)
{
	DOCUMENT sets = parsed("[" SIGN_IN_SET "]");

	(void)state;
	assert_needs(sets, "56");
	profile.functions = 1U << KVG_FUNCTION_DATA;
	assert_needs(sets, "");
}

static void another_clouds_document_is_not_needed(void **state)
{
	DOCUMENT tags = parsed(TAGS_OF("China", VAULTS));

	(void)state;
	assert_needs(tags, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_function_needs_its_tag, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_region_is_needed_by_the_name_of_its_tag, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_crl_tag_is_needed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sign_in_needs_its_set_of_the_other_document, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_clouds_document_is_not_needed, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
