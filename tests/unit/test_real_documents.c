// SPDX-License-Identifier: BSD-2-Clause
/*
 * Documents that Microsoft published, and downloads that failed, from the folder KVGATE_TEST_DATA
 * (default ../shared/data). They are not part of this project: without them the tests skip.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "ranges/library.h"
#include "ranges/lists.h"

#define DOC  KVG_CLEANUP(kvg_document_freep) struct kvg_document *
#define TEXT KVG_CLEANUP(kvg_freep) char *

static const char *data_folder(void)
{
	const char *folder = getenv("KVGATE_TEST_DATA");

	return folder ? folder : "../shared/data";
}

/* Path of a test document; skips the test if there are none. */
static char *data_path(const char *name)
{
	char *path;

	if (access(data_folder(), R_OK) < 0) {
		print_message("SKIP: no published documents in \"%s\"\n", data_folder());
		skip();
	}
	assert_true(asprintf(&path, "%s/%s", data_folder(), name) > 0);
	return path;
}

static int read_document(const char *name, struct kvg_document **ret, struct kvg_diag *diag)
{
	TEXT path = data_path(name);
	TEXT data = NULL;
	size_t size;

	assert_int_equal(kvg_file_read(path, KVG_DOCUMENT_MAX_BYTES, &data, &size), 0);
	return kvg_document_parse(path, data, size, ret, diag);
}

static struct kvg_document *sound_document(const char *name)
{
	struct kvg_document *document = NULL;
	struct kvg_diag diag = {};

	if (read_document(name, &document, &diag) < 0)
		fail_msg("%s: %s", name, diag.msg);
	assert_int_equal(kvg_document_check(document), 0);
	return document;
}

static void assert_counts(const struct kvg_document *document, const char *name, unsigned int v4,
			  unsigned int v6)
{
	const struct kvg_group *group = kvg_document_find(document, name);
	unsigned int counts[2] = {};

	assert_non_null(group);
	for (size_t i = 0; i < group->count; i++)
		counts[group->prefixes[i].family == AF_INET6]++;
	assert_int_equal(counts[0], v4);
	assert_int_equal(counts[1], v6);
}

/* Counts of AzureKeyVault, AzureActiveDirectory and AzureResourceManager, IPv4 and IPv6 each. */
static const struct {
	const char *name;
	enum kvg_cloud cloud;
	unsigned int change_number;
	unsigned int tags;
	unsigned int counts[6];
	const char *digest;
} tags_files[] = {
	{"AzureGovernment_20260713",
	 KVG_CLOUD_USGOV,
	 401,
	 299,
	 {20, 26, 34, 3, 19, 15},
	 "bf5de28a"},
	{"AzureGovernment_20260720",
	 KVG_CLOUD_USGOV,
	 402,
	 299,
	 {20, 26, 34, 3, 19, 15},
	 "526a5007"},
	{"China_20260713", KVG_CLOUD_CHINA, 404, 327, {27, 17, 39, 5, 12, 16}, "aa76eee8"},
	{"China_20260720", KVG_CLOUD_CHINA, 405, 327, {27, 17, 39, 5, 12, 16}, "bd83fd5a"},
	{"Public_20240610", KVG_CLOUD_PUBLIC, 310, 2604, {449, 299, 128, 14, 203, 147}, "326fa395"},
	{"Public_20240617", KVG_CLOUD_PUBLIC, 311, 2604, {331, 299, 181, 14, 203, 147}, "b6b658b0"},
	{"Public_20251028", KVG_CLOUD_PUBLIC, 375, 3039, {335, 378, 200, 16, 214, 162}, "9cb4e5f9"},
	{"Public_cn376_2025-11",
	 KVG_CLOUD_PUBLIC,
	 376,
	 3041,
	 {335, 378, 200, 16, 214, 162},
	 "130224f9"},
};

