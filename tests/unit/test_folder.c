// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/folder.h"
#include "folder.h"

#define TEXT  KVG_CLEANUP(kvg_freep) char *
#define NAMES KVG_CLEANUP(kvg_folder_names_done) struct kvg_folder_names

static void a_folder_is_made_with_what_is_above_it(void **state)
{
	TEXT path = folder_path(state, "a/b/c");
	struct stat st;

	assert_int_equal(kvg_folder_make(path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(kvg_folder_make(path), 0);
}

static void a_file_in_the_way_is_an_error(void **state)
{
	TEXT file = folder_write(state, "file", "");
	TEXT below = folder_path(state, "file/folder");

	assert_int_equal(kvg_folder_make(file), -ENOTDIR);
	assert_int_equal(kvg_folder_make(below), -ENOTDIR);
}

static void names_come_sorted_and_without_the_dots(void **state)
{
	TEXT b = folder_write(state, "b", "");
	TEXT hidden = folder_write(state, ".hidden", "");
	TEXT a = folder_write(state, "a", "");
	NAMES names = {0};

	assert_true(a && b && hidden);
	assert_int_equal(kvg_folder_list(*state, &names), 0);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.items[0], ".hidden");
	assert_string_equal(names.items[1], "a");
	assert_string_equal(names.items[2], "b");
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
	TEXT path = folder_path(state, "absent");
	NAMES names = {0};

	assert_int_equal(kvg_folder_list(path, &names), -ENOENT);
	assert_int_equal(names.count, 0);
}

static void emptying_takes_the_files_and_leaves_the_folders(void **state)
{
	TEXT file = folder_write(state, "file", "");
	TEXT inner = folder_path(state, "inner");
	NAMES names = {0};

	assert_non_null(file);
	assert_int_equal(kvg_folder_make(inner), 0);
	kvg_folder_empty(*state);
	assert_int_equal(kvg_folder_list(*state, &names), 0);
	assert_int_equal(names.count, 1);
	assert_string_equal(names.items[0], "inner");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_folder_is_made_with_what_is_above_it, folder_make,
						folder_remove),
		cmocka_unit_test_setup_teardown(a_file_in_the_way_is_an_error, folder_make,
						folder_remove),
		cmocka_unit_test_setup_teardown(names_come_sorted_and_without_the_dots, folder_make,
						folder_remove),
		cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_an_error, folder_make,
						folder_remove),
		cmocka_unit_test_setup_teardown(emptying_takes_the_files_and_leaves_the_folders,
						folder_make, folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
