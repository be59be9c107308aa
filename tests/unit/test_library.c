// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "folder.h"
#include "parse.h"
#include "ranges/library.h"

#define TEXT    KVG_CLEANUP(kvg_freep) char *
#define LIBRARY KVG_CLEANUP(kvg_library_done) struct kvg_library
#define DOC(n)  "{\"changeNumber\":" n ",\"cloud\":\"Public\",\"values\":[]}"
#define M365    "[" SIGN_IN_SET "]"

static void put(void **state, const char *name, const char *text)
{
	TEXT path = folder_write(state, name, text);

	assert_non_null(path);
}

static void add(struct kvg_library *library, const char *path)
{
	struct kvg_diag diag = {};
	TEXT culprit = NULL;

	if (kvg_library_add(library, path, &culprit, &diag) < 0)
		fail_msg("%s: %s", culprit, diag.msg);
	assert_null(culprit);
}

static void assert_fault(struct kvg_library *library, const char *path, int error,
			 const char *culprit_name, const char *message)
{
	struct kvg_diag diag = {};
	TEXT culprit = NULL;
	const char *slash;

	assert_int_equal(kvg_library_add(library, path, &culprit, &diag), error);
	assert_non_null(culprit);
	slash = strrchr(culprit, '/');
	assert_string_equal(slash ? slash + 1 : culprit, culprit_name);
	assert_string_equal(diag.msg, message);
}

static void assert_noted(const struct kvg_library *library, const char *name, const char *why)
{
	for (size_t i = 0; i < library->notes_count; i++) {
		if (strstr(library->notes[i], name) && strstr(library->notes[i], why))
			return;
	}
	fail_msg("no note that \"%s\" is passed over: %s", name, why);
}

static const struct kvg_document *tags(const struct kvg_library *library, enum kvg_cloud cloud)
{
	return library->documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][cloud];
}

static void assert_tags(const struct kvg_library *library, const char *file)
{
	const struct kvg_document *document = tags(library, KVG_CLOUD_PUBLIC);

	assert_non_null(document);
	assert_string_equal(document->file, file);
}

/* --- files ---------------------------------------------------------------------------------- */

static void a_named_file_is_read_whatever_its_name(void **state)
{
	TEXT path = folder_write(state, "what.txt", DOC("1"));
	LIBRARY library = {};

	add(&library, path);
	assert_tags(&library, "what.txt");
	assert_string_equal(library.paths[KVG_DOCUMENT_KIND_SERVICE_TAGS][KVG_CLOUD_PUBLIC], path);
	assert_int_equal(library.notes_count, 0);
}

static void a_named_file_must_be_a_document(void **state)
{
	TEXT html = folder_write(state, "page.json", "<html>");
	TEXT germany = folder_write(state, "germany.json", TAGS_OF("AzureGermany", ""));
	TEXT broken = folder_write(state, "broken.json", "{\"changeNumber\":1,");
	TEXT missing = folder_path(state, "missing.json");
	LIBRARY library = {};

	assert_fault(&library, html, -ENOMSG, "page.json", "HTML, not JSON: a failed download");
	assert_fault(&library, germany, -EOPNOTSUPP, "germany.json",
		     "cloud \"AzureGermany\" was retired in March 2025");
	assert_fault(&library, broken, -EINVAL, "broken.json",
		     "broken JSON: string or '}' expected near end of file");
	assert_fault(&library, missing, -ENOENT, "missing.json", "No such file or directory");
}

static void a_fault_may_be_of_no_interest(void **state)
{
	TEXT missing = folder_path(state, "missing.json");
	LIBRARY library = {};

	assert_int_equal(kvg_library_add(&library, missing, NULL, NULL), -ENOENT);
}

static void of_two_named_files_the_later_wins_in_either_order(void **state)
{
	TEXT older = folder_write(state, "tags_20251020.json", DOC("1"));
	TEXT newer = folder_write(state, "tags_20251028.json", DOC("2"));
	LIBRARY first = {};
	LIBRARY second = {};

	add(&first, older);
	add(&first, newer);
	assert_tags(&first, "tags_20251028.json");
	assert_noted(&first, "tags_20251020.json", "older than");

	add(&second, newer);
	add(&second, older);
	assert_tags(&second, "tags_20251028.json");
	assert_noted(&second, "tags_20251020.json", "older than");
}

