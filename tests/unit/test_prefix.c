// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "random.h"
#include "ranges/prefix.h"

#define ROUNDS 100000

/* --- a slow model, bit by bit --------------------------------------------------------------- */

static unsigned int model_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

static bool model_bit(const unsigned char *addr, unsigned int i)
{
	return addr[i / 8] >> (7 - i % 8) & 1;
}

static bool model_holds(const struct kvg_prefix *outer, const struct kvg_prefix *inner)
{
	if (outer->family != inner->family || outer->bits > inner->bits)
		return false;

	for (unsigned int i = 0; i < outer->bits; i++) {
		if (model_bit(outer->addr, i) != model_bit(inner->addr, i))
			return false;
	}
	return true;
}

static bool model_is_mapped(const struct kvg_prefix *prefix)
{
	if (prefix->family != AF_INET6)
		return false;

	for (unsigned int i = 0; i < prefix->bits && i < 96; i++) {
		if (model_bit(prefix->addr, i) != (i >= 80))
			return false;
	}
	return true;
}

/* What inet_pton(3) and strtoul(3) make of it. */
static bool model_parse(const char *text, struct kvg_prefix *ret)
{
	const char *slash = strchr(text, '/');
	char address[64] = "";
	char digits[16];
	unsigned long bits;

	*ret = (struct kvg_prefix){.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;

	memcpy(address, text, (size_t)(slash - text));
	if (inet_pton(ret->family, address, ret->addr) != 1)
		return false;

	bits = strtoul(slash + 1, NULL, 10);
	snprintf(digits, sizeof(digits), "%lu", bits);
	if (strcmp(digits, slash + 1) != 0 || bits > model_bits(ret->family))
		return false;

	ret->bits = (__u8)bits;
	for (unsigned int i = ret->bits; i < model_bits(ret->family); i++) {
		if (model_bit(ret->addr, i))
			return false;
	}
	return !model_is_mapped(ret);
}

/* --- random prefixes and texts -------------------------------------------------------------- */

/* Addresses with few distinct values, so that prefixes meet and nest. */
static struct kvg_prefix random_prefix(void)
{
	struct kvg_prefix prefix = {.family = random_below(2) ? AF_INET : AF_INET6};
	unsigned int size = model_bits(prefix.family);

	prefix.bits = (__u8)random_below(size + 1);
	for (unsigned int i = 0; i < prefix.bits; i++) {
		if (random_below(i < 8 ? 2 : 8) == 0)
			prefix.addr[i / 8] |= (__u8)(0x80 >> i % 8);
	}
	return prefix;
}

static void mutate(char *text, size_t room)
{
	static const char alphabet[] = "0123456789abcdefABCDEF:./% \t-+x";
	size_t len = strlen(text);
	size_t at = random_below((uint32_t)len + 1);
	char c = alphabet[random_below(sizeof(alphabet) - 1)];

	switch (random_below(3)) {
	case 0:
		if (at < len)
			text[at] = c;
		break;
	case 1:
		if (at < len)
			memmove(text + at, text + at + 1, len - at);
		break;
	default:
		if (len + 1 < room) {
			memmove(text + at + 1, text + at, len - at + 1);
			text[at] = c;
		}
	}
}

static struct kvg_prefix prefix_of(const char *text)
{
	struct kvg_prefix prefix;
	struct kvg_diag diag;

	if (kvg_prefix_parse(text, &prefix, &diag) < 0)
		fail_msg("%s", diag.msg);
	return prefix;
}

#define assert_refused(text, message)                                                 \
	do {                                                                          \
		struct kvg_prefix untouched = {.family = 77};                         \
		struct kvg_diag diag = {};                                            \
                                                                                      \
		assert_int_equal(kvg_prefix_parse(text, &untouched, &diag), -EINVAL); \
		assert_int_equal(untouched.family, 77);                               \
		assert_string_equal(diag.msg, message);                               \
	} while (0)

/* --- the claims ----------------------------------------------------------------------------- */

static void prefixes_of_both_families_are_read(void **state)
{
	struct kvg_prefix prefix = prefix_of("192.0.2.128/25");

	(void)state;
	assert_int_equal(prefix.family, AF_INET);
	assert_int_equal(prefix.bits, 25);
	assert_memory_equal(prefix.addr, "\xc0\0\x02\x80\0\0\0\0\0\0\0\0\0\0\0\0", 16);

	prefix = prefix_of("2001:db8:8000::/33");
	assert_int_equal(prefix.family, AF_INET6);
	assert_int_equal(prefix.bits, 33);
	assert_memory_equal(prefix.addr, "\x20\x01\x0d\xb8\x80\0\0\0\0\0\0\0\0\0\0\0", 16);

	assert_int_equal(prefix_of("0.0.0.0/0").bits, 0);
	assert_int_equal(prefix_of("192.0.2.1/32").bits, 32);
	assert_int_equal(prefix_of("2001:db8::1/128").bits, 128);
}

static void host_bits_are_refused_with_the_text(void **state)
{
	(void)state;
	assert_refused("192.0.2.1/24", "\"192.0.2.1/24\" has host bits");
	assert_refused("128.0.0.0/0", "\"128.0.0.0/0\" has host bits");
	assert_refused("2001:db8::1/127", "\"2001:db8::1/127\" has host bits");
	assert_refused("2001:db8::/28", "\"2001:db8::/28\" has host bits");
}

static void ipv4_mapped_prefixes_are_refused_within_and_over(void **state)
{
	(void)state;
	assert_refused("::ffff:192.0.2.0/120",
		       "\"::ffff:192.0.2.0/120\" takes in IPv4-mapped addresses");
	assert_refused("::ffff:0:0/96", "\"::ffff:0:0/96\" takes in IPv4-mapped addresses");
	assert_refused("::ffff:0:0/95", "\"::ffff:0:0/95\" has host bits");
	assert_refused("::fffe:0:0/95", "\"::fffe:0:0/95\" takes in IPv4-mapped addresses");
	assert_refused("::/80", "\"::/80\" takes in IPv4-mapped addresses");
	assert_refused("::/0", "\"::/0\" takes in IPv4-mapped addresses");

	assert_int_equal(prefix_of("::/81").bits, 81);
	assert_int_equal(prefix_of("::fffe:0:0/96").bits, 96);
	assert_int_equal(prefix_of("::1:0:0:0/96").bits, 96);
}

static void a_length_must_be_there_and_proper(void **state)
{
	(void)state;
	assert_refused("192.0.2.0", "\"192.0.2.0\" has no \"/\" and prefix length");
	assert_refused("192.0.2.0/", "\"192.0.2.0/\" has no proper prefix length");
	assert_refused("192.0.2.0/024", "\"192.0.2.0/024\" has no proper prefix length");
	assert_refused("0.0.0.0/00", "\"0.0.0.0/00\" has no proper prefix length");
	assert_refused("192.0.2.0/+24", "\"192.0.2.0/+24\" has no proper prefix length");
	assert_refused("192.0.2.0/24 ", "\"192.0.2.0/24 \" has no proper prefix length");
	assert_refused("192.0.2.0/2/4", "\"192.0.2.0/2/4\" has no proper prefix length");
	assert_refused("192.0.2.0/33", "\"192.0.2.0/33\" has a prefix length that is too large");
	assert_refused("2001:db8::/129",
		       "\"2001:db8::/129\" has a prefix length that is too large");
	assert_refused("192.0.2.0/4294967320",
		       "\"192.0.2.0/4294967320\" has no proper prefix length");
}

static void other_spellings_are_no_address(void **state)
{
	static const char *const addresses[] = {
		"",
		" 192.0.2.0",
		"192.0.2",
		"192.0.02.0",
		"192.0.2.256",
		"192.0.2.0.0",
		"0xc0.0.2.0",
		"3221225984",
		"2001:db8",
		"2001:db8::%lo",
		"2001:db8:::",
		"2001:db8::1::2",
		"[2001:db8::]",
		"20010::db8",
		"host.example",
		"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		char text[80];
		char message[120];

		snprintf(text, sizeof(text), "%s/24", addresses[i]);
		snprintf(message, sizeof(message), "\"%s\" is not an IP address", text);
		assert_refused(text, message);
	}
}

static void bytes_with_a_nul_inside_are_refused(void **state)
{
	struct kvg_prefix prefix;

	(void)state;
	assert_int_equal(kvg_prefix_parse_bytes("192.0.2.0/24", 12, &prefix), 0);
	assert_int_equal(kvg_prefix_parse_bytes("192.0.2.0/24", 10, &prefix), -EINVAL);
	assert_int_equal(kvg_prefix_parse_bytes("192.0.2.0\0/24", 13, &prefix), -EINVAL);
	assert_int_equal(kvg_prefix_parse_bytes("192.0.2.0/24\0", 13, &prefix), -EINVAL);
	assert_int_equal(kvg_prefix_parse_bytes("\0", 1, &prefix), -EINVAL);
	assert_int_equal(kvg_prefix_parse_bytes("", 0, &prefix), -EINVAL);
}

static void a_bare_address_is_the_longest_prefix(void **state)
{
	struct kvg_prefix prefix = {};
	struct kvg_diag diag = {};

	(void)state;
	assert_int_equal(kvg_prefix_parse_address("192.0.2.7", &prefix, &diag), 0);
	assert_int_equal(prefix.bits, 32);
	assert_int_equal(kvg_prefix_parse_address("2001:db8::7", &prefix, &diag), 0);
	assert_int_equal(prefix.bits, 128);

	assert_int_equal(kvg_prefix_parse_address("192.0.2.7/32", &prefix, &diag), -EINVAL);
	assert_string_equal(diag.msg, "\"192.0.2.7/32\" is not an IP address");
	assert_int_equal(kvg_prefix_parse_address("::ffff:192.0.2.7", &prefix, &diag), -EINVAL);
	assert_string_equal(diag.msg, "\"::ffff:192.0.2.7\" is an IPv4-mapped address");
}

static void text_is_as_rfc_5952_recommends(void **state)
{
	static const char *const pairs[][2] = {
		{"2001:DB8:0:0:0:0:0:0/32", "2001:db8::/32"},
		{"2001:db8:0:0:1:0:0:0/80", "2001:db8:0:0:1::/80"},
		{"2001:db8:0:0:1:0:0:1/128", "2001:db8::1:0:0:1/128"},
		{"2001:db8:0:1:1:1:1:1/128", "2001:db8:0:1:1:1:1:1/128"},
		{"0:0:0:0:0:0:0:1/128", "::1/128"},
		{"192.0.2.0/24", "192.0.2.0/24"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct kvg_prefix prefix = prefix_of(pairs[i][0]);
		char text[KVG_PREFIX_STRLEN];

		assert_string_equal(kvg_prefix_format(&prefix, text), pairs[i][1]);
	}
}

static void ipv4_comes_first_then_the_address_then_the_shorter(void **state)
{
	static const char *const sorted[] = {
		"0.0.0.0/0",          "192.0.2.0/24",   "192.0.2.0/25",
		"192.0.2.128/25",     "203.0.113.0/24", "::/81",
		"2001:db8::/32",      "2001:db8::/33",  "2001:db8::/128",
		"2001:db8:8000::/33",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++) {
		for (size_t j = 0; j < sizeof(sorted) / sizeof(sorted[0]); j++) {
			struct kvg_prefix a = prefix_of(sorted[i]);
			struct kvg_prefix b = prefix_of(sorted[j]);
			int order = kvg_prefix_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	}
}

static void the_publishable_bounds_are_8_and_16_bits(void **state)
{
	struct kvg_prefix prefix = prefix_of("10.0.0.0/8");

	(void)state;
	assert_true(kvg_prefix_is_publishable(&prefix));
	prefix = prefix_of("10.0.0.0/7");
	assert_false(kvg_prefix_is_publishable(&prefix));
	prefix = prefix_of("2001::/16");
	assert_true(kvg_prefix_is_publishable(&prefix));
	prefix = prefix_of("2000::/15");
	assert_false(kvg_prefix_is_publishable(&prefix));
}

static void random_prefixes_read_back_from_their_text(void **state)
{
	(void)state;
	random_seed();
	for (int i = 0; i < ROUNDS; i++) {
		struct kvg_prefix prefix = random_prefix();
		char text[KVG_PREFIX_STRLEN];
		struct kvg_prefix again;
		int r;

		r = kvg_prefix_parse(kvg_prefix_format(&prefix, text), &again, NULL);
		if (r < 0 && model_is_mapped(&prefix))
			continue;
		assert_int_equal(r, 0);
		assert_memory_equal(&prefix, &again, sizeof(prefix));
	}
}

static void random_and_mutated_texts_are_judged_as_inet_pton_judges(void **state)
{
	unsigned int accepted = 0;

	(void)state;
	random_seed();
	for (int i = 0; i < ROUNDS; i++) {
		struct kvg_prefix prefix = random_prefix();
		struct kvg_prefix expected, got;
		struct kvg_diag diag = {};
		char text[80];
		bool sound;

		kvg_prefix_format(&prefix, text);
		for (unsigned int n = random_below(4); n > 0; n--)
			mutate(text, sizeof(text));

		sound = model_parse(text, &expected);
		if ((kvg_prefix_parse(text, &got, &diag) == 0) != sound)
			fail_msg("\"%s\" is %s", text, sound ? "sound" : "not sound");
		assert_int_equal(kvg_prefix_parse_bytes(text, strlen(text), &got) == 0, sound);
		if (sound)
			assert_memory_equal(&got, &expected, sizeof(got));
		else
			assert_true(strlen(diag.msg) > strlen(text));
		accepted += sound;
	}
	assert_in_range(accepted, ROUNDS / 10, ROUNDS * 9 / 10);
}

static void holding_is_agreement_of_every_bit(void **state)
{
	unsigned int held = 0;

	(void)state;
	random_seed();
	for (int i = 0; i < ROUNDS; i++) {
		struct kvg_prefix a = random_prefix();
		struct kvg_prefix b = random_prefix();

		assert_int_equal(kvg_prefix_holds(&a, &b), model_holds(&a, &b));
		assert_true(kvg_prefix_holds(&a, &a));
		held += kvg_prefix_holds(&a, &b);
	}
	assert_true(held > ROUNDS / 100);
}

static void a_parent_is_the_smallest_that_holds_more(void **state)
{
	(void)state;
	random_seed();
	for (int i = 0; i < ROUNDS; i++) {
		struct kvg_prefix prefix = random_prefix();
		struct kvg_prefix parent;

		if (prefix.bits == 0)
			continue;

		parent = kvg_prefix_parent(&prefix);
		assert_int_equal(parent.bits, prefix.bits - 1);
		assert_true(model_holds(&parent, &prefix));
		for (unsigned int bit = parent.bits; bit < model_bits(parent.family); bit++)
			assert_false(model_bit(parent.addr, bit));
	}
}

static void order_is_total_and_puts_the_outer_before_the_inner(void **state)
{
	(void)state;
	random_seed();
	for (int i = 0; i < ROUNDS; i++) {
		struct kvg_prefix a = random_prefix();
		struct kvg_prefix b = random_prefix();
		int order = kvg_prefix_compare(&a, &b);

		assert_int_equal(order == 0, memcmp(&a, &b, sizeof(a)) == 0);
		assert_int_equal(order > 0, kvg_prefix_compare(&b, &a) < 0);
		if (order && model_holds(&a, &b))
			assert_true(order < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_of_both_families_are_read),
		cmocka_unit_test(host_bits_are_refused_with_the_text),
		cmocka_unit_test(ipv4_mapped_prefixes_are_refused_within_and_over),
		cmocka_unit_test(a_length_must_be_there_and_proper),
		cmocka_unit_test(other_spellings_are_no_address),
		cmocka_unit_test(bytes_with_a_nul_inside_are_refused),
		cmocka_unit_test(a_bare_address_is_the_longest_prefix),
		cmocka_unit_test(text_is_as_rfc_5952_recommends),
		cmocka_unit_test(ipv4_comes_first_then_the_address_then_the_shorter),
		cmocka_unit_test(the_publishable_bounds_are_8_and_16_bits),
		cmocka_unit_test(random_prefixes_read_back_from_their_text),
		cmocka_unit_test(random_and_mutated_texts_are_judged_as_inet_pton_judges),
		cmocka_unit_test(holding_is_agreement_of_every_bit),
		cmocka_unit_test(a_parent_is_the_smallest_that_holds_more),
		cmocka_unit_test(order_is_total_and_puts_the_outer_before_the_inner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
