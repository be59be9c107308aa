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
#include "random.h"

#define DOC    KVG_CLEANUP(kvg_document_freep) struct kvg_document *
#define TEXT   KVG_CLEANUP(kvg_freep) char *
#define NET4   "\"192.0.2.0/24\""
#define SAMPLE TAGS(TAG("AzureKeyVault", "", NET4 ",\"2001:db8::/32\"") "," TAG("B", "b", ""))

static void assert_same_groups(const struct kvg_document *a, const struct kvg_document *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->cloud, b->cloud);
	assert_int_equal(a->change_number, b->change_number);
	assert_int_equal(a->groups_count, b->groups_count);
	for (size_t i = 0; i < a->groups_count; i++) {
		assert_string_equal(a->groups[i].name, b->groups[i].name);
		assert_string_equal(a->groups[i].region, b->groups[i].region);
		assert_int_equal(a->groups[i].count, b->groups[i].count);
		if (a->groups[i].count)
			assert_memory_equal(a->groups[i].prefixes, b->groups[i].prefixes,
					    a->groups[i].count * sizeof(struct kvg_prefix));
	}
}

/* --- what is no document -------------------------------------------------------------------- */

static void failed_downloads_are_called_so(void **state)
{
	(void)state;
	assert_refused("", -ENOMSG, "the file is empty");
	assert_refused(" \r\n\t", -ENOMSG, "the file is empty");
	assert_refused("\xef\xbb\xbf", -ENOMSG, "the file is empty");
	assert_refused("<!DOCTYPE html><html></html>", -ENOMSG,
		       "HTML, not JSON: a failed download");
	assert_refused("\n <HTML><HEAD>", -ENOMSG, "HTML, not JSON: a failed download");
}

static void other_json_is_no_document(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"[[]]",
		"[{}]",
		"{\"values\":[]}",
		"{\"cloud\":\"Public\"}",
		"{\"name\":\"package\",\"version\":\"1.0\"}",
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(texts); i++)
		assert_refused(texts[i], -ENOMSG,
			       "JSON, but neither service tags nor Microsoft 365 endpoints");
}

static int parse_error(const char *text, size_t size, struct kvg_diag *diag)
{
	struct kvg_document *untouched = NULL;
	int r;

	*diag = (struct kvg_diag){};
	r = kvg_document_parse("test.json", text, size, &untouched, diag);
	assert_null(untouched);
	assert_true(r < 0);
	assert_true(strlen(diag->msg) > 0);
	return r;
}

static void text_that_is_no_json_is_no_document(void **state)
{
	struct kvg_diag diag;

	(void)state;
	assert_int_equal(parse_error("# README", 8, &diag), -ENOMSG);
	assert_int_equal(parse_error("\x1f\x8b\x08\0\0\0", 6, &diag), -ENOMSG);
	assert_int_equal(parse_error("{\"a\":", 5, &diag), -ENOMSG);
	assert_int_equal(parse_error("7", 1, &diag), -ENOMSG);
}

/* --- what is a document, but broken --------------------------------------------------------- */

static void a_syntax_error_has_line_and_column(void **state)
{
	static const char text[] = "{\n  \"changeNumber\": 1,\n  \"cloud\": \"Public\" 7\n}";
	struct kvg_diag diag;

	(void)state;
	assert_int_equal(parse_error(text, strlen(text), &diag), -EINVAL);
	assert_string_equal(diag.msg, "broken JSON: '}' expected near '7'");
	assert_int_equal(diag.line, 3);
	assert_in_range(diag.column, 20, 22);
}

static void a_text_that_ends_too_soon_is_never_read(void **state)
{
	struct kvg_diag diag;

	(void)state;
	for (size_t size = 0; size < strlen(SAMPLE); size++) {
		int r = parse_error(SAMPLE, size, &diag);

		/* From here on the text says what it was to be. */
		if (size >= strlen("{\"changeNumber\""))
			assert_int_equal(r, -EINVAL);
		else
			assert_int_equal(r, -ENOMSG);
	}
}

