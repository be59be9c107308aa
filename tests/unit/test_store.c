// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/folder.h"
#include "folder.h"
#include "parse.h"
#include "ranges/memory.h"
#include "ranges/store.h"

#define TEXT     KVG_CLEANUP(kvg_freep) char *
#define STORE    KVG_CLEANUP(kvg_store_closep) struct kvg_store *
#define DOCUMENT KVG_CLEANUP(kvg_document_freep) struct kvg_document *
#define NAMES    KVG_CLEANUP(kvg_folder_names_done) struct kvg_folder_names
#define LIBRARY  KVG_CLEANUP(kvg_library_done) struct kvg_library
#define PREVIOUS KVG_CLEANUP(kvg_previous_done) struct kvg_previous_list
#define REFUSAL  KVG_CLEANUP(kvg_store_refusal_done) struct kvg_store_refusal
#define MEMORY   KVG_CLEANUP(kvg_memory_done) struct kvg_memory

#define TAGS_KIND KVG_DOCUMENT_KIND_SERVICE_TAGS
#define PUBLIC    KVG_CLOUD_PUBLIC
#define DOC(n)    "{\"changeNumber\":" n ",\"cloud\":\"Public\",\"values\":[]}"
#define CHINA     TAGS_OF("China", "")
#define DAY_S     86400UL

static struct kvg_store *opened(void **state)
{
	struct kvg_store *store = NULL;
	struct kvg_diag diag = {};

	if (kvg_store_open(*state, &store, &diag) < 0)
		fail_msg("not opened: %s", diag.msg);
	return store;
}

static struct kvg_document *named(const char *file, const char *text)
{
	struct kvg_document *document = NULL;

	assert_int_equal(kvg_document_parse(file, text, strlen(text), &document, NULL), 0);
	return document;
}

static int try_put(struct kvg_store *store, const char *file, const char *text,
		   struct kvg_diag *diag)
{
	DOCUMENT document = named(file, text);
	const struct kvg_store_item item = {document, text, strlen(text)};

	return kvg_store_put(store, &item, DAY_S, diag);
}

static void put(struct kvg_store *store, const char *file, const char *text)
{
	struct kvg_diag diag = {};

	if (try_put(store, file, text, &diag) < 0)
		fail_msg("%s", diag.msg);
}

static void assert_in_use(const struct kvg_store *store, const char *file, unsigned long number)
{
	const struct kvg_document *document = kvg_store_current(store, TAGS_KIND, PUBLIC);

	assert_non_null(document);
	assert_string_equal(document->file, file);
	assert_int_equal(document->change_number, number);
}

/* The names in a folder of the store are @expected, apart by a blank. */
static void assert_names(void **state, const char *folder, const char *expected)
{
	TEXT path = folder_path(state, folder);
	char text[512] = "";
	NAMES names = {};
	size_t used = 0;

	assert_int_equal(kvg_folder_list(path, &names), 0);
	for (size_t i = 0; i < names.count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 names.items[i]);
	assert_string_equal(text, expected);
}

static void set_time(void **state, const char *name, time_t when)
{
	const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
	TEXT path = folder_path(state, name);

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void the_first_document_is_in_use_and_nothing_is_previous(void **state)
{
	STORE store = opened(state);

	assert_null(kvg_store_current(store, TAGS_KIND, PUBLIC));
	put(store, "tags_20260105.json", DOC("1"));
	assert_in_use(store, "tags_20260105.json", 1);
	assert_names(state, "previous", "");
	assert_names(state, ".tmp", "");
}

static void what_is_replaced_is_previous_with_its_time(void **state)
{
	time_t before = time(NULL);
	STORE store = opened(state);
	PREVIOUS list = {};

	put(store, "tags_20260105.json", DOC("1"));
	set_time(state, "tags_20260105.json", 1000);
	put(store, "tags_20260112.json", DOC("2"));
	assert_in_use(store, "tags_20260112.json", 2);
	assert_names(state, "previous", "tags_20260105.json");
	assert_int_equal(kvg_previous_read(*state, &list), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].document->change_number, 1);
	assert_true(list.items[0].replaced.tv_sec >= before);
}

static void a_document_of_the_same_name_keeps_each_before_it(void **state)
{
	STORE store = opened(state);
	PREVIOUS list = {};

	put(store, "tags.json", DOC("1"));
	put(store, "tags.json", DOC("2"));
	put(store, "tags.json", DOC("3"));
	assert_in_use(store, "tags.json", 3);
	assert_names(state, "previous", "tags.json tags.json.2");
	assert_int_equal(kvg_previous_read(*state, &list), 0);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.items[0].document->change_number, 2);
	assert_int_equal(list.items[1].document->change_number, 1);
}

