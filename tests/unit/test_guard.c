// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "parse.h"
#include "policy/needs.h"
#include "ranges/guard.h"

#define DOCUMENT KVG_CLEANUP(kvg_document_freep) struct kvg_document *
#define NEEDS    KVG_CLEANUP(kvg_guard_needs_done) struct kvg_guard_needs
#define PROFILE  KVG_CLEANUP(kvg_profile_done) struct kvg_profile

#define V4_OF(n) "\"192.0.2." n "/28\""
#define TEN                                                                                        \
	V4_OF("0")                                                                                 \
	"," V4_OF("16") "," V4_OF("32") "," V4_OF("48") "," V4_OF("64") "," V4_OF("80") "," V4_OF( \
		"96") "," V4_OF("112") "," V4_OF("128") "," V4_OF("144")
#define SEVEN                                                                                      \
	V4_OF("0")                                                                                 \
	"," V4_OF("16") "," V4_OF("32") "," V4_OF("48") "," V4_OF("64") "," V4_OF("80") "," V4_OF( \
		"96")
#define SIX \
	V4_OF("0") "," V4_OF("16") "," V4_OF("32") "," V4_OF("48") "," V4_OF("64") "," V4_OF("80")
#define V6_TWO "\"2001:db8:1::/48\",\"2001:db8:2::/48\""
#define V6_ONE "\"2001:db8:1::/48\""

#define VAULT(prefixes) TAG("AzureKeyVault", "", prefixes)
#define NUMBERED(n)     "{\"changeNumber\":" n ",\"cloud\":\"Public\",\"values\":[]}"

/* A document of a name of its own. */
static struct kvg_document *named(const char *file, const char *text)
{
	struct kvg_document *document = NULL;
	struct kvg_diag diag = {};

	if (kvg_document_parse(file, text, strlen(text), &document, &diag) < 0)
		fail_msg("refused: %s", diag.msg);
	return document;
}

/* The judgement of @after over @before, which may be NULL; vaults are needed if @need. */
static int judge(const char *need, const struct kvg_document *before,
		 const struct kvg_document *after, struct kvg_diag *diag)
{
	NEEDS needs = {};
	const struct kvg_guard guard = {
		.kind = KVG_DOCUMENT_KIND_SERVICE_TAGS,
		.cloud = KVG_CLOUD_PUBLIC,
		.needs = &needs,
		.max_shrink_percent = 30,
	};

	if (need)
		assert_int_equal(kvg_guard_needs_add(&needs, need, "profile 'app'"), 0);
	return kvg_guard_judge(&guard, before, after, diag);
}

static void assert_judged(const char *before, const char *after, int error, const char *message)
{
	DOCUMENT old_document = before ? parsed(before) : NULL;
	DOCUMENT new_document = parsed(after);
	struct kvg_diag diag = {};

	assert_int_equal(judge("AzureKeyVault", old_document, new_document, &diag), error);
	assert_string_equal(diag.msg, message);
}

static void assert_aged(const char *old_name, const char *old_text, const char *new_name,
			const char *new_text, const char *message)
{
	DOCUMENT old_document = named(old_name, old_text);
	DOCUMENT new_document = named(new_name, new_text);
	struct kvg_diag diag = {};

	assert_int_equal(judge(NULL, old_document, new_document, &diag), *message ? -ESTALE : 0);
	assert_string_equal(diag.msg, message);
}

static void a_first_document_needs_only_what_is_needed(void **state)
{
	(void)state;
	assert_judged(NULL, TAGS(VAULT(V4_OF("0"))), 0, "");
}

static void an_absent_tag_is_refused_by_name_and_by_who_needs_it(void **state)
{
	(void)state;
	assert_judged(NULL, TAGS(TAG("AzureKeyVault.WestEurope", "westeurope", TEN)), -ENOENT,
		      "'AzureKeyVault', which profile 'app' needs, is absent");
	assert_judged(TAGS(VAULT(TEN)), TAGS(""), -ENOENT,
		      "'AzureKeyVault', which profile 'app' needs, is absent");
}

static void an_empty_tag_is_refused(void **state)
{
	(void)state;
	assert_judged(TAGS(VAULT(TEN)), TAGS(VAULT("")), -ENOENT,
		      "'AzureKeyVault', which profile 'app' needs, is empty");
}

static void a_tag_that_nobody_needs_may_go(void **state)
{
	(void)state;
	assert_judged(TAGS(VAULT(TEN) "," TAG("Other", "", TEN)), TAGS(VAULT(TEN)), 0, "");
}