static void what_follows_the_document_is_refused(void **state)
{
	DOC document = parsed(SAMPLE " \r\n\t");
	struct kvg_diag diag;

	(void)state;
	assert_non_null(document);
	assert_int_equal(parse_error(SAMPLE "{}", strlen(SAMPLE) + 2, &diag), -EINVAL);
	assert_int_equal(parse_error(SAMPLE "\0", strlen(SAMPLE) + 1, &diag), -EINVAL);
}

static void a_key_that_appears_twice_is_refused(void **state)
{
	static const char *const texts[] = {
		"{\"changeNumber\":1,\"cloud\":\"Public\",\"values\":[],\"values\":[]}",
		"{\"changeNumber\":1,\"cloud\":\"Public\",\"cloud\":\"China\",\"values\":[]}",
		TAGS("{\"name\":\"A\",\"id\":\"A\",\"id\":\"A\",\"properties\":{}}"),
		TAGS("{\"name\":\"A\",\"id\":\"A\",\"properties\":{\"region\":\"\","
		     "\"addressPrefixes\":[],\"addressPrefixes\":[" NET4 "]}}"),
		TAGS("{\"name\":\"A\",\"id\":\"A\",\"properties\":{\"region\":\"\","
		     "\"addressPrefixes\":[],\"address\\u0050refixes\":[" NET4 "]}}"),
	};
	struct kvg_diag diag;

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse_error(texts[i], strlen(texts[i]), &diag), -EINVAL);
		assert_non_null(strstr(diag.msg, "duplicate object key"));
	}
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	static const char nul[] = "{\"changeNumber\":1,\n\"cloud\":\"Pub\0lic\",\"values\":[]}";
	static const char *const texts[] = {
		TAGS_OF("Public", TAG("A\xff", "", "")),
		TAGS_OF("Public", TAG("A", "\xc3", NET4)),
		TAGS_OF("Public", TAG("A", "\xed\xa0\x80", NET4)),
		TAGS_OF("Public", TAG("A", "\\ud800", NET4)),
		TAGS_OF("Public", TAG("A", "\\u0000", NET4)),
		TAGS_OF("Public", TAG("A", "a\nb", NET4)),
	};
	struct kvg_diag diag;

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse_error(texts[i], strlen(texts[i]), &diag), -EINVAL);
		assert_int_equal(strncmp(diag.msg, "broken JSON: ", 13), 0);
	}

	assert_int_equal(parse_error(nul, sizeof(nul) - 1, &diag), -EINVAL);
	assert_string_equal(diag.msg, "a NUL byte");
	assert_int_equal(diag.line, 2);
	assert_int_equal(diag.column, 13);
}

static void utf_16_is_refused(void **state)
{
	static const char text[] = "\xff\xfe{\0\"\0c\0l\0o\0u\0d\0\"\0:\0";
	struct kvg_diag diag;

	(void)state;
	assert_int_equal(parse_error(text, sizeof(text) - 1, &diag), -ENOMSG);
	assert_string_equal(diag.msg, "a NUL byte");
}

static void a_nul_byte_is_refused_wherever_it_stands(void **state)
{
	static const char sample[] = SAMPLE;
	size_t size = sizeof(sample) - 1;

	(void)state;
	for (size_t at = 0; at <= size; at++) {
		char text[sizeof(sample)];
		struct kvg_diag diag;

		memcpy(text, sample, at);
		text[at] = '\0';
		memcpy(text + at + 1, sample + at, size - at);
		parse_error(text, sizeof(text), &diag);
		assert_string_equal(diag.msg, "a NUL byte");
	}
}

static void a_byte_order_mark_is_passed_over_once(void **state)
{
	DOC plain = parsed(SAMPLE);
	DOC marked = parsed("\xef\xbb\xbf" SAMPLE);
	struct kvg_diag diag;

	(void)state;
	assert_same_groups(plain, marked);
	assert_memory_not_equal(plain->digest, marked->digest, sizeof(plain->digest));
	assert_int_equal(parse_error("\xef\xbb\xbf\xef\xbb\xbf" SAMPLE, strlen(SAMPLE) + 6, &diag),
			 -EINVAL);
}

