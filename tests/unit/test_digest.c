// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/digest.h"

/* FIPS 180-4's own example. */
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void the_digest_is_sha256_in_lower_case_hex(void **state)
{
	unsigned char digest[KVG_DIGEST_BYTES];
	char hex[KVG_DIGEST_HEX_LEN];

	(void)state;
	kvg_digest("abc", 3, digest);
	kvg_digest_format(digest, hex);
	assert_string_equal(hex, abc);
}

static void hex_reads_back_to_the_same_bytes(void **state)
{
	unsigned char digest[KVG_DIGEST_BYTES];
	unsigned char again[KVG_DIGEST_BYTES];

	(void)state;
	kvg_digest("abc", 3, digest);
	assert_int_equal(kvg_digest_parse(abc, again), 0);
	assert_memory_equal(digest, again, sizeof(digest));
}

static void other_text_is_no_digest(void **state)
{
	unsigned char untouched[KVG_DIGEST_BYTES] = {1, 2, 3};
	unsigned char digest[KVG_DIGEST_BYTES] = {1, 2, 3};
	char text[KVG_DIGEST_HEX_LEN + 1];

	(void)state;
	assert_int_equal(kvg_digest_parse("", digest), -EINVAL);

	strcpy(text, abc);
	text[63] = '\0';
	assert_int_equal(kvg_digest_parse(text, digest), -EINVAL);

	strcpy(text, abc);
	strcat(text, "0");
	assert_int_equal(kvg_digest_parse(text, digest), -EINVAL);

	strcpy(text, abc);
	text[63] = 'g';
	assert_int_equal(kvg_digest_parse(text, digest), -EINVAL);
	text[63] = 'D';
	assert_int_equal(kvg_digest_parse(text, digest), -EINVAL);

	assert_memory_equal(digest, untouched, sizeof(digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_is_sha256_in_lower_case_hex),
		cmocka_unit_test(hex_reads_back_to_the_same_bytes),
		cmocka_unit_test(other_text_is_no_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
