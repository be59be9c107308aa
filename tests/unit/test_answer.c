// SPDX-License-Identifier: BSD-2-Clause
/* Answers of name servers, put together by hand: a name of the question is pointed to, as servers do it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "audit/answer.h"

#define TYPE_A     1
#define TYPE_CNAME 5
#define TYPE_TXT   16
#define TYPE_AAAA  28
#define ASKED      0xc00c /* points to the name in the question */

/* struct message - grows as records are put into it */
struct message {
	unsigned char bytes[2048];
	size_t size;
};

static void put(struct message *message, const void *bytes, size_t size)
{
	assert_true(message->size + size <= sizeof(message->bytes));
	memcpy(message->bytes + message->size, bytes, size);
	message->size += size;
}

static void put16(struct message *message, unsigned int number)
{
	const unsigned char bytes[] = {(unsigned char)(number >> 8), (unsigned char)number};

	put(message, bytes, sizeof(bytes));
}

static void put_name(struct message *message, const char *name)
{
	while (*name) {
		unsigned char len = (unsigned char)strcspn(name, ".");

		put(message, &len, 1);
		put(message, name, len);
		name += len + (name[len] == '.');
	}
	put(message, "", 1);
}

/* An answer without a fault to the question for @name. */
static struct message ask(const char *name)
{
	struct message message = {.size = 0};

	put16(&message, 4711);
	put16(&message, 0x8180);
	put16(&message, 1);
	put16(&message, 0);
	put16(&message, 0);
	put16(&message, 0);
	put_name(&message, name);
	put16(&message, TYPE_A);
	put16(&message, 1);
	return message;
}

/* @owner: NULL is the question's name. What add_data() puts behind it belongs to it. */
static void add(struct message *message, const char *owner, unsigned int type, unsigned int ttl_s)
{
	if (owner)
		put_name(message, owner);
	else
		put16(message, ASKED);
	put16(message, type);
	put16(message, 1);
	put16(message, ttl_s >> 16);
	put16(message, ttl_s);
	message->bytes[7]++;
}

static void add_data(struct message *message, const void *data, size_t size)
{
	put16(message, (unsigned int)size);
	put(message, data, size);
}

static void add_address(struct message *message, const char *owner, const char *text,
			unsigned int ttl_s)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	unsigned char addr[16];

	inet_pton(family, text, addr);
	add(message, owner, family == AF_INET ? TYPE_A : TYPE_AAAA, ttl_s);
	add_data(message, addr, family == AF_INET ? 4 : 16);
}

static void add_alias(struct message *message, const char *owner, const char *target,
		      unsigned int ttl_s)
{
	struct message name = {.size = 0};

	put_name(&name, target);
	add(message, owner, TYPE_CNAME, ttl_s);
	add_data(message, name.bytes, name.size);
}

static int parse(const struct message *message, struct kvg_answer_names *ret)
{
	return kvg_answer_parse(message->bytes, message->size, ret);
}

static void assert_address(const struct kvg_answer_address *address, const char *text)
{
	unsigned char expected[16] = {[10] = 0xff, [11] = 0xff};
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	inet_pton(family, text, family == AF_INET ? expected + 12 : expected);
	assert_memory_equal(address->addr, expected, sizeof(expected));
}

static void the_addresses_of_the_name_are_found(void **state)
{
	struct message message = ask("shop.example");
	struct kvg_answer_names names;

	(void)state;
	add_address(&message, NULL, "203.0.113.9", 300);
	add_address(&message, NULL, "2001:db8::9", 60);
	assert_int_equal(parse(&message, &names), 0);
	assert_string_equal(names.name, "shop.example");
	assert_int_equal(names.count, 2);
	assert_address(&names.addresses[0], "203.0.113.9");
	assert_address(&names.addresses[1], "2001:db8::9");
	assert_int_equal(names.ttl_s, 60);
}

