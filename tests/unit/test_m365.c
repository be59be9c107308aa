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

#define DOC           KVG_CLEANUP(kvg_document_freep) struct kvg_document *
#define SET(id, rest) "{\"id\":" id ",\"serviceArea\":\"Common\"" rest "}"
#define SETS(sets)    "[" SIGN_IN_SET "," sets "]"
#define UNKNOWN_INSTANCE                                                                  \
	"no sign-in set of a known instance: 56 with login.microsoftonline.com, 13 with " \
	"login.microsoftonline.us, or 17 with login.partner.microsoftonline.cn"

static void sets_are_groups_by_their_number(void **state)
{
	DOC document = parsed("[" SIGN_IN_SET "]");
	const struct kvg_group *group = kvg_document_find(document, "56");

	(void)state;
	assert_int_equal(document->kind, KVG_DOCUMENT_KIND_M365);
	assert_int_equal(document->cloud, KVG_CLOUD_PUBLIC);
	assert_int_equal(document->change_number, 0);
	assert_non_null(group);
	assert_string_equal(group->region, "");
	assert_int_equal(group->count, 2);
	assert_null(kvg_document_find(document, "5"));
	assert_null(kvg_document_find(document, "056"));
}

static void what_is_left_out_is_empty(void **state)
{
	DOC document = parsed(SETS(SET(
		"59",
		",\"urls\":[\"*.hip.live.com\"],"
		"\"tcpPorts\":\"143, 587, 993, 995\"") "," SET("11", ",\"ips\":[\"198.51.100.0/"
								     "24\"],\"udpPorts\":"
								     "\"3478\"") "," SET("7", "")));

	(void)state;
	assert_int_equal(document->groups_count, 4);
	assert_int_equal(kvg_document_find(document, "59")->count, 0);
	assert_int_equal(kvg_document_find(document, "11")->count, 1);
	assert_int_equal(kvg_document_find(document, "7")->count, 0);
}

static void the_instance_is_known_by_its_sign_in_set(void **state)
{
	DOC usgov = parsed("[" SET("13", ",\"urls\":[\"login.microsoftonline.us\"]") "]");
	DOC china = parsed("[" SET("17", ",\"urls\":[\"login.partner.microsoftonline.cn\"]") "]");

	(void)state;
	assert_int_equal(usgov->cloud, KVG_CLOUD_USGOV);
	assert_int_equal(china->cloud, KVG_CLOUD_CHINA);
}

/* The sets 13 of China and 14 of US Gov name login.microsoftonline.com and are no sign-in sets. */
static void the_same_host_in_another_set_is_no_sign_in_set(void **state)
{
	DOC china = parsed("[" SET("13", ",\"urls\":[\"login.microsoftonline.com\"]") "," SET(
		"17", ",\"urls\":[\"login.partner.microsoftonline.cn\"]") "]");

	(void)state;
	assert_int_equal(china->cloud, KVG_CLOUD_CHINA);
	assert_refused("[" SET("13", ",\"urls\":[\"login.microsoftonline.com\"]") "]", -EINVAL,
		       UNKNOWN_INSTANCE);
	assert_refused("[" SET("56", ",\"urls\":[\"*.microsoftonline.com\"]") "]", -EINVAL,
		       UNKNOWN_INSTANCE);
	assert_refused("[" SET("56", "") "]", -EINVAL, UNKNOWN_INSTANCE);
}

static void two_instances_in_one_document_are_refused(void **state)
{
	(void)state;
	assert_refused(SETS(SET("13", ",\"urls\":[\"login.microsoftonline.us\"]")), -EINVAL,
		       "it holds the sign-in sets of more than one instance");
}

static void a_set_that_appears_twice_is_refused(void **state)
{
	(void)state;
	assert_refused("[" SIGN_IN_SET "," SIGN_IN_SET "]", -EINVAL, "set \"56\" appears twice");
}

static void fields_must_be_there_and_of_their_type(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{SETS("7"), "entry 2 is an integer, not an object"},
		{SETS("{\"serviceArea\":\"Common\"}"), "entry 2: \"id\" is missing"},
		{SETS(SET("\"57\"", "")), "entry 2: \"id\" is a string, not an integer"},
		{SETS(SET("-1", "")), "entry 2: \"id\" is out of bounds"},
		{SETS(SET("2147483648", "")), "entry 2: \"id\" is out of bounds"},
		{SETS("{\"id\":57}"), "set 57: \"serviceArea\" is missing"},
		{SETS("{\"id\":57,\"serviceArea\":7}"),
		 "set 57: \"serviceArea\" is an integer, not a string"},
		{SETS(SET("57", ",\"urls\":\"host.example\"")),
		 "set 57: \"urls\" is a string, not a list"},
		{SETS(SET("57", ",\"urls\":[\"host.example\",null]")),
		 "set 57, url 2 is null, not a string"},
		{SETS(SET("57", ",\"ips\":\"192.0.2.0/24\"")),
		 "set 57: its prefixes are a string, not a list"},
		{SETS(SET("57", ",\"ips\":null")), "set 57: its prefixes are null, not a list"},
		{SETS(SET("57", ",\"addressPrefixes\":[\"192.0.2.0/24\"],\"ips\":0")),
		 "set 57: its prefixes are an integer, not a list"},
		{SETS(SET("57", ",\"ips\":[\"192.0.2.0/24\",{}]")),
		 "set 57, prefix 2 is an object, not a string"},
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].text, -EINVAL, cases[i].message);
}

static void a_bad_prefix_is_named_with_its_set_and_number(void **state)
{
	(void)state;
	assert_refused(SETS(SET("57", ",\"ips\":[\"192.0.2.0/24\",\"192.0.2.1/24\"]")), -EINVAL,
		       "set 57, prefix 2: \"192.0.2.1/24\" has host bits");
	assert_refused(SETS(SET("57", ",\"ips\":[\"0.0.0.0/1\"]")), -EINVAL,
		       "set 57, prefix 1: \"0.0.0.0/1\" is wider than any published one");
	assert_refused(SETS(SET("57", ",\"ips\":[\"192.0.2.0/24\",\"192.0.2.0/24\"]")), -EINVAL,
		       "set 57: prefix \"192.0.2.0/24\" appears twice");
}

static void other_answers_of_the_web_service_are_no_document(void **state)
{
	static const char message[] = "JSON, but neither service tags nor Microsoft 365 endpoints";

	(void)state;
	assert_refused("{\"instance\":\"Worldwide\",\"latest\":\"2018063000\"}", -ENOMSG, message);
	assert_refused("[{\"instance\":\"Worldwide\",\"latest\":\"2018063000\"}]", -ENOMSG,
		       message);
	assert_refused("[{\"id\":424,\"endpointSetId\":56,\"disposition\":\"Change\"}]", -ENOMSG,
		       message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_groups_by_their_number),
		cmocka_unit_test(what_is_left_out_is_empty),
		cmocka_unit_test(the_instance_is_known_by_its_sign_in_set),
		cmocka_unit_test(the_same_host_in_another_set_is_no_sign_in_set),
		cmocka_unit_test(two_instances_in_one_document_are_refused),
		cmocka_unit_test(a_set_that_appears_twice_is_refused),
		cmocka_unit_test(fields_must_be_there_and_of_their_type),
		cmocka_unit_test(a_bad_prefix_is_named_with_its_set_and_number),
		cmocka_unit_test(other_answers_of_the_web_service_are_no_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