static void exactly_max_shrink_is_taken_and_one_more_is_not(void **state)
{
	(void)state;
	assert_judged(TAGS(VAULT(TEN)), TAGS(VAULT(SEVEN)), 0, "");
	assert_judged(TAGS(VAULT(TEN)), TAGS(VAULT(SIX)), -ERANGE,
		      "it takes away 4 of the 10 IPv4 prefixes of 'AzureKeyVault' (40 %, and "
		      "max_shrink is 30 %)");
}

static void each_family_is_counted_by_itself(void **state)
{
	(void)state;
	assert_judged(TAGS(VAULT(TEN "," V6_TWO)), TAGS(VAULT(TEN "," V6_ONE)), -ERANGE,
		      "it takes away 1 of the 2 IPv6 prefixes of 'AzureKeyVault' (50 %, and "
		      "max_shrink is 30 %)");
	assert_judged(TAGS(VAULT(TEN "," V6_TWO)), TAGS(VAULT(TEN)), -ERANGE,
		      "it takes away 2 of the 2 IPv6 prefixes of 'AzureKeyVault' (100 %, and "
		      "max_shrink is 30 %)");
}

static void other_prefixes_do_not_make_up_for_those_that_go(void **state)
{
	(void)state;
	assert_judged(TAGS(VAULT(V4_OF("0"))), TAGS(VAULT("\"198.51.100.0/24\"")), -ERANGE,
		      "it takes away 1 of the 1 IPv4 prefixes of 'AzureKeyVault' (100 %, and "
		      "max_shrink is 30 %)");
}

static void merged_and_divided_prefixes_take_nothing_away(void **state)
{
	static const char halves[] = TAGS(VAULT("\"192.0.2.0/25\",\"192.0.2.128/25\""));
	static const char whole[] = TAGS(VAULT("\"192.0.2.0/24\""));

	(void)state;
	assert_judged(halves, whole, 0, "");
	assert_judged(whole, halves, 0, "");
	assert_judged(whole, TAGS(VAULT("\"192.0.2.0/25\",\"192.0.2.128/26\"")), -ERANGE,
		      "it takes away 1 of the 1 IPv4 prefixes of 'AzureKeyVault' (100 %, and "
		      "max_shrink is 30 %)");
}

static void another_cloud_and_another_kind_are_refused(void **state)
{
	(void)state;
	assert_judged(NULL, TAGS_OF("China", VAULT(TEN)), -EMEDIUMTYPE,
		      "it is of the cloud 'china', and 'public' was asked for");
	assert_judged(NULL, "[" SIGN_IN_SET "]", -EMEDIUMTYPE,
		      "it holds m365-endpoints, and service-tags were asked for");
}

static void an_older_date_is_refused_whatever_the_change_number(void **state)
{
	(void)state;
	assert_aged("tags_20260112.json", NUMBERED("1"), "tags_20260105.json", NUMBERED("2"),
		    "it is older than 'tags_20260112.json', which is in use");
	assert_aged("tags_2026-02.json", NUMBERED("1"), "tags_20260131.json", NUMBERED("2"),
		    "it is older than 'tags_2026-02.json', which is in use");
}

static void a_newer_date_may_have_a_lower_change_number(void **state)
{
	(void)state;
	assert_aged("tags_20200824.json", NUMBERED("105"), "tags_20200827.json", NUMBERED("97"),
		    "");
}

static void a_lower_change_number_is_refused_where_dates_say_nothing(void **state)
{
	(void)state;
	assert_aged("a.json", NUMBERED("7"), "a.json", NUMBERED("6"),
		    "its change number 6 is below 7, that of 'a.json', which is in use");
	assert_aged("a_20260105.json", NUMBERED("7"), "b_20260105.json", NUMBERED("6"),
		    "its change number 6 is below 7, that of 'a_20260105.json', which is in use");
	assert_aged("a_20260105.json", NUMBERED("7"), "b_2026-01.json", NUMBERED("6"),
		    "its change number 6 is below 7, that of 'a_20260105.json', which is in use");
	assert_aged("a.json", NUMBERED("7"), "a.json", NUMBERED("7"), "");
}

static void only_age_and_shrinking_are_a_persons_decision(void **state)
{
	(void)state;
	assert_true(kvg_guard_may_be_accepted(-ESTALE));
	assert_true(kvg_guard_may_be_accepted(-ERANGE));
	assert_false(kvg_guard_may_be_accepted(-ENOENT));
	assert_false(kvg_guard_may_be_accepted(-EMEDIUMTYPE));
	assert_false(kvg_guard_may_be_accepted(-EINVAL));
}

