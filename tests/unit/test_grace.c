// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "compiled.h"
#include "folder.h"
#include "policy/grace.h"

#define TEXT     KVG_CLEANUP(kvg_freep) char *
#define WORKSHOP KVG_CLEANUP(workshop_done) struct workshop
#define GRACE    KVG_CLEANUP(kvg_grace_done) struct kvg_grace

#define DAY_S 86400L
#define NOW   (20454 * DAY_S) /* 2026-01-01 */
#define WEEK  (7 * DAY_S)

#define VAULT(prefixes) TAG("AzureKeyVault", "", prefixes)
#define STAYS           "\"198.51.100.0/28\""
#define GOES            "\"203.0.113.0/28\""

/* A document that was replaced so many seconds before NOW. */
static void replaced(void **state, const char *name, const char *text, long ago)
{
	const struct timespec times[2] = {{.tv_sec = NOW - ago}, {.tv_sec = NOW - ago}};
	TEXT folder = folder_path(state, "previous");
	TEXT path = NULL;
	char below[64];

	mkdir(folder, 0755);
	snprintf(below, sizeof(below), "previous/%s", name);
	path = folder_write(state, below, text);
	assert_non_null(path);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* What a profile keeps: "203.0.113.0/28 tcp/443 AzureKeyVault (until 2026-01-07); ..." */
static void assert_kept(void **state, struct workshop *shop, const char *expected)
{
	char text[1024] = "";
	GRACE grace = {};
	size_t used = 0;

	assert_int_equal(kvg_grace_load(*state, WEEK, NOW, &grace), 0);
	assert_int_equal(kvg_grace_add(&grace, &shop->library, &shop->profile), 0);
	for (size_t i = 0; i < shop->profile.kept_count; i++) {
		const struct kvg_kept *kept = &shop->profile.kept[i];
		char prefix[KVG_PREFIX_STRLEN];
		char service[KVG_SERVICE_STRLEN];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s %s",
					 i ? "; " : "", kvg_prefix_format(&kept->prefix, prefix),
					 kvg_service_format(&kept->service, service), kept->from);
	}
	assert_string_equal(text, expected);
}

static void what_is_published_no_more_is_kept_until_its_date(void **state)
{
	WORKSHOP shop;

	workshop_init(&shop, TAGS(VAULT(STAYS)));
	replaced(state, "a.json", TAGS(VAULT(STAYS "," GOES)), DAY_S);
	assert_kept(state, &shop, "203.0.113.0/28 tcp/443 AzureKeyVault (until 2026-01-07)");
}

static void a_policy_permits_what_is_kept(void **state)
{
	WORKSHOP shop;
	GRACE grace = {};

	workshop_init(&shop, TAGS(VAULT(STAYS)));
	assert_int_equal(kvg_profile_set_functions(&shop.profile, "data", NULL), 0);
	replaced(state, "a.json", TAGS(VAULT(STAYS "," GOES)), DAY_S);
	assert_int_equal(kvg_grace_load(*state, WEEK, NOW, &grace), 0);
	assert_int_equal(kvg_grace_add(&grace, &shop.library, &shop.profile), 0);
	assert_rules(workshop_must(&shop),
		     "198.51.100.0/28 tcp/443 AzureKeyVault; "
		     "203.0.113.0/28 tcp/443 AzureKeyVault (until 2026-01-07)");
}

static void on_its_date_it_is_kept_no_more(void **state)
{
	WORKSHOP shop;
	GRACE before = {};
	GRACE after = {};

	workshop_init(&shop, TAGS(VAULT(STAYS)));
	replaced(state, "a.json", TAGS(VAULT(STAYS "," GOES)), DAY_S);
	assert_int_equal(kvg_grace_load(*state, WEEK, NOW - DAY_S + WEEK - 1, &before), 0);
	assert_int_equal(before.count, 1);
	assert_int_equal(kvg_grace_next(&before), NOW - DAY_S + WEEK);
	assert_int_equal(kvg_grace_load(*state, WEEK, NOW - DAY_S + WEEK, &after), 0);
	assert_int_equal(after.count, 0);
	assert_int_equal(kvg_grace_next(&after), 0);
}

static void without_a_grace_period_nothing_is_kept(void **state)
{
	GRACE grace = {};

	replaced(state, "a.json", TAGS(VAULT(GOES)), DAY_S);
	assert_int_equal(kvg_grace_load(*state, 0, NOW, &grace), 0);
	assert_int_equal(grace.count, 0);
}

static void the_next_date_is_the_first_of_all(void **state)
{
	GRACE grace = {};

	replaced(state, "a.json", TAGS(VAULT(STAYS)), DAY_S);
	replaced(state, "b.json", TAGS(VAULT(GOES)), 3 * DAY_S);
	replaced(state, "c.json", TAGS(VAULT("")), 2 * DAY_S);
	assert_int_equal(kvg_grace_load(*state, WEEK, NOW, &grace), 0);
	assert_int_equal(grace.count, 3);
	assert_int_equal(kvg_grace_next(&grace), NOW - 3 * DAY_S + WEEK);
}

static void a_document_of_the_future_was_replaced_now(void **state)
{
	WORKSHOP shop;

	workshop_init(&shop, TAGS(VAULT(STAYS)));
	replaced(state, "a.json", TAGS(VAULT(GOES)), -100 * DAY_S);
	assert_kept(state, &shop, "203.0.113.0/28 tcp/443 AzureKeyVault (until 2026-01-08)");
}