static void kinds_and_clouds_stand_side_by_side(void **state)
{
	LIBRARY library = {};

	put(state, "a_20251028.json", TAGS_OF("Public", ""));
	put(state, "b_20251028.json", TAGS_OF("AzureGovernment", ""));
	put(state, "c_20251028.json", TAGS_OF("China", ""));
	put(state, "d_20251028.json", M365);
	add(&library, *state);
	assert_string_equal(tags(&library, KVG_CLOUD_PUBLIC)->file, "a_20251028.json");
	assert_string_equal(tags(&library, KVG_CLOUD_USGOV)->file, "b_20251028.json");
	assert_string_equal(tags(&library, KVG_CLOUD_CHINA)->file, "c_20251028.json");
	assert_non_null(library.documents[KVG_DOCUMENT_KIND_M365][KVG_CLOUD_PUBLIC]);
	assert_null(library.documents[KVG_DOCUMENT_KIND_M365][KVG_CLOUD_CHINA]);
}

/* --- order ---------------------------------------------------------------------------------- */

static void the_change_number_is_no_order(void **state)
{
	LIBRARY library = {};

	put(state, "tags_20200824.json", DOC("105"));
	put(state, "tags_20200827.json", DOC("97"));
	add(&library, *state);
	assert_tags(&library, "tags_20200827.json");
}

static void a_month_is_ordered_against_the_days_outside_it(void **state)
{
	LIBRARY library = {};

	put(state, "tags_20251031.json", DOC("1"));
	put(state, "tags_2025-11.json", DOC("2"));
	add(&library, *state);
	assert_tags(&library, "tags_2025-11.json");
}

static void what_dates_cannot_order_is_an_error(void **state)
{
	static const char *const pairs[][2] = {
		{"a_2025-11.json", "b_20251115.json"},
		{"a_20251115.json", "b_20251115.json"},
		{"a.json", "b_20251115.json"},
		{"a_20251115.json", "b.json"},
		{"a.json", "b.json"},
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(pairs); i++) {
		LIBRARY library = {};
		char message[160];
		void *folder;

		assert_int_equal(folder_make(&folder), 0);
		put(&folder, pairs[i][0], DOC("1"));
		put(&folder, pairs[i][1], DOC("2"));
		snprintf(message, sizeof(message),
			 "this and \"%s\" are both service-tags of public, and no dates in their "
			 "names say which is newer",
			 pairs[i][0]);
		assert_fault(&library, folder, -EEXIST, pairs[i][1], message);
		assert_int_equal(folder_remove(&folder), 0);
	}
}

static void a_newer_third_settles_what_two_could_not(void **state)
{
	LIBRARY library = {};

	put(state, "a_2025-11.json", DOC("1"));
	put(state, "b_20251115.json", DOC("2"));
	put(state, "c_20251201.json", DOC("3"));
	add(&library, *state);
	assert_tags(&library, "c_20251201.json");
	assert_int_equal(library.notes_count, 2);
}

static void equal_bytes_are_no_conflict(void **state)
{
	LIBRARY library = {};

	put(state, "a.json", DOC("1"));
	put(state, "b.json", DOC("1"));
	add(&library, *state);
	assert_tags(&library, "a.json");
	assert_noted(&library, "b.json", "the same bytes as");
}

/* --- folders -------------------------------------------------------------------------------- */

static void other_files_of_a_folder_are_passed_over_with_a_note(void **state)
{
	TEXT below = folder_path(state, "below");
	TEXT fifo = folder_path(state, "fifo");
	LIBRARY library = {};

	put(state, "tags_20251028.json", DOC("1"));
	put(state, "README.md", "# read me");
	put(state, "page.json", "<html>");
	put(state, "empty.json", "");
	put(state, "other.json", "{\"a\":[1]}");
	put(state, "germany.json", TAGS_OF("AzureGermany", ""));
	put(state, "spaced.json", " " TAGS_OF("AzureGermany", " "));
	put(state, ".tags.json.x1y2z3", "{\"changeNumber\":");
	assert_int_equal(mkdir(below, 0755), 0);
	put(state, "below/tags_20260101.json", DOC("2"));
	assert_int_equal(mkfifo(fifo, 0644), 0);

	add(&library, *state);
	assert_tags(&library, "tags_20251028.json");
	assert_int_equal(library.notes_count, 9);
	assert_noted(&library, "README.md", "broken JSON");
	assert_noted(&library, "page.json", "HTML, not JSON");
	assert_noted(&library, "empty.json", "the file is empty");
	assert_noted(&library, "other.json", "neither service tags nor");
	assert_noted(&library, "germany.json", "retired");
	assert_noted(&library, "spaced.json", "retired");
	assert_noted(&library, ".tags.json.x1y2z3", "hidden");
	assert_noted(&library, "below", "a folder in a folder");
	assert_noted(&library, "fifo", "not a regular file");
}

static void an_empty_folder_holds_nothing(void **state)
{
	LIBRARY library = {};

	add(&library, *state);
	assert_null(tags(&library, KVG_CLOUD_PUBLIC));
}