static void an_older_document_that_was_accepted_is_in_use(void **state)
{
	STORE store = opened(state);

	put(store, "tags_20260112.json", DOC("2"));
	put(store, "tags_20260105.json", DOC("1"));
	assert_in_use(store, "tags_20260105.json", 1);
	assert_names(state, "previous", "tags_20260112.json");
}

static void a_bounded_number_is_previous(void **state)
{
	STORE store = opened(state);
	PREVIOUS list = {};

	for (unsigned int i = 1; i <= KVG_STORE_PREVIOUS_MAX + 4; i++) {
		char file[32], text[64];

		snprintf(file, sizeof(file), "tags_202601%02u.json", i);
		snprintf(text, sizeof(text),
			 "{\"changeNumber\":%u,\"cloud\":\"Public\",\"values\":[]}", i);
		put(store, file, text);
	}
	assert_int_equal(kvg_previous_read(*state, &list), 0);
	assert_int_equal(list.count, KVG_STORE_PREVIOUS_MAX);
	assert_int_equal(list.items[0].document->change_number, KVG_STORE_PREVIOUS_MAX + 3);
	assert_int_equal(list.items[list.count - 1].document->change_number, 4);
}

static void after_the_grace_period_only_the_last_is_previous(void **state)
{
	STORE store = opened(state);

	put(store, "tags_20260105.json", DOC("1"));
	put(store, "tags_20260112.json", DOC("2"));
	set_time(state, "previous/tags_20260105.json", time(NULL) - (time_t)DAY_S - 1);
	put(store, "tags_20260119.json", DOC("3"));
	assert_names(state, "previous", "tags_20260112.json");
}

static void clouds_do_not_push_each_other_out(void **state)
{
	STORE store = opened(state);
	struct kvg_diag diag = {};

	put(store, "a_20260105.json", DOC("1"));
	put(store, "c_20260105.json", CHINA);
	assert_in_use(store, "a_20260105.json", 1);
	assert_names(state, "previous", "");

	assert_int_equal(try_put(store, "a_20260105.json", CHINA, &diag), -EEXIST);
	assert_non_null(strstr(diag.msg, "is service-tags of public"));
	assert_in_use(store, "a_20260105.json", 1);
}

static void what_is_not_the_librarys_is_never_in_use(void **state)
{
	static const char *const names[] = {"previous/x_20300101.json", "refused/x_20300101.json",
					    ".tmp/x_20300101.json", ".fetch.json"};
	STORE store = opened(state);
	LIBRARY library = {};

	put(store, "tags_20260105.json", DOC("1"));
	for (size_t i = 0; i < KVG_ARRAY_SIZE(names); i++) {
		TEXT path = folder_write(state, names[i], DOC("9"));

		assert_non_null(path);
	}
	assert_int_equal(kvg_library_add(&library, *state, NULL, NULL), 0);
	assert_int_equal(library.documents[TAGS_KIND][PUBLIC]->change_number, 1);
	assert_int_equal(library.notes_count, 0);
	assert_true(kvg_store_is_own("previous"));
	assert_false(kvg_store_is_own("previous.json"));
}

static void one_writer_at_a_time(void **state)
{
	struct kvg_store *second = NULL;
	struct kvg_store *first = opened(state);
	struct kvg_diag diag = {};

	assert_int_equal(kvg_store_open(*state, &second, &diag), -EBUSY);
	assert_null(second);
	assert_non_null(strstr(diag.msg, "another fetch is at work in"));
	kvg_store_close(first);
	second = opened(state);
	kvg_store_close(second);
}

static void a_broken_document_in_the_folder_is_told_by_name(void **state)
{
	TEXT broken = folder_write(state, "tags_20260105.json", "{\"changeNumber\":1,");
	struct kvg_store *store = NULL;
	struct kvg_diag diag = {};

	assert_int_equal(kvg_store_open(*state, &store, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, broken));
}

static void what_another_left_half_done_is_removed(void **state)
{
	TEXT half = NULL;
	TEXT memory = NULL;
	TEXT refused = NULL;

	kvg_store_close(opened(state));
	half = folder_write(state, ".tmp/tags_20260105.json", "{\"changeNu");
	memory = folder_write(state, "..fetch.json.a1B2c3", "{");
	refused = folder_write(state, "refused/.tags_20260105.json.a1B2c3", "{\"changeNu");
	assert_non_null(half);
	kvg_store_close(opened(state));
	assert_names(state, ".tmp", "");
	assert_names(state, "refused", "");
	assert_int_equal(access(memory, F_OK), -1);
	assert_int_equal(access(refused, F_OK), -1);
}

/* --- refused -------------------------------------------------------------------------------- */