static void service_tags_hold_what_was_counted_in_the_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(tags_files); i++) {
		const unsigned int *counts = tags_files[i].counts;
		char digest[KVG_DIGEST_HEX_LEN];
		char name[80];

		snprintf(name, sizeof(name), "service-tags/ServiceTags_%s.json",
			 tags_files[i].name);
		DOC document = sound_document(name);

		assert_int_equal(document->kind, KVG_DOCUMENT_KIND_SERVICE_TAGS);
		assert_int_equal(document->cloud, tags_files[i].cloud);
		assert_int_equal(document->change_number, tags_files[i].change_number);
		assert_int_equal(document->groups_count, tags_files[i].tags);
		assert_true(document->first_day > 0);
		assert_counts(document, "AzureKeyVault", counts[0], counts[1]);
		assert_counts(document, "AzureActiveDirectory", counts[2], counts[3]);
		assert_counts(document, "AzureResourceManager", counts[4], counts[5]);
		kvg_digest_format(document->digest, digest);
		assert_int_equal(strncmp(digest, tags_files[i].digest, 8), 0);
	}
}

static void published_service_tags_need_only_the_short_way(void **state)
{
	KVG_CLEANUP(kvg_lists_done) struct kvg_lists lists = {};
	TEXT path = data_path("service-tags/ServiceTags_Public_20251028.json");
	TEXT data = NULL;
	size_t size;

	(void)state;
	assert_int_equal(kvg_file_read(path, KVG_DOCUMENT_MAX_BYTES, &data, &size), 0);
	assert_int_equal(kvg_lists_take(&lists, data, size), 0);
	assert_int_equal(lists.lists_count, 3039);
	assert_int_equal(lists.prefixes_count, 93362);
	assert_true(lists.size < size / 3);
}

static void a_regions_spelling_differs_from_its_tags(void **state)
{
	DOC document = sound_document("service-tags/ServiceTags_Public_20251028.json");

	(void)state;
	assert_string_equal(kvg_document_find(document, "AzureKeyVault.FranceCentral")->region,
			    "centralfrance");
	assert_string_equal(kvg_document_find(document, "AzureKeyVault.WestEurope")->region,
			    "westeurope");
	assert_string_equal(kvg_document_find(document, "AzureKeyVault")->region, "");
}

/* Byte for byte another text that says the same, which only the plain way can read. */
static void the_plain_way_reads_the_same(void **state)
{
	static const char name[] = "service-tags/ServiceTags_Public_20251028.json";
	DOC by_short = sound_document(name);
	DOC by_plain = NULL;
	TEXT path = data_path(name);
	TEXT data = NULL;
	TEXT escaped = NULL;
	char *slash;
	size_t size;

	(void)state;
	assert_int_equal(kvg_file_read(path, KVG_DOCUMENT_MAX_BYTES, &data, &size), 0);
	slash = strchr(data, '/');
	assert_true(asprintf(&escaped, "%.*s\\%s", (int)(slash - data), data, slash) > 0);
	assert_int_equal(kvg_document_parse(name, escaped, size + 1, &by_plain, NULL), 0);

	assert_int_equal(by_short->groups_count, by_plain->groups_count);
	for (size_t i = 0; i < by_short->groups_count; i++) {
		const struct kvg_group *a = &by_short->groups[i];
		const struct kvg_group *b = &by_plain->groups[i];

		assert_string_equal(a->name, b->name);
		assert_string_equal(a->region, b->region);
		assert_int_equal(a->count, b->count);
		if (a->count)
			assert_memory_equal(a->prefixes, b->prefixes,
					    a->count * sizeof(*a->prefixes));
	}
}

static void the_retired_cloud_is_refused(void **state)
{
	struct kvg_document *untouched = NULL;
	struct kvg_diag diag = {};

	(void)state;
	assert_int_equal(read_document("service-tags/ServiceTags_AzureGermany_20220307.json",
				       &untouched, &diag),
			 -EOPNOTSUPP);
	assert_null(untouched);
	assert_string_equal(diag.msg, "cloud \"AzureGermany\" was retired in March 2025");
}

