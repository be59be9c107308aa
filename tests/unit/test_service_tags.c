// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "parse.h"

#define DOC  KVG_CLEANUP(kvg_document_freep) struct kvg_document *
#define NET4 "\"192.0.2.0/24\""
#define NET6 "\"2001:db8::/32\""

static const struct kvg_group *find(const struct kvg_document *document, const char *name)
{
	const struct kvg_group *group = kvg_document_find(document, name);

	if (!group)
		fail_msg("no group \"%s\"", name);
	return group;
}

/* A tag with these properties. */
#define TAG_WITH(properties) TAGS("{\"name\":\"A\",\"id\":\"A\",\"properties\":" properties "}")

static void tags_are_read_with_region_and_prefixes(void **state)
{
	DOC document = parsed(TAGS(TAG("AzureKeyVault", "", NET4 "," NET6) "," TAG(
		"AzureKeyVault.FranceCentral", "centralfrance", NET4)));
	const struct kvg_group *group = find(document, "AzureKeyVault.FranceCentral");
	char text[KVG_PREFIX_STRLEN];

	(void)state;
	assert_int_equal(document->kind, KVG_DOCUMENT_KIND_SERVICE_TAGS);
	assert_int_equal(document->change_number, 375);
	assert_string_equal(document->file, "test.json");
	assert_int_equal(document->groups_count, 2);
	assert_string_equal(group->region, "centralfrance");

	group = find(document, "AzureKeyVault");
	assert_string_equal(group->region, "");
	assert_int_equal(group->count, 2);
	assert_string_equal(kvg_prefix_format(&group->prefixes[0], text), "192.0.2.0/24");
	assert_string_equal(kvg_prefix_format(&group->prefixes[1], text), "2001:db8::/32");
}

static void each_cloud_is_known_by_its_published_name(void **state)
{
	static const struct {
		const char *text;
		enum kvg_cloud cloud;
	} clouds[] = {
		{TAGS_OF("Public", ""), KVG_CLOUD_PUBLIC},
		{TAGS_OF("AzureGovernment", ""), KVG_CLOUD_USGOV},
		{TAGS_OF("China", ""), KVG_CLOUD_CHINA},
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(clouds); i++) {
		DOC document = parsed(clouds[i].text);

		assert_int_equal(document->cloud, clouds[i].cloud);
	}
	assert_refused(TAGS_OF("public", ""), -EINVAL, "cloud \"public\" is unknown");
	assert_refused(TAGS_OF("PublicX", ""), -EINVAL, "cloud \"PublicX\" is unknown");
}

static void azure_germany_is_refused_as_retired(void **state)
{
	(void)state;
	assert_refused(TAGS_OF("AzureGermany", TAG("A", "", NET4)), -EOPNOTSUPP,
		       "cloud \"AzureGermany\" was retired in March 2025");
}

static void a_tag_is_found_by_exactly_its_id(void **state)
{
	DOC document = parsed(TAGS(TAG("AzureActiveDirectory.ServiceEndpoint", "", NET6) "," TAG(
		"AzureActiveDirectory", "", NET4) "," TAG("AzureActiveDirectoryDomainServices", "",
							  NET6)));

	(void)state;
	assert_int_equal(find(document, "AzureActiveDirectory")->count, 1);
	assert_int_equal(find(document, "AzureActiveDirectory")->prefixes[0].bits, 24);
	assert_null(kvg_document_find(document, "AzureActive"));
	assert_null(kvg_document_find(document, "azureactivedirectory"));
	assert_null(kvg_document_find(document, "AzureActiveDirectory."));
	assert_null(kvg_document_find(document, ""));
}

static void an_absent_tag_is_not_found(void **state)
{
	DOC empty = parsed(TAGS(""));
	DOC document = parsed(TAGS(TAG("AzureKeyVault", "", NET4)));

	(void)state;
	assert_null(kvg_document_find(empty, "AzureResourceManager"));
	assert_null(kvg_document_find(document, "AzureResourceManager"));
}