static void refuse(struct kvg_store *store, const char *file, const char *text)
{
	DOCUMENT document = named(file, text);
	const struct kvg_store_item item = {document, text, strlen(text)};
	const struct kvg_store_refusal refusal = {
		.kind = TAGS_KIND,
		.cloud = PUBLIC,
		.error = -ERANGE,
		.reason = (char *)"it takes away too much",
		.url = (char *)"https://files.test/x",
	};

	assert_int_equal(kvg_store_refuse(store, &refusal, &item), 0);
}

static void what_is_refused_is_kept_with_its_reason(void **state)
{
	STORE store = opened(state);
	REFUSAL none = {};
	REFUSAL refusal = {};

	assert_int_equal(kvg_store_refused(store, TAGS_KIND, PUBLIC, &none), -ENOENT);
	put(store, "tags_20260105.json", DOC("1"));
	refuse(store, "tags_20260112.json", DOC("2"));
	assert_in_use(store, "tags_20260105.json", 1);
	assert_int_equal(kvg_store_refused(store, TAGS_KIND, PUBLIC, &refusal), 0);
	assert_int_equal(refusal.error, -ERANGE);
	assert_string_equal(refusal.file, "tags_20260112.json");
	assert_string_equal(refusal.reason, "it takes away too much");
	assert_string_equal(refusal.url, "https://files.test/x");
	assert_int_equal(refusal.size, strlen(DOC("2")));
	assert_string_equal(refusal.data, DOC("2"));
}

static void only_the_last_refused_one_is_kept(void **state)
{
	STORE store = opened(state);

	refuse(store, "tags_20260112.json", DOC("2"));
	refuse(store, "tags_20260119.json", DOC("3"));
	assert_names(state, "refused", "service-tags-public.reason tags_20260119.json");
}

static void what_was_refused_goes_when_another_is_taken(void **state)
{
	STORE store = opened(state);

	refuse(store, "tags_20260112.json", DOC("2"));
	put(store, "c_20260105.json", CHINA);
	assert_names(state, "refused", "service-tags-public.reason tags_20260112.json");
	put(store, "tags_20260119.json", DOC("3"));
	assert_names(state, "refused", "");
}

static void a_refused_document_that_was_changed_is_not_given_out(void **state)
{
	STORE store = opened(state);
	TEXT changed = NULL;
	REFUSAL first = {};
	REFUSAL second = {};

	refuse(store, "tags_20260112.json", DOC("2"));
	changed = folder_write(state, "refused/tags_20260112.json", DOC("3"));
	assert_int_equal(kvg_store_refused(store, TAGS_KIND, PUBLIC, &first), -EINVAL);
	assert_int_equal(unlink(changed), 0);
	assert_int_equal(kvg_store_refused(store, TAGS_KIND, PUBLIC, &second), -EINVAL);
}

static void a_reason_cannot_lead_out_of_the_folder(void **state)
{
	STORE store = opened(state);
	TEXT outside = folder_write(state, "outside.json", "[]");
	TEXT reason = folder_write(state, "refused/service-tags-public.reason",
				   "{\"file\":\"../outside.json\",\"reason\":\"\",\"url\":\"\","
				   "\"error\":34,\"sha256\":\"0000000000000000000000000000000000"
				   "000000000000000000000000000000\"}");
	REFUSAL refusal = {};

	assert_non_null(reason);
	assert_int_equal(kvg_store_refused(store, TAGS_KIND, PUBLIC, &refusal), -EINVAL);
	kvg_store_forget_refused(store, TAGS_KIND, PUBLIC);
	assert_int_equal(access(outside, F_OK), 0);
	assert_int_equal(access(reason, F_OK), -1);
}

/* --- failures ------------------------------------------------------------------------------- */

static void a_put_that_fails_leaves_the_old_one_in_use(void **state)
{
	TEXT in_the_way = folder_path(state, "tags_20260112.json");
	TEXT older = folder_path(state, "tags_20251229.json");
	STORE store = opened(state);
	LIBRARY library = {};

	put(store, "tags_20260105.json", DOC("1"));
	assert_int_equal(mkdir(in_the_way, 0755), 0);
	assert_int_equal(mkdir(older, 0755), 0);
	assert_true(try_put(store, "tags_20260112.json", DOC("2"), NULL) < 0);
	assert_true(try_put(store, "tags_20251229.json", DOC("0"), NULL) < 0);
	assert_int_equal(kvg_library_add(&library, *state, NULL, NULL), 0);
	assert_int_equal(library.documents[TAGS_KIND][PUBLIC]->change_number, 1);
	assert_names(state, "previous", "");
	assert_names(state, ".tmp", "");
}