static void m365_sets_are_known_by_instance(void **state)
{
	static const struct {
		const char *name;
		enum kvg_cloud cloud;
		unsigned int day;
		unsigned int sets;
		const char *identity;
		unsigned int counts[2];
	} files[] = {
		{"endpoints_worldwide_2025-08-03.json",
		 KVG_CLOUD_PUBLIC,
		 20250803,
		 64,
		 "56",
		 {4, 12}},
		{"endpoints_worldwide_2026-05-31.json",
		 KVG_CLOUD_PUBLIC,
		 20260531,
		 63,
		 "56",
		 {4, 12}},
		{"USGovDoD_2023073100_identity_sets_TRANSCRIBED.json",
		 KVG_CLOUD_USGOV,
		 20230731,
		 3,
		 "13",
		 {2, 1}},
		{"USGovGCCHigh_2023073100_identity_sets_TRANSCRIBED.json",
		 KVG_CLOUD_USGOV,
		 20230731,
		 3,
		 "13",
		 {2, 1}},
		{"China_2023062900_identity_sets_TRANSCRIBED.json",
		 KVG_CLOUD_CHINA,
		 20230629,
		 5,
		 "17",
		 {17, 1}},
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(files); i++) {
		char name[80];

		snprintf(name, sizeof(name), "m365/%s", files[i].name);
		DOC document = sound_document(name);

		assert_int_equal(document->kind, KVG_DOCUMENT_KIND_M365);
		assert_int_equal(document->cloud, files[i].cloud);
		assert_int_equal(document->first_day, files[i].day);
		assert_int_equal(document->groups_count, files[i].sets);
		assert_counts(document, files[i].identity, files[i].counts[0], files[i].counts[1]);
	}
}

static void failed_downloads_are_called_so(void **state)
{
	static const struct {
		const char *name;
		const char *message;
	} files[] = {
		{"femueller_43b7097b.json", "HTML, not JSON: a failed download"},
		{"femueller_7a5bda99.json", "HTML, not JSON: a failed download"},
		{"femueller_9882a278.json", "the file is empty"},
		{"femueller_d4ae13f0.json", "HTML, not JSON: a failed download"},
		{"netravnen_m365_2ebfab4.json", "HTML, not JSON: a failed download"},
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(files); i++) {
		struct kvg_document *untouched = NULL;
		struct kvg_diag diag = {};
		char name[80];

		snprintf(name, sizeof(name), "bad-fetches/%s", files[i].name);
		assert_int_equal(read_document(name, &untouched, &diag), -ENOMSG);
		assert_null(untouched);
		assert_string_equal(diag.msg, files[i].message);
	}
}

static void a_real_document_cut_anywhere_is_refused(void **state)
{
	TEXT path = data_path("service-tags/ServiceTags_China_20260720.json");
	TEXT data = NULL;
	size_t size;

	(void)state;
	assert_int_equal(kvg_file_read(path, KVG_DOCUMENT_MAX_BYTES, &data, &size), 0);
	for (size_t cut = 100; cut < size; cut += 9973) {
		struct kvg_document *untouched = NULL;
		struct kvg_diag diag = {};

		assert_int_equal(kvg_document_parse(path, data, cut, &untouched, &diag), -EINVAL);
		assert_null(untouched);
		assert_int_equal(strncmp(diag.msg, "broken JSON: ", 13), 0);
		assert_true(diag.line > 0);
	}
}

static void the_newest_of_each_cloud_is_found_in_the_folder(void **state)
{
	static const char *const newest[] = {
		[KVG_CLOUD_PUBLIC] = "ServiceTags_Public_cn376_2025-11.json",
		[KVG_CLOUD_USGOV] = "ServiceTags_AzureGovernment_20260720.json",
		[KVG_CLOUD_CHINA] = "ServiceTags_China_20260720.json",
	};
	KVG_CLEANUP(kvg_library_done) struct kvg_library library = {};
	TEXT folder = data_path("service-tags");
	TEXT culprit = NULL;
	struct kvg_diag diag;

	(void)state;
	if (kvg_library_add(&library, folder, &culprit, &diag) < 0)
		fail_msg("%s: %s", culprit, diag.msg);

	for (size_t i = 0; i < KVG_ARRAY_SIZE(newest); i++)
		assert_string_equal(library.documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][i]->file,
				    newest[i]);
	assert_int_equal(library.notes_count, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_tags_hold_what_was_counted_in_the_files),
		cmocka_unit_test(published_service_tags_need_only_the_short_way),
		cmocka_unit_test(a_regions_spelling_differs_from_its_tags),
		cmocka_unit_test(the_plain_way_reads_the_same),
		cmocka_unit_test(the_retired_cloud_is_refused),
		cmocka_unit_test(m365_sets_are_known_by_instance),
		cmocka_unit_test(failed_downloads_are_called_so),
		cmocka_unit_test(a_real_document_cut_anywhere_is_refused),
		cmocka_unit_test(the_newest_of_each_cloud_is_found_in_the_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