static void an_empty_list_is_a_tag_without_prefixes(void **state)
{
	DOC document = parsed(TAGS(TAG("AzureCloud.brazilne", "brazilne", "")));

	(void)state;
	assert_int_equal(find(document, "AzureCloud.brazilne")->count, 0);
}

static void unneeded_properties_may_be_null_absent_or_odd(void **state)
{
	DOC old = parsed(TAG_WITH("{\"changeNumber\":1,\"region\":\"\",\"platform\":\"Azure\","
				  "\"systemService\":\"\",\"addressPrefixes\":[" NET4 "]}"));
	DOC null = parsed(TAG_WITH("{\"region\":null,\"systemService\":null,"
				   "\"networkFeatures\":null,\"addressPrefixes\":[" NET4 "]}"));
	DOC odd = parsed(TAG_WITH("{\"region\":\"\",\"regionId\":\"x\",\"networkFeatures\":[1],"
				  "\"later\":{\"a\":[]},\"addressPrefixes\":[" NET4 "]}"));

	(void)state;
	assert_int_equal(find(old, "A")->count, 1);
	assert_string_equal(find(null, "A")->region, "");
	assert_int_equal(find(odd, "A")->count, 1);
}

static void a_change_number_may_lie_but_not_be_something_else(void **state)
{
	DOC none = parsed("{\"changeNumber\":0,\"cloud\":\"Public\",\"values\":[]}");

	(void)state;
	assert_int_equal(none->change_number, 0);
	assert_refused("{\"changeNumber\":-1,\"cloud\":\"Public\",\"values\":[]}", -EINVAL,
		       "\"changeNumber\" is negative");
	assert_refused("{\"changeNumber\":1.5,\"cloud\":\"Public\",\"values\":[]}", -EINVAL,
		       "\"changeNumber\" is a fraction, not an integer");
	assert_refused("{\"changeNumber\":null,\"cloud\":\"Public\",\"values\":[]}", -EINVAL,
		       "\"changeNumber\" is null, not an integer");
	assert_refused("{\"cloud\":\"Public\",\"values\":[]}", -EINVAL,
		       "\"changeNumber\" is missing");
}

static void an_answer_of_the_discovery_api_is_refused_as_such(void **state)
{
	(void)state;
	assert_refused("{\"name\":\"Public\",\"id\":\"/subscriptions/0\",\"type\":\"t\","
		       "\"changeNumber\":\"375\",\"cloud\":\"Public\",\"values\":[]}",
		       -EINVAL,
		       "\"changeNumber\" is a string: an answer of the Discovery API, which "
		       "publishes a subset; use the downloaded file");
}

static void top_level_fields_must_be_there_and_of_their_type(void **state)
{
	(void)state;
	assert_refused("{\"changeNumber\":1,\"values\":[]}", -EINVAL, "\"cloud\" is missing");
	assert_refused("{\"changeNumber\":1,\"cloud\":7,\"values\":[]}", -EINVAL,
		       "\"cloud\" is an integer, not a string");
	assert_refused("{\"changeNumber\":1,\"cloud\":\"Public\"}", -EINVAL,
		       "\"values\" is missing");
	assert_refused("{\"changeNumber\":1,\"cloud\":\"Public\",\"values\":{}}", -EINVAL,
		       "\"values\" is an object, not a list");
	assert_refused("{\"changeNumber\":1,\"cloud\":\"Public\",\"values\":null}", -EINVAL,
		       "\"values\" is null, not a list");
}