static void changes_are_counted_by_family(void **state)
{
	DOCUMENT before = parsed(TAGS(VAULT(SIX "," V6_TWO)));
	DOCUMENT after = parsed(TAGS(VAULT(SEVEN "," V6_ONE)));
	struct kvg_guard_change change;

	(void)state;
	kvg_guard_compare("AzureKeyVault", before, after, &change);
	assert_string_equal(change.group, "AzureKeyVault");
	assert_int_equal(change.before[0], 6);
	assert_int_equal(change.before[1], 2);
	assert_int_equal(change.added[0], 1);
	assert_int_equal(change.added[1], 0);
	assert_int_equal(change.removed[0], 0);
	assert_int_equal(change.removed[1], 1);

	kvg_guard_compare("AzureKeyVault", NULL, after, &change);
	assert_int_equal(change.before[0], 0);
	assert_int_equal(change.added[0], 7);
}

/* --- what is needed ------------------------------------------------------------------------- */

static void assert_needed(const struct kvg_guard_needs *needs, const char *expected)
{
	char text[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < needs->count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 needs->items[i].group);
	assert_string_equal(text, expected);
}

static void a_group_is_needed_once_by_who_came_first(void **state)
{
	NEEDS needs = {};

	(void)state;
	assert_int_equal(kvg_guard_needs_add(&needs, "A", "profile 'x'"), 0);
	assert_int_equal(kvg_guard_needs_add(&needs, "A", "profile 'y'"), 0);
	assert_int_equal(needs.count, 1);
	assert_string_equal(needs.items[0].who, "profile 'x'");
}

static void a_profile_needs_its_functions_regions_and_crl_tags(void **state)
{
	DOCUMENT document = parsed(
		TAGS(TAG("AzureKeyVault.FranceCentral", "centralfrance", "\"192.0.2.0/24\"")));
	PROFILE profile = {};
	NEEDS needs = {};

	(void)state;
	assert_int_equal(kvg_profile_init(&profile, "app"), 0);
	assert_int_equal(kvg_profile_set_functions(&profile, "data", NULL), 0);
	assert_int_equal(kvg_profile_add_region(&profile, "francecentral", NULL), 0);
	assert_int_equal(kvg_profile_add_region(&profile, "Nowhere", NULL), 0);
	assert_int_equal(kvg_profile_add_crl_tag(&profile, "AzureFrontDoor.FirstParty", NULL), 0);
	assert_int_equal(kvg_needs_add(&profile, document, &needs), 0);
	assert_needed(&needs, "AzureKeyVault.FranceCentral AzureKeyVault.Nowhere "
			      "AzureFrontDoor.FirstParty");
	assert_string_equal(needs.items[0].who, "profile 'app'");
}

static void a_profile_of_another_cloud_or_kind_needs_other_things(void **state)
{
	DOCUMENT china = parsed(TAGS_OF("China", ""));
	DOCUMENT m365 = parsed("[" SIGN_IN_SET "]");
	PROFILE profile = {};
	NEEDS needs = {};

	(void)state;
	assert_int_equal(kvg_profile_init(&profile, "app"), 0);
	assert_int_equal(kvg_needs_add(&profile, china, &needs), 0);
	assert_needed(&needs, "");
	assert_int_equal(kvg_needs_add(&profile, m365, &needs), 0);
	assert_needed(&needs, "56");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_document_needs_only_what_is_needed),
		cmocka_unit_test(an_absent_tag_is_refused_by_name_and_by_who_needs_it),
		cmocka_unit_test(an_empty_tag_is_refused),
		cmocka_unit_test(a_tag_that_nobody_needs_may_go),
		cmocka_unit_test(exactly_max_shrink_is_taken_and_one_more_is_not),
		cmocka_unit_test(each_family_is_counted_by_itself),
		cmocka_unit_test(other_prefixes_do_not_make_up_for_those_that_go),
		cmocka_unit_test(merged_and_divided_prefixes_take_nothing_away),
		cmocka_unit_test(another_cloud_and_another_kind_are_refused),
		cmocka_unit_test(an_older_date_is_refused_whatever_the_change_number),
		cmocka_unit_test(a_newer_date_may_have_a_lower_change_number),
		cmocka_unit_test(a_lower_change_number_is_refused_where_dates_say_nothing),
		cmocka_unit_test(only_age_and_shrinking_are_a_persons_decision),
		cmocka_unit_test(changes_are_counted_by_family),
		cmocka_unit_test(a_group_is_needed_once_by_who_came_first),
		cmocka_unit_test(a_profile_needs_its_functions_regions_and_crl_tags),
		cmocka_unit_test(a_profile_of_another_cloud_or_kind_needs_other_things),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