/* --- bounds --------------------------------------------------------------------------------- */

static void a_text_is_refused_by_its_size_before_it_is_looked_at(void **state)
{
	struct kvg_document *untouched = NULL;
	struct kvg_diag diag = {};

	(void)state;
	assert_int_equal(kvg_document_parse("a", "", KVG_DOCUMENT_MAX_BYTES + 1, &untouched, &diag),
			 -EFBIG);
	assert_null(untouched);
	assert_string_equal(diag.msg, "larger than 64 MiB");
}

/* A document with @depth lists in one another under a key that nobody needs. */
static char *nested(unsigned int depth)
{
	char *text = calloc(1, 2 * depth + 100);
	char *end = text;

	assert_non_null(text);
	end = stpcpy(end, "{\"changeNumber\":1,\"cloud\":\"Public\",\"values\":[],\"later\":");
	memset(end, '[', depth);
	memset(end + depth, ']', depth);
	strcpy(end + 2 * (size_t)depth, "}");
	return text;
}

static void nesting_is_bounded(void **state)
{
	TEXT allowed = nested(31);
	TEXT refused = nested(32);
	TEXT hostile = nested(1000000);
	DOC document = parsed(allowed);

	(void)state;
	assert_non_null(document);
	assert_refused(refused, -EFBIG, "nested deeper than any range document");
	assert_refused(hostile, -EFBIG, "nested deeper than any range document");
}

