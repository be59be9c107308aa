// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/diag.h"

static void the_error_is_handed_on(void **state)
{
	struct kvg_diag diag;

	(void)state;
	assert_int_equal(kvg_diag_set(&diag, -EINVAL, "tag %d", 3), -EINVAL);
	assert_string_equal(diag.msg, "tag 3");
	assert_int_equal(diag.line, 0);
	assert_int_equal(diag.column, 0);
}

static void nobody_need_listen(void **state)
{
	(void)state;
	assert_int_equal(kvg_diag_set(NULL, -ENOMSG, "unheard"), -ENOMSG);
	assert_int_equal(kvg_diag_set_at(NULL, -ENOMSG, 1, 2, "unheard"), -ENOMSG);
}

static void a_place_is_kept_and_then_forgotten(void **state)
{
	struct kvg_diag diag;

	(void)state;
	kvg_diag_set_at(&diag, -EINVAL, 7, 9, "here");
	assert_int_equal(diag.line, 7);
	assert_int_equal(diag.column, 9);

	kvg_diag_set(&diag, -EINVAL, "nowhere");
	assert_int_equal(diag.line, 0);
	assert_int_equal(diag.column, 0);
}

static void control_characters_cannot_make_a_second_line(void **state)
{
	struct kvg_diag diag;

	(void)state;
	kvg_diag_set(&diag, -EINVAL, "%s", "a\nb\x1b[31m\x7f");
	assert_string_equal(diag.msg, "a?b?[31m?");
}

static void a_long_message_is_cut_at_a_characters_end(void **state)
{
	char text[400];
	struct kvg_diag diag;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	kvg_diag_set(&diag, -EINVAL, "%s", text);
	assert_int_equal(strlen(diag.msg), sizeof(diag.msg) - 1);

	/* Two bytes each, and the room is odd. */
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	kvg_diag_set(&diag, -EINVAL, "%s", text);
	assert_int_equal(strlen(diag.msg) % 2, 0);
	assert_true(strlen(diag.msg) >= sizeof(diag.msg) - 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_error_is_handed_on),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(a_place_is_kept_and_then_forgotten),
		cmocka_unit_test(control_characters_cannot_make_a_second_line),
		cmocka_unit_test(a_long_message_is_cut_at_a_characters_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