static void aliases_lead_to_the_name_that_was_asked_for(void **state)
{
	struct message message = ask("vault.example");
	struct kvg_answer_names names;

	(void)state;
	add_alias(&message, NULL, "one.example", 5);
	add_alias(&message, "ONE.example", "two.example", 900);
	add_address(&message, "two.example", "203.0.113.9", 300);
	assert_int_equal(parse(&message, &names), 0);
	assert_string_equal(names.name, "vault.example");
	assert_int_equal(names.count, 1);
	assert_int_equal(names.ttl_s, 5);
}

static void addresses_of_other_names_are_nobodys(void **state)
{
	struct message message = ask("shop.example");
	struct kvg_answer_names names;

	(void)state;
	add_address(&message, "bank.example", "203.0.113.9", 300);
	assert_int_equal(parse(&message, &names), -EBADMSG);
	add_address(&message, NULL, "203.0.113.10", 300);
	assert_int_equal(parse(&message, &names), 0);
	assert_int_equal(names.count, 1);
	assert_address(&names.addresses[0], "203.0.113.10");
}

static void names_are_lower_case_and_harmless(void **state)
{
	struct kvg_answer_names names;
	struct message message = ask("WWW.Sh_op-1.Example");

	(void)state;
	add_address(&message, NULL, "203.0.113.9", 300);
	assert_int_equal(parse(&message, &names), 0);
	assert_string_equal(names.name, "www.sh_op-1.example");

	message = ask("a\x1b[2J<b>\"\n\xff.example");
	add_address(&message, NULL, "203.0.113.9", 300);
	assert_int_equal(parse(&message, &names), 0);
	for (const char *c = names.name; *c; c++)
		assert_true((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ||
			    strchr("?._-", *c));
}

static void what_is_no_answer_with_an_address_is_refused(void **state)
{
	struct kvg_answer_names names;
	struct message message;

	(void)state;
	message = ask("shop.example");
	assert_int_equal(parse(&message, &names), -EBADMSG);
	add(&message, NULL, TYPE_TXT, 60);
	add_data(&message, "\x02hi", 3);
	assert_int_equal(parse(&message, &names), -EBADMSG);

	message = ask("shop.example");
	add_address(&message, NULL, "203.0.113.9", 300);
	message.bytes[2] &= 0x7f; /* a question */
	assert_int_equal(parse(&message, &names), -EBADMSG);
	message.bytes[2] |= 0x80;
	message.bytes[3] |= 3; /* no such name */
	assert_int_equal(parse(&message, &names), -EBADMSG);

	message = ask("");
	add_address(&message, NULL, "203.0.113.9", 300);
	assert_int_equal(parse(&message, &names), 0); /* the root is "." */

	message = ask("shop.example");
	add(&message, NULL, TYPE_A, 60);
	add_data(&message, "\x01\x02\x03", 3);
	assert_int_equal(parse(&message, &names), -EBADMSG);
}

static void no_part_of_a_message_is_taken_for_all_of_it(void **state)
{
	struct message message = ask("shop.example");
	struct kvg_answer_names names;

	(void)state;
	add_alias(&message, NULL, "one.example", 5);
	add_address(&message, "one.example", "203.0.113.9", 300);
	for (size_t size = 0; size < message.size; size++)
		assert_int_equal(kvg_answer_parse(message.bytes, size, &names), -EBADMSG);
	assert_int_equal(parse(&message, &names), 0);
}

static void of_very_many_addresses_the_first_are_taken(void **state)
{
	struct message message = ask("shop.example");
	struct kvg_answer_names names;

	(void)state;
	for (int i = 0; i < 2 * KVG_ANSWER_ADDRESSES_MAX; i++)
		add_address(&message, NULL, "203.0.113.9", 300);
	assert_int_equal(parse(&message, &names), 0);
	assert_int_equal(names.count, KVG_ANSWER_ADDRESSES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_addresses_of_the_name_are_found),
		cmocka_unit_test(aliases_lead_to_the_name_that_was_asked_for),
		cmocka_unit_test(addresses_of_other_names_are_nobodys),
		cmocka_unit_test(names_are_lower_case_and_harmless),
		cmocka_unit_test(what_is_no_answer_with_an_address_is_refused),
		cmocka_unit_test(no_part_of_a_message_is_taken_for_all_of_it),
		cmocka_unit_test(of_very_many_addresses_the_first_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
