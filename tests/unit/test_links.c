// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ranges/links.h"

#define LINKS KVG_CLEANUP(kvg_links_done) struct kvg_links

#define AT   "https://files.test/a/"
#define OLD  "ServiceTags_Public_20260105.json"
#define NEW  "ServiceTags_Public_20260112.json"
#define LINK "ServiceTags_Public_20260105.json"

/* The links of @page are those of @expected, one in each line. */
static void assert_links(const char *page, const char *expected)
{
	LINKS links = {};
	char text[1024] = "";
	size_t used = 0;

	assert_int_equal(kvg_links_find(page, KVG_CLOUD_PUBLIC, &links), 0);
	for (size_t i = 0; i < links.count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "\n" : "",
					 links.items[i].text);
	assert_string_equal(text, expected);
}

static void of_two_that_are_listed_the_newest_comes_first(void **state)
{
	LINKS links = {};

	(void)state;
	assert_links("<a href=\"" AT OLD "\"></a><a href=\"" AT NEW "\">", AT NEW "\n" AT OLD);
	assert_links("<a href=\"" AT NEW "\"></a><a href=\"" AT OLD "\">", AT NEW "\n" AT OLD);
	assert_int_equal(kvg_links_find("\"" AT NEW "\"", KVG_CLOUD_PUBLIC, &links), 0);
	assert_int_equal(links.count, 1);
	assert_int_equal(links.items[0].day, 20260112);
	assert_string_equal(links.items[0].file, NEW);
}

static void a_file_that_is_listed_twice_is_one_link(void **state)
{
	(void)state;
	assert_links("\"" AT OLD "\" 'https://files.test/b/" OLD "'", AT OLD);
}

static void links_are_found_however_they_are_quoted(void **state)
{
	static const char *const pages[] = {
		"<a href=\"" AT LINK "\">",
		"<a href='" AT LINK "'>",
		"<a href=" AT LINK ">",
		"<a class=x HREF=" AT LINK " id=y>",
		"<p>" AT LINK "</p>",
		"<i data=\"{&quot;url&quot;:&quot;" AT LINK "&quot;}\">",
		"window.open(`" AT LINK "`)",
		"{url:\"" AT LINK "\",size:1}",
		"{\"url\":\"https:\\/\\/files.test\\/a\\/" LINK "\"}",
		"{\"url\":\"https:\\u002F\\u002ffiles.test\\u002Fa\\u002F" LINK "\"}",
		"'{\\\"url\\\":\\\"" AT LINK "\\\"}'",
		AT LINK,
		AT LINK "?download=1",
		AT LINK "#top",
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(pages); i++)
		assert_links(pages[i], AT LINK);
}

static void a_path_without_a_host_is_a_link_too(void **state)
{
	(void)state;
	assert_links("<a href=\"/files/" LINK "\">", "/files/" LINK);
	assert_links("<a href=\"" LINK "\">", LINK);
	assert_links("<a href=" LINK ">", LINK);
	assert_links("<a href=\"//files.test/" LINK "\">", "//files.test/" LINK);
}

static void a_page_without_links_has_none(void **state)
{
	(void)state;
	assert_links("", "");
	assert_links("<html><body>ServiceTags_Public_ will come back</body></html>", "");
}

static void what_is_no_name_of_a_document_is_no_link(void **state)
{
	(void)state;
	assert_links("\"/ServiceTags_Public_2026010.json\"", "");
	assert_links("\"/ServiceTags_Public_202601051.json\"", "");
	assert_links("\"/ServiceTags_Public_20261305.json\"", "");
	assert_links("\"/ServiceTags_Public_20260105.xml\"", "");
	assert_links("\"/ServiceTags_Public_20260105.jsonl\"", "");
	assert_links("\"/MyServiceTags_Public_20260105.json\"", "");
}

static void links_of_other_clouds_are_passed_over(void **state)
{
	static const char page[] = "'/ServiceTags_AzureGovernment_20260105.json' "
				   "'/ServiceTags_China_20260105.json' '/" LINK "'";
	LINKS usgov = {};
	LINKS china = {};

	(void)state;
	assert_links(page, "/" LINK);
	assert_int_equal(kvg_links_find(page, KVG_CLOUD_USGOV, &usgov), 0);
	assert_int_equal(usgov.count, 1);
	assert_string_equal(usgov.items[0].file, "ServiceTags_AzureGovernment_20260105.json");
	assert_int_equal(kvg_links_find(page, KVG_CLOUD_CHINA, &china), 0);
	assert_int_equal(china.count, 1);
}

static void a_link_without_end_is_none(void **state)
{
	char page[4096];

	(void)state;
	memset(page, 'a', sizeof(page));
	snprintf(page + 3000, sizeof(page) - 3000, "/%s", LINK);
	assert_links(page, "");
}

static void a_page_full_of_links_is_searched_to_a_bound(void **state)
{
	char page[8192] = "";
	size_t used = 0;
	LINKS links = {};

	(void)state;
	for (unsigned int i = 0; i < KVG_LINKS_MAX * 2; i++)
		used += (size_t)snprintf(page + used, sizeof(page) - used,
					 "'/ServiceTags_Public_20%02u0105.json' ", 20 + i);
	assert_int_equal(kvg_links_find(page, KVG_CLOUD_PUBLIC, &links), 0);
	assert_int_equal(links.count, KVG_LINKS_MAX);
	for (size_t i = 1; i < links.count; i++)
		assert_true(links.items[i - 1].day > links.items[i].day);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_that_are_listed_the_newest_comes_first),
		cmocka_unit_test(a_file_that_is_listed_twice_is_one_link),
		cmocka_unit_test(links_are_found_however_they_are_quoted),
		cmocka_unit_test(a_path_without_a_host_is_a_link_too),
		cmocka_unit_test(a_page_without_links_has_none),
		cmocka_unit_test(what_is_no_name_of_a_document_is_no_link),
		cmocka_unit_test(links_of_other_clouds_are_passed_over),
		cmocka_unit_test(a_link_without_end_is_none),
		cmocka_unit_test(a_page_full_of_links_is_searched_to_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
