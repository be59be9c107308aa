// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <systemd/sd-event.h>

#include "agent/files.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "folder.h"

#define TEXT KVG_CLEANUP(kvg_freep) char *

/* Nothing comes: twice the time that things may take to settle. */
#define QUIET_MS (2 * KVG_FILES_SETTLE_MS)
#define LONG_MS  5000

struct watch {
	sd_event *event;
	struct kvg_files *files;
	int told;
};

static void on_changed(void *data)
{
	((struct watch *)data)->told++;
}

static void watch_done(struct watch *watch)
{
	kvg_files_close(watch->files);
	sd_event_unref(watch->event);
}

static void watch_open(struct watch *watch, const char *path)
{
	assert_true(sd_event_new(&watch->event) >= 0);
	assert_int_equal(kvg_files_open(watch->event, path, on_changed, watch, &watch->files), 0);
}

/* Runs the loop until something is told, or nothing happens for @ms. */
static int wait_told(struct watch *watch, uint64_t ms)
{
	int before = watch->told;

	while (watch->told == before && sd_event_run(watch->event, ms * 1000) > 0)
		;
	return watch->told - before;
}

#define WATCH KVG_CLEANUP(watch_done) struct watch

static void a_file_that_is_written_again_is_told(void **state)
{
	TEXT path = folder_write(state, "file", "one");
	WATCH watch = {};

	watch_open(&watch, path);
	TEXT again = folder_write(state, "file", "two!");
	assert_non_null(again);
	assert_int_equal(wait_told(&watch, LONG_MS), 1);
	assert_int_equal(wait_told(&watch, QUIET_MS), 0);
}

static void a_file_that_is_renamed_over_is_told(void **state)
{
	TEXT path = folder_write(state, "file", "one");
	WATCH watch = {};

	watch_open(&watch, path);
	assert_int_equal(kvg_file_replace(path, "one", 3), 0);
	assert_int_equal(wait_told(&watch, LONG_MS), 1);
}

static void a_file_that_comes_late_is_told(void **state)
{
	TEXT path = folder_path(state, "file");
	WATCH watch = {};

	watch_open(&watch, path);
	TEXT late = folder_write(state, "file", "one");
	assert_non_null(late);
	assert_int_equal(wait_told(&watch, LONG_MS), 1);
}

static void other_files_of_the_folder_are_nothing(void **state)
{
	TEXT path = folder_write(state, "file", "one");
	WATCH watch = {};

	watch_open(&watch, path);
	TEXT other = folder_write(state, "other", "one");
	assert_non_null(other);
	assert_int_equal(wait_told(&watch, QUIET_MS), 0);
}

/* As kubelet does: file -> ..data/file, ..data -> ..1, then ..data is renamed over. */
static void a_turned_link_to_a_folder_is_told(void **state)
{
	TEXT one = folder_path(state, "..1");
	TEXT two = folder_path(state, "..2");
	TEXT data = folder_path(state, "..data");
	TEXT fresh = folder_path(state, "..data_tmp");
	TEXT path = folder_path(state, "file");
	WATCH watch = {};

	assert_int_equal(mkdir(one, 0755) | mkdir(two, 0755), 0);
	TEXT old = folder_write(state, "..1/file", "one");
	TEXT new = folder_write(state, "..2/file", "two");
	assert_true(old && new);
	assert_int_equal(symlink("..1", data) | symlink("..data/file", path), 0);
	watch_open(&watch, path);

	assert_int_equal(symlink("..2", fresh) | rename(fresh, data), 0);
	assert_int_equal(wait_told(&watch, LONG_MS), 1);

	/* And from now on it is the new file that counts. */
	TEXT again = folder_write(state, "..2/file", "three");
	assert_non_null(again);
	assert_int_equal(wait_told(&watch, LONG_MS), 1);
}

static void a_link_above_the_folder_is_seen_by_the_poll(void **state)
{
	TEXT one = folder_path(state, "1");
	TEXT two = folder_path(state, "2");
	TEXT link = folder_path(state, "link");
	TEXT path = folder_path(state, "link/file");
	WATCH watch = {};

	assert_int_equal(mkdir(one, 0755) | mkdir(two, 0755), 0);
	TEXT old = folder_write(state, "1/file", "one");
	TEXT new = folder_write(state, "2/file", "two");
	assert_true(old && new);
	assert_int_equal(symlink("1", link), 0);
	watch_open(&watch, path);

	assert_int_equal(unlink(link) | symlink("2", link), 0);
	assert_int_equal(wait_told(&watch, QUIET_MS), 0);
	kvg_files_poll(watch.files);
	assert_int_equal(wait_told(&watch, LONG_MS), 1);
	kvg_files_poll(watch.files);
	assert_int_equal(wait_told(&watch, QUIET_MS), 0);
}

#define FILES_TEST(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILES_TEST(a_file_that_is_written_again_is_told),
		FILES_TEST(a_file_that_is_renamed_over_is_told),
		FILES_TEST(a_file_that_comes_late_is_told),
		FILES_TEST(other_files_of_the_folder_are_nothing),
		FILES_TEST(a_turned_link_to_a_folder_is_told),
		FILES_TEST(a_link_above_the_folder_is_seen_by_the_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