static void tag_fields_must_be_there_and_of_their_type(void **state)
{
	(void)state;
	assert_refused(TAGS("7"), -EINVAL, "tag 1 is an integer, not an object");
	assert_refused(TAGS(TAG("A", "", "") ",null"), -EINVAL, "tag 2 is null, not an object");
	assert_refused(TAGS("{\"name\":\"A\",\"properties\":{}}"), -EINVAL,
		       "tag 1: \"id\" is missing");
	assert_refused(TAGS("{\"name\":\"A\",\"id\":7,\"properties\":{}}"), -EINVAL,
		       "tag 1: \"id\" is an integer, not a string");
	assert_refused(TAGS("{\"id\":\"A\",\"properties\":{}}"), -EINVAL,
		       "tag \"A\": \"name\" is missing");
	assert_refused(TAGS("{\"name\":[],\"id\":\"A\",\"properties\":{}}"), -EINVAL,
		       "tag \"A\": \"name\" is a list, not a string");
	assert_refused(TAGS("{\"name\":\"A\",\"id\":\"A\"}"), -EINVAL,
		       "tag \"A\": \"properties\" is missing");
	assert_refused(TAG_WITH("true"), -EINVAL,
		       "tag \"A\": \"properties\" is true, not an object");
	assert_refused(TAG_WITH("{\"addressPrefixes\":[]}"), -EINVAL,
		       "tag \"A\": \"region\" is missing");
	assert_refused(TAG_WITH("{\"region\":1,\"addressPrefixes\":[]}"), -EINVAL,
		       "tag \"A\": \"region\" is an integer, not a string");
	assert_refused(TAG_WITH("{\"region\":\"\"}"), -EINVAL,
		       "tag \"A\": \"addressPrefixes\" is missing");
}

static void name_and_id_must_be_one(void **state)
{
	(void)state;
	assert_refused(TAGS("{\"name\":\"B\",\"id\":\"A\",\"properties\":{}}"), -EINVAL,
		       "tag \"A\": its name is \"B\", not its id");
}

static void an_id_holds_only_what_ids_hold(void **state)
{
	(void)state;
	assert_refused(TAGS(TAG("", "", "")), -EINVAL, "tag \"\": its id is empty");
	assert_refused(TAGS(TAG("A B", "", "")), -EINVAL,
		       "tag \"A B\": its id holds what is no letter, digit, \".\", \"_\" or \"-\"");
	assert_refused(TAGS(TAG("A\\u001b", "", "")), -EINVAL,
		       "tag \"A?\": its id holds what is no letter, digit, \".\", \"_\" or \"-\"");
}

static void a_tag_that_appears_twice_is_refused(void **state)
{
	(void)state;
	assert_refused(TAGS(TAG("B", "", NET4) "," TAG("A", "", "") "," TAG("B", "", NET6)),
		       -EINVAL, "tag \"B\" appears twice");
}

static void a_bad_prefix_is_named_with_its_tag_and_number(void **state)
{
	static const struct {
		const char *prefixes;
		const char *message;
	} cases[] = {
		{TAGS(TAG("A", "", NET4 ",\"198.51.100.1/24\"")),
		 "tag \"A\", prefix 2: \"198.51.100.1/24\" has host bits"},
		{TAGS(TAG("A", "", "\"192.0.2.0\"")),
		 "tag \"A\", prefix 1: \"192.0.2.0\" has no \"/\" and prefix length"},
		{TAGS(TAG("A", "", "\"0.0.0.0/0\"")),
		 "tag \"A\", prefix 1: \"0.0.0.0/0\" is wider than any published one"},
		{TAGS(TAG("A", "", "\"128.0.0.0/7\"")),
		 "tag \"A\", prefix 1: \"128.0.0.0/7\" is wider than any published one"},
		{TAGS(TAG("A", "", "\"2000::/15\"")),
		 "tag \"A\", prefix 1: \"2000::/15\" is wider than any published one"},
		{TAGS(TAG("A", "", "\"::ffff:192.0.2.0/120\"")),
		 "tag \"A\", prefix 1: \"::ffff:192.0.2.0/120\" takes in IPv4-mapped addresses"},
		{TAGS(TAG("A", "", NET4 ",7")), "tag \"A\", prefix 2 is an integer, not a string"},
		{TAGS(TAG("A", "", "[" NET4 "]")), "tag \"A\", prefix 1 is a list, not a string"},
		{TAGS(TAG("A", "", NET4 "," NET6 "," NET4)),
		 "tag \"A\": prefix \"192.0.2.0/24\" appears twice"},
		{TAGS(TAG("A", "", NET6 ",\"2001:0db8:0::/32\"")),
		 "tag \"A\": prefix \"2001:db8::/32\" appears twice"},
		{TAG_WITH("{\"region\":\"\",\"addressPrefixes\":" NET4 "}"),
		 "tag \"A\": its prefixes are a string, not a list"},
		{TAG_WITH("{\"region\":\"\",\"addressPrefixes\":null}"),
		 "tag \"A\": its prefixes are null, not a list"},
		{TAG_WITH("{\"region\":\"\",\"addressPrefixes\":0}"),
		 "tag \"A\": its prefixes are an integer, not a list"},
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].prefixes, -EINVAL, cases[i].message);
}

