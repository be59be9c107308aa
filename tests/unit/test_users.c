// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "audit/users.h"
#include "base/cleanup.h"
#include "folder.h"

#define USERS KVG_CLEANUP(kvg_users_closep) struct kvg_users

static struct kvg_users *open_users(void **state, const char *text)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "passwd", text);
	struct kvg_users *users = NULL;

	assert_non_null(path);
	assert_int_equal(kvg_users_open(path, &users), 0);
	return users;
}

static void users_have_the_first_name_of_the_file(void **state)
{
	USERS *users = open_users(state, "root:x:0:0::/root:/bin/sh\n"
					 "toor:x:0:0::/root:/bin/sh\n"
					 "vault:x:1000:1000:A name:/home/vault:/bin/sh\n");

	assert_string_equal(kvg_users_find(users, 0), "root");
	assert_string_equal(kvg_users_find(users, 1000), "vault");
	assert_null(kvg_users_find(users, 1001));
}

static void a_file_that_changes_is_read_again(void **state)
{
	USERS *users = open_users(state, "vault:x:1000:1000::/:/bin/sh\n");
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	path = folder_write(state, "passwd", "someone-else:x:1000:1000::/:/bin/sh\n");
	kvg_users_refresh(users);
	assert_string_equal(kvg_users_find(users, 1000), "someone-else");
	unlink(path);
	kvg_users_refresh(users);
	assert_null(kvg_users_find(users, 1000));
}

static void without_a_file_nobody_has_a_name(void **state)
{
	USERS *users = NULL;

	(void)state;
	assert_int_equal(kvg_users_open("/nowhere/passwd", &users), 0);
	assert_null(kvg_users_find(users, 0));
}

static void lines_that_are_none_are_passed_over(void **state)
{
	USERS *users = open_users(state, "\n:::\nbroken\n+::::::\nvault:x:1000:1000::/:/bin/sh\n");

	assert_string_equal(kvg_users_find(users, 1000), "vault");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(users_have_the_first_name_of_the_file),
		EACH(a_file_that_changes_is_read_again),
		EACH(without_a_file_nobody_has_a_name),
		EACH(lines_that_are_none_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