static void a_broken_newest_is_never_replaced_by_an_older_one(void **state)
{
	static const char *const broken[] = {
		DOC("2") "}",
		"{\"changeNumber\":2,\"cloud\":\"Public\",\"values\":[{\"name\":",
		"{\"values\":[],\"cloud\":\"Public\"}",
		TAGS(TAG("A", "", "\"192.0.2.1/24\"")),
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(broken); i++) {
		LIBRARY library = {};
		TEXT culprit = NULL;
		void *folder;

		assert_int_equal(folder_make(&folder), 0);
		put(&folder, "tags_20251020.json", DOC("1"));
		put(&folder, "tags_20251028.json", broken[i]);
		assert_int_equal(kvg_library_add(&library, folder, &culprit, NULL), -EINVAL);
		assert_non_null(strstr(culprit, "tags_20251028.json"));
		assert_int_equal(folder_remove(&folder), 0);
	}
}

static void an_older_one_is_not_read_whole(void **state)
{
	LIBRARY library = {};

	put(state, "tags_20251020.json", DOC("1") "}");
	put(state, "tags_20251028.json", DOC("2"));
	add(&library, *state);
	assert_tags(&library, "tags_20251028.json");
	assert_noted(&library, "tags_20251020.json", "older than");
}

static void documents_that_begin_otherwise_are_found_too(void **state)
{
	LIBRARY library = {};

	put(state, "tags_20251020.json", DOC("1"));
	put(state, "tags_20251028.json",
	    "\xef\xbb\xbf{\"values\":[],\"cloud\":\"Public\",\"changeNumber\":2}");
	add(&library, *state);
	assert_tags(&library, "tags_20251028.json");
}

static void links_to_files_are_followed_and_dangling_ones_are_an_error(void **state)
{
	TEXT link = folder_path(state, "link_20251028.json");
	TEXT dangling = folder_path(state, "dangling");
	TEXT target = NULL;
	LIBRARY library = {};
	void *elsewhere;

	assert_int_equal(folder_make(&elsewhere), 0);
	target = folder_write(&elsewhere, "target", DOC("1"));
	assert_int_equal(symlink(target, link), 0);
	add(&library, *state);
	assert_tags(&library, "link_20251028.json");

	assert_int_equal(symlink("/nowhere/at/all", dangling), 0);
	assert_fault(&library, *state, -ENOENT, "dangling", "No such file or directory");
	assert_int_equal(folder_remove(&elsewhere), 0);
}

static void a_file_that_may_not_be_read_is_an_error(void **state)
{
	TEXT path = folder_write(state, "tags.json", DOC("1"));
	LIBRARY library = {};
	TEXT culprit = NULL;
	uid_t uid = geteuid();
	struct kvg_diag diag;
	int r;

	assert_int_equal(chmod(*state, 0755), 0);
	assert_int_equal(chmod(path, 0), 0);
	if (uid == 0)
		assert_int_equal(seteuid(65534), 0);
	r = kvg_library_add(&library, *state, &culprit, &diag);
	if (uid == 0)
		assert_int_equal(seteuid(0), 0);

	assert_int_equal(r, -EACCES);
	assert_string_equal(culprit, path);
	assert_string_equal(diag.msg, "Permission denied");
}

static void a_note_stays_one_line(void **state)
{
	LIBRARY library = {};

	put(state, "two\nlines", "no document");
	add(&library, *state);
	assert_int_equal(library.notes_count, 1);
	assert_null(strchr(library.notes[0], '\n'));
}

#define test(function) cmocka_unit_test_setup_teardown(function, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_named_file_is_read_whatever_its_name),
		test(a_named_file_must_be_a_document),
		test(a_fault_may_be_of_no_interest),
		test(of_two_named_files_the_later_wins_in_either_order),
		test(kinds_and_clouds_stand_side_by_side),
		test(the_change_number_is_no_order),
		test(a_month_is_ordered_against_the_days_outside_it),
		cmocka_unit_test(what_dates_cannot_order_is_an_error),
		test(a_newer_third_settles_what_two_could_not),
		test(equal_bytes_are_no_conflict),
		test(other_files_of_a_folder_are_passed_over_with_a_note),
		test(an_empty_folder_holds_nothing),
		cmocka_unit_test(a_broken_newest_is_never_replaced_by_an_older_one),
		test(an_older_one_is_not_read_whole),
		test(documents_that_begin_otherwise_are_found_too),
		test(links_to_files_are_followed_and_dangling_ones_are_an_error),
		test(a_file_that_may_not_be_read_is_an_error),
		test(a_note_stays_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