static void prefixes_in_any_order_are_sorted(void **state)
{
	DOC document =
		parsed(TAGS(TAG("A", "", NET6 ",\"203.0.113.0/24\"," NET4 ",\"192.0.2.0/25\"")));
	const struct kvg_group *group = find(document, "A");
	char text[KVG_PREFIX_STRLEN];

	(void)state;
	assert_int_equal(group->count, 4);
	assert_string_equal(kvg_prefix_format(&group->prefixes[0], text), "192.0.2.0/24");
	assert_string_equal(kvg_prefix_format(&group->prefixes[3], text), "2001:db8::/32");
}

static void lists_elsewhere_never_become_a_tags_prefixes(void **state)
{
	DOC other = parsed(TAG_WITH("{\"region\":\"\",\"old\":{\"addressPrefixes\":[" NET6 "]},"
				    "\"addressPrefixes\":[" NET4 "]}"));
	DOC escaped = parsed(TAG_WITH("{\"region\":\"\",\"old\":{\"addressPrefixes\":[" NET6 "]},"
				      "\"address\\u0050refixes\":[" NET4 "]}"));

	(void)state;
	assert_int_equal(find(other, "A")->prefixes[0].bits, 24);
	assert_int_equal(find(escaped, "A")->prefixes[0].bits, 24);
	assert_refused(TAG_WITH("{\"region\":\"\",\"old\":{\"addressPrefixes\":[" NET6 "]}}"),
		       -EINVAL, "tag \"A\": \"addressPrefixes\" is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_read_with_region_and_prefixes),
		cmocka_unit_test(each_cloud_is_known_by_its_published_name),
		cmocka_unit_test(azure_germany_is_refused_as_retired),
		cmocka_unit_test(a_tag_is_found_by_exactly_its_id),
		cmocka_unit_test(an_absent_tag_is_not_found),
		cmocka_unit_test(an_empty_list_is_a_tag_without_prefixes),
		cmocka_unit_test(unneeded_properties_may_be_null_absent_or_odd),
		cmocka_unit_test(a_change_number_may_lie_but_not_be_something_else),
		cmocka_unit_test(an_answer_of_the_discovery_api_is_refused_as_such),
		cmocka_unit_test(top_level_fields_must_be_there_and_of_their_type),
		cmocka_unit_test(tag_fields_must_be_there_and_of_their_type),
		cmocka_unit_test(name_and_id_must_be_one),
		cmocka_unit_test(an_id_holds_only_what_ids_hold),
		cmocka_unit_test(a_tag_that_appears_twice_is_refused),
		cmocka_unit_test(a_bad_prefix_is_named_with_its_tag_and_number),
		cmocka_unit_test(prefixes_in_any_order_are_sorted),
		cmocka_unit_test(lists_elsewhere_never_become_a_tags_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