static void a_newer_one_of_somebody_else_is_said_to_stay(void **state)
{
	STORE store = opened(state);
	struct kvg_diag diag = {};
	TEXT other = NULL;

	put(store, "tags_20260105.json", DOC("1"));
	other = folder_write(state, "hand_20270101.json", DOC("9"));
	assert_non_null(other);
	assert_int_equal(try_put(store, "tags_20260112.json", DOC("2"), &diag), -EEXIST);
	assert_non_null(strstr(diag.msg, "'hand_20270101.json' in"));
}

/* Replaces the document by the next one, again and again; later rounds begin with later days. */
static void put_for_ever(void **state, unsigned int round)
{
	STORE store = opened(state);

	for (unsigned int i = round * 1100;; i++) {
		char file[32];

		snprintf(file, sizeof(file), "tags_20%02u%02u%02u.json", 30 + i / 336 % 70,
			 i / 28 % 12 + 1, i % 28 + 1);
		put(store, file, i % 2 ? DOC("1") : DOC("2"));
	}
}

static void an_interrupted_put_leaves_the_old_one_or_the_new_one_whole(void **state)
{
	struct kvg_store *first = opened(state);

	put(first, "tags_20260105.json", DOC("1"));
	kvg_store_close(first);
	for (unsigned int i = 0; i < 20; i++) {
		LIBRARY library = {};
		struct kvg_diag diag = {};
		int status;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			put_for_ever(state, i);
			_exit(1);
		}
		usleep(2000 + i * 1700);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));

		if (kvg_library_add(&library, *state, NULL, &diag) < 0)
			fail_msg("after round %u: %s", i, diag.msg);
		assert_non_null(library.documents[TAGS_KIND][PUBLIC]);
	}
}

/* --- what is remembered --------------------------------------------------------------------- */

static void what_is_remembered_comes_back(void **state)
{
	MEMORY memory = {};
	MEMORY again = {};
	struct kvg_memory_row *row = &memory.rows[TAGS_KIND][KVG_CLOUD_CHINA];
	const struct kvg_memory_row *read = &again.rows[TAGS_KIND][KVG_CLOUD_CHINA];

	assert_int_equal(kvg_memory_set(&row->url, "https://files.test/x"), 0);
	assert_int_equal(kvg_memory_set(&row->etag, "\"abc\""), 0);
	row->digest[0] = 7;
	row->checked = 1000;
	row->not_before = 2000;
	assert_int_equal(kvg_memory_write(*state, &memory), 0);
	assert_int_equal(kvg_memory_read(*state, &again), 0);
	assert_string_equal(read->url, "https://files.test/x");
	assert_string_equal(read->etag, "\"abc\"");
	assert_null(read->modified);
	assert_null(read->version);
	assert_memory_equal(read->digest, row->digest, sizeof(row->digest));
	assert_int_equal(read->checked, 1000);
	assert_int_equal(read->not_before, 2000);
	assert_null(again.rows[TAGS_KIND][PUBLIC].url);
}

static void a_damaged_memory_is_an_empty_one(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "{\"service-tags public\":7}",
					    "{\"service-tags public\":{\"url\":7}}"};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(texts); i++) {
		TEXT path = folder_write(state, ".fetch.json", texts[i]);
		MEMORY memory = {};

		assert_non_null(path);
		assert_int_equal(kvg_memory_read(*state, &memory), 0);
		assert_null(memory.rows[TAGS_KIND][PUBLIC].url);
		assert_int_equal(memory.rows[TAGS_KIND][PUBLIC].checked, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
		TEST(the_first_document_is_in_use_and_nothing_is_previous),
		TEST(what_is_replaced_is_previous_with_its_time),
		TEST(a_document_of_the_same_name_keeps_each_before_it),
		TEST(an_older_document_that_was_accepted_is_in_use),
		TEST(a_bounded_number_is_previous),
		TEST(after_the_grace_period_only_the_last_is_previous),
		TEST(clouds_do_not_push_each_other_out),
		TEST(what_is_not_the_librarys_is_never_in_use),
		TEST(one_writer_at_a_time),
		TEST(a_broken_document_in_the_folder_is_told_by_name),
		TEST(what_another_left_half_done_is_removed),
		TEST(what_is_refused_is_kept_with_its_reason),
		TEST(only_the_last_refused_one_is_kept),
		TEST(what_was_refused_goes_when_another_is_taken),
		TEST(a_refused_document_that_was_changed_is_not_given_out),
		TEST(a_reason_cannot_lead_out_of_the_folder),
		TEST(a_put_that_fails_leaves_the_old_one_in_use),
		TEST(a_newer_one_of_somebody_else_is_said_to_stay),
		TEST(an_interrupted_put_leaves_the_old_one_or_the_new_one_whole),
		TEST(what_is_remembered_comes_back),
		TEST(a_damaged_memory_is_an_empty_one),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