static void brackets_in_strings_do_not_nest(void **state)
{
	DOC document = parsed(TAGS(
		TAG("A", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[", NET4)));

	(void)state;
	assert_int_equal(document->groups_count, 1);
}

static void the_number_of_values_is_bounded(void **state)
{
	size_t size = 2 * 2000001;
	TEXT text = malloc(size + 1);
	struct kvg_diag diag;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < size; i += 2)
		memcpy(text + i, "0,", 3);
	text[0] = '[';
	assert_int_equal(parse_error(text, size, &diag), -EFBIG);
	assert_string_equal(diag.msg, "more values than any range document");
}

/* --- what must not matter ------------------------------------------------------------------- */

static void line_ends_and_white_space_do_not_matter(void **state)
{
	static const char lf[] =
		"{\n \"changeNumber\": 1,\n \"cloud\": \"Public\",\n \"values\": [\n"
		"{\"name\": \"A\", \"id\": \"A\", \"properties\": {\"region\": \"\","
		"\n\"addressPrefixes\": [\n\t" NET4 ",\n \"2001:db8::/32\"\n]\n}}]}";
	char crlf[2 * sizeof(lf)] = "";
	char bare[sizeof(lf)] = "";
	char *crlf_end = crlf;
	char *bare_end = bare;

	(void)state;
	for (size_t i = 0; i < sizeof(lf) - 1; i++) {
		if (lf[i] == '\n')
			*crlf_end++ = '\r';
		*crlf_end++ = lf[i];
		if (!strchr(" \n\t", lf[i]))
			*bare_end++ = lf[i];
	}

	DOC of_lf = parsed(lf);
	DOC of_crlf = parsed(crlf);
	DOC of_bare = parsed(bare);

	assert_int_equal(of_lf->groups[0].count, 2);
	assert_same_groups(of_lf, of_crlf);
	assert_same_groups(of_lf, of_bare);
	assert_memory_not_equal(of_lf->digest, of_crlf->digest, sizeof(of_lf->digest));
}

static void escapes_do_not_matter(void **state)
{
	DOC plain = parsed(SAMPLE);
	DOC escaped =
		parsed(TAGS(TAG("Azure\\u004beyVault", "",
				"\"192.0.2.0\\/24\",\"2001:db8::/32\"") "," TAG("B", "b", "")));

	(void)state;
	assert_same_groups(plain, escaped);
}

/* --- the short way against the plain way ---------------------------------------------------- */

static void append(char *text, const char *more)
{
	strcat(text, more);
}

static void append_space(char *text)
{
	static const char *const spaces[] = {"", "", "", " ", "\n   ", "\r\n\t"};

	append(text, spaces[random_below(KVG_ARRAY_SIZE(spaces))]);
}

static void append_prefix(char *text)
{
	char prefix[64];

	if (random_below(2))
		snprintf(prefix, sizeof(prefix), "\"192.0.%u.%u/%u\"", random_below(4),
			 random_below(2) * 128, 24 + random_below(3));
	else
		snprintf(prefix, sizeof(prefix), "\"2001:db8:%x::/%u\"", random_below(16),
			 44 + random_below(8));
	append(text, prefix);
}

static void append_list(char *text)
{
	append_space(text);
	append(text, "[");
	for (unsigned int n = random_below(6); n > 0; n--) {
		append_space(text);
		append_prefix(text);
		append_space(text);
		if (n > 1)
			append(text, ",");
	}
	append(text, "]");
	append_space(text);
}

static void append_tag(char *text, unsigned int number)
{
	char name[96];

	snprintf(name, sizeof(name), "{\"name\":\"T%u\",\"id\":\"T%u\",\"properties\":{", number,
		 number);
	append(text, name);
	if (random_below(8) == 0)
		append(text, "\"old\":{\"addressPrefixes\":[\"198.51.100.0/24\"]},");
	append(text, "\"region\":\"\",\"addressPrefixes\"");
	append_space(text);
	append(text, ":");
	append_list(text);
	append(text, "}}");
}

static void make_random_document(char *text)
{
	strcpy(text, "{\"changeNumber\":1,\"cloud\":\"Public\",\"values\":[");
	for (unsigned int n = random_below(5); n > 0; n--) {
		append_tag(text, n);
		if (n > 1)
			append(text, ",");
	}
	append(text, "]}");
}

static void damage(char *text)
{
	static const char alphabet[] = "\"[]{}:,0 /a\n";
	size_t at = random_below((uint32_t)strlen(text));
	char c = alphabet[random_below(sizeof(alphabet) - 1)];

	if (random_below(3))
		text[at] = c;
	else
		memmove(text + at, text + at + 1, strlen(text + at));
}

/* The same text with one "/" spelled as an escape, which sends it the plain way. */
static bool spell_otherwise(const char *text, char *ret)
{
	const char *slash = strchr(text, '/');

	if (!slash)
		return false;

	sprintf(ret, "%.*s\\%s", (int)(slash - text), text, slash);
	return true;
}

static void the_short_way_and_the_plain_way_read_the_same(void **state)
{
	unsigned int sound = 0;
	unsigned int broken = 0;

	(void)state;
	random_seed();
	for (int i = 0; i < 20000; i++) {
		DOC by_short = NULL;
		DOC by_plain = NULL;
		char text[4096];
		char other[4100];
		int r;

		make_random_document(text);
		for (unsigned int n = random_below(3); n > 0; n--)
			damage(text);
		if (!spell_otherwise(text, other))
			continue;

		r = parse(text, &by_short, NULL);
		if (parse(other, &by_plain, NULL) != r)
			fail_msg("error %d, but otherwise without it: %s", r, text);
		if (r == 0) {
			assert_int_equal(kvg_document_check(by_short), 0);
			assert_same_groups(by_short, by_plain);
		}
		sound += r == 0;
		broken += r < 0;
	}
	assert_true(sound > 1000);
	assert_true(broken > 1000);
}

/* --- dates and words ------------------------------------------------------------------------ */

static void the_name_says_the_date_in_every_known_form(void **state)
{
	static const struct {
		const char *file;
		unsigned int first, last;
	} names[] = {
		{"ServiceTags_Public_20251028.json", 20251028, 20251028},
		{"a/20250101/ServiceTags_Public_20251028.json", 20251028, 20251028},
		{"ServiceTags_Public_cn376_2025-11.json", 20251101, 20251130},
		{"endpoints_worldwide_2026-05-31.json", 20260531, 20260531},
		{"USGovDoD_2023073100_sets.json", 20230731, 20230731},
		{"2024-02.json", 20240201, 20240229},
		{"2023-02.json", 20230201, 20230228},
		{"2025-12-31T235959.json", 20251231, 20251231},
		{"20251231235959.json", 20251231, 20251231},
		{"tags_20251028_got_20251101.json", 20251028, 20251101},
		{"ServiceTags_Public.json", 0, 0},
		{"20251328.json", 0, 0},
		{"20250230.json", 0, 0},
		{"2025-13.json", 0, 0},
		{"19991231.json", 0, 0},
		{"202510281.json", 0, 0},
		{"2025102.json", 0, 0},
		{"2025-11-31.json", 20251101, 20251130},
		{"-", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(names); i++) {
		DOC document = NULL;

		assert_int_equal(
			kvg_document_parse(names[i].file, SAMPLE, strlen(SAMPLE), &document, NULL),
			0);
		if (document->first_day != names[i].first || document->last_day != names[i].last)
			fail_msg("%s: %u to %u", names[i].file, document->first_day,
				 document->last_day);
	}
}

static void words_and_clouds_map_both_ways(void **state)
{
	enum kvg_cloud cloud;

	(void)state;
	for (int i = 0; i < KVG_CLOUD_COUNT; i++) {
		assert_int_equal(kvg_cloud_parse(kvg_cloud_word(i), &cloud), 0);
		assert_int_equal(cloud, i);
	}
	assert_int_equal(kvg_cloud_parse("Public", &cloud), -EINVAL);
	assert_string_equal(kvg_cloud_tags_name(KVG_CLOUD_USGOV), "AzureGovernment");
	assert_string_equal(kvg_document_kind_word(KVG_DOCUMENT_KIND_M365), "m365-endpoints");
}

static void the_check_sees_each_broken_promise(void **state)
{
	DOC document = parsed(TAGS(TAG("A", "", NET4 ",\"198.51.100.0/24\"") "," TAG("B", "", "")));
	struct kvg_prefix *prefix = document->groups[0].prefixes;

	(void)state;
	assert_int_equal(kvg_document_check(document), 0);

	prefix[0].addr[3] = 1;
	assert_int_equal(kvg_document_check(document), -EINVAL);
	prefix[0].addr[3] = 0;

	prefix[0].addr[0] = 203;
	assert_int_equal(kvg_document_check(document), -EINVAL);
	prefix[0].addr[0] = 192;

	prefix[1] = prefix[0];
	assert_int_equal(kvg_document_check(document), -EINVAL);
	document->groups[0].count = 1;
	assert_int_equal(kvg_document_check(document), 0);

	document->groups[1].name[0] = 'A';
	assert_int_equal(kvg_document_check(document), -EINVAL);
	document->groups[1].name[0] = 'B';

	document->cloud = KVG_CLOUD_GERMANY;
	assert_int_equal(kvg_document_check(document), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failed_downloads_are_called_so),
		cmocka_unit_test(other_json_is_no_document),
		cmocka_unit_test(text_that_is_no_json_is_no_document),
		cmocka_unit_test(a_syntax_error_has_line_and_column),
		cmocka_unit_test(a_text_that_ends_too_soon_is_never_read),
		cmocka_unit_test(what_follows_the_document_is_refused),
		cmocka_unit_test(a_key_that_appears_twice_is_refused),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(utf_16_is_refused),
		cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
		cmocka_unit_test(a_byte_order_mark_is_passed_over_once),
		cmocka_unit_test(a_text_is_refused_by_its_size_before_it_is_looked_at),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(brackets_in_strings_do_not_nest),
		cmocka_unit_test(the_number_of_values_is_bounded),
		cmocka_unit_test(line_ends_and_white_space_do_not_matter),
		cmocka_unit_test(escapes_do_not_matter),
		cmocka_unit_test(the_short_way_and_the_plain_way_read_the_same),
		cmocka_unit_test(the_name_says_the_date_in_every_known_form),
		cmocka_unit_test(words_and_clouds_map_both_ways),
		cmocka_unit_test(the_check_sees_each_broken_promise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