static void of_two_documents_the_last_replaced_gives_the_date(void **state)
{
	WORKSHOP shop;

	workshop_init(&shop, TAGS(VAULT(STAYS)));
	replaced(state, "a.json", TAGS(VAULT(GOES)), DAY_S);
	replaced(state, "b.json", TAGS(VAULT(GOES ",\"203.0.113.64/28\"")), 2 * DAY_S);
	assert_kept(state, &shop,
		    "203.0.113.0/28 tcp/443 AzureKeyVault (until 2026-01-07); "
		    "203.0.113.64/28 tcp/443 AzureKeyVault (until 2026-01-06)");
}

static void the_order_of_names_in_the_folder_does_not_matter(void **state)
{
	static const char expected[] = "203.0.113.0/28 tcp/443 AzureKeyVault (until 2026-01-07); "
				       "203.0.113.64/28 tcp/443 AzureKeyVault (until 2026-01-06)";

	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		WORKSHOP shop;
		void *folder;

		assert_int_equal(folder_make(&folder), 0);
		workshop_init(&shop, TAGS(VAULT(STAYS)));
		replaced(&folder, turn ? "a.json" : "b.json", TAGS(VAULT("\"203.0.113.64/28\"")),
			 2 * DAY_S);
		replaced(&folder, turn ? "b.json" : "a.json", TAGS(VAULT(GOES)), DAY_S);
		assert_kept(&folder, &shop, expected);
		assert_int_equal(folder_remove(&folder), 0);
	}
}

static void what_the_newest_covers_otherwise_is_not_kept(void **state)
{
	WORKSHOP shop;

	workshop_init(&shop,
		      TAGS(VAULT("\"203.0.113.0/24\",\"198.51.100.0/25\",\"198.51.100.128/25\"")));
	replaced(state, "a.json", TAGS(VAULT(GOES ",\"198.51.100.0/24\"")), DAY_S);
	assert_kept(state, &shop, "");
}

static void only_what_the_profile_needs_is_kept(void **state)
{
	WORKSHOP shop;

	workshop_init(&shop, TAGS(VAULT(STAYS)));
	assert_int_equal(kvg_profile_set_functions(&shop.profile, "data", NULL), 0);
	replaced(state, "a.json",
		 TAGS(VAULT(STAYS) "," TAG("AzureActiveDirectory", "", GOES) "," TAG("Other", "",
										     GOES)),
		 DAY_S);
	replaced(state, "b.json", TAGS_OF("China", VAULT(GOES)), DAY_S);
	assert_kept(state, &shop, "");
}

static void only_the_regions_of_the_profile_are_kept(void **state)
{
	WORKSHOP shop;

	workshop_init(&shop, TAGS(VAULTS_WEST "," VAULTS_FRANCE));
	assert_int_equal(kvg_profile_set_functions(&shop.profile, "data", NULL), 0);
	assert_int_equal(kvg_profile_add_region(&shop.profile, "westeurope", NULL), 0);
	replaced(state, "a.json",
		 TAGS(TAG("AzureKeyVault.WestEurope", "westeurope", GOES) "," TAG(
			 "AzureKeyVault.FranceCentral", "centralfrance", "\"203.0.113.64/28\"")),
		 DAY_S);
	assert_kept(state, &shop,
		    "203.0.113.0/28 tcp/443 AzureKeyVault.WestEurope (until 2026-01-07)");
}

static void a_crl_tag_is_kept_with_its_own_port(void **state)
{
	WORKSHOP shop;

	workshop_init(&shop, TAGS(VAULT(STAYS) "," TAG("Lists", "", STAYS)));
	assert_int_equal(kvg_profile_add_crl_tag(&shop.profile, "Lists", NULL), 0);
	replaced(state, "a.json", TAGS(VAULT(STAYS) "," TAG("Lists", "", GOES)), DAY_S);
	assert_kept(state, &shop, "203.0.113.0/28 tcp/80 Lists (until 2026-01-07)");
}

static void a_kind_that_is_not_in_use_keeps_nothing(void **state)
{
	WORKSHOP shop;

	workshop_init(&shop, TAGS(VAULT(STAYS)));
	replaced(state, "a.json", "[" SIGN_IN_SET "]", DAY_S);
	assert_kept(state, &shop, "");
}

static void what_cannot_be_read_is_passed_over(void **state)
{
	WORKSHOP shop;

	workshop_init(&shop, TAGS(VAULT(STAYS)));
	assert_kept(state, &shop, "");
	replaced(state, "a.json", "{\"changeNumber\":1,", DAY_S);
	replaced(state, "b.json", "<html>", DAY_S);
	replaced(state, "c.json", TAGS(VAULT(GOES)), DAY_S);
	assert_kept(state, &shop, "203.0.113.0/28 tcp/443 AzureKeyVault (until 2026-01-07)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
		TEST(what_is_published_no_more_is_kept_until_its_date),
		TEST(a_policy_permits_what_is_kept),
		TEST(on_its_date_it_is_kept_no_more),
		TEST(without_a_grace_period_nothing_is_kept),
		TEST(the_next_date_is_the_first_of_all),
		TEST(a_document_of_the_future_was_replaced_now),
		TEST(of_two_documents_the_last_replaced_gives_the_date),
		TEST(the_order_of_names_in_the_folder_does_not_matter),
		TEST(what_the_newest_covers_otherwise_is_not_kept),
		TEST(only_what_the_profile_needs_is_kept),
		TEST(only_the_regions_of_the_profile_are_kept),
		TEST(a_crl_tag_is_kept_with_its_own_port),
		TEST(a_kind_that_is_not_in_use_keeps_nothing),
		TEST(what_cannot_be_read_is_passed_over),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
