// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "compiled.h"
#include "random.h"

#define SHOP   KVG_CLEANUP(workshop_done) struct workshop
#define POLICY KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *
#define TEXT   KVG_CLEANUP(kvg_freep) char *

/* A policy document whose rules and the rest are the test's. */
#define RULE(prefix, allow, from) \
	"{ \"prefix\": \"" prefix "\", \"allow\": [" allow "], \"from\": [" from "] }"
#define SOME_DIGEST "sha256:1b2a52ef8f0d6d6d1d4a0b6f3c1b8a2a1de33f1bfa0ff0cf7a3a6d8b7d6e5f40"
#define DOCUMENT(top, rules, hosts)                                                           \
	"{ " top ", \"profile\": \"p\", \"cloud\": \"public\", \"mode\": \"enforce\", "       \
	"\"inbound\": \"allow\", \"sources\": [], \"rules\": [" rules "], \"hosts\": [" hosts \
	"], \"digest\": \"" SOME_DIGEST "\" }"
#define VERSION "\"kvgate_policy\": 1"
#define ONE     RULE("192.0.2.0/24", "\"tcp/443\"", "\"a\"")

static char *written(const struct kvg_policy *policy, size_t *ret_size)
{
	char *text = NULL;

	assert_int_equal(kvg_policy_write(policy, &text, ret_size), 0);
	assert_int_equal(strlen(text), *ret_size);
	return text;
}

static struct kvg_policy *read_back(const char *text, size_t size)
{
	struct kvg_policy *policy = NULL;
	struct kvg_diag diag = {0};

	if (kvg_policy_parse(text, size, &policy, &diag) < 0)
		fail_msg("refused: %u:%u: %s", diag.line, diag.column, diag.msg);
	assert_int_equal(kvg_policy_check(policy), 0);
	return policy;
}

static void assert_unread(const char *text, const char *message)
{
	struct kvg_policy *untouched = NULL;
	struct kvg_diag diag = {0};

	assert_int_equal(kvg_policy_parse(text, strlen(text), &untouched, &diag), -EINVAL);
	assert_null(untouched);
	assert_string_equal(diag.msg, message);
}

static void make_full(struct workshop *shop)
{
	workshop_init(shop, TAGS(CLIENT_TAGS));
	workshop_add(shop, "[" SIGN_IN_SET "]");
	shop->profile.crl_hosts = true;
	kvg_profile_set_mode(&shop->profile, "audit", NULL);
	kvg_profile_set_inbound(&shop->profile, "deny", NULL);
	kvg_profile_add_identity(&shop->profile, "managed", NULL);
	kvg_profile_add_allow(&shop->profile, "192.0.2.66/32", "udp/53", "it's \"ours\" \\ é",
			      NULL);
	workshop_must(shop);
}

static void what_is_written_is_read_back_the_same(void **state)
{
	SHOP shop;
	POLICY again = NULL;
	TEXT first = NULL;
	TEXT second = NULL;
	size_t size;
	size_t size_again;

	(void)state;
	make_full(&shop);
	first = written(shop.policy, &size);
	again = read_back(first, size);
	second = written(again, &size_again);
	assert_string_equal(first, second);
	assert_memory_equal(shop.policy->digest, again->digest, KVG_DIGEST_BYTES);
	assert_int_equal(again->mode, KVG_MODE_AUDIT);
	assert_int_equal(again->inbound, KVG_INBOUND_DENY);
}

static void equal_inputs_give_equal_bytes(void **state)
{
	SHOP one;
	SHOP two;
	TEXT first = NULL;
	TEXT second = NULL;
	size_t size;

	(void)state;
	make_full(&one);
	make_full(&two);
	first = written(one.policy, &size);
	second = written(two.policy, &size);
	assert_string_equal(first, second);
}

static void the_document_has_the_contracts_fields_in_their_order(void **state)
{
	static const char *const keys[] = {"kvgate_policy", "profile", "cloud", "mode",  "inbound",
					   "sources",       "rules",   "hosts", "digest"};
	SHOP shop;
	TEXT text = NULL;
	json_t *root;
	const char *key;
	json_t *value;
	size_t size;
	size_t i = 0;

	(void)state;
	make_full(&shop);
	text = written(shop.policy, &size);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	json_object_foreach(root, key, value)
	{
		assert_true(i < KVG_ARRAY_SIZE(keys));
		assert_string_equal(key, keys[i++]);
	}
	assert_int_equal(i, KVG_ARRAY_SIZE(keys));
	json_decref(root);
	assert_non_null(strstr(text, "\n    { \"prefix\": \"198.51.100.0/28\", \"allow\": "
				     "[\"tcp/443\"], \"from\": [\"AzureKeyVault\"] },\n"));
}

/* Any JSON form is read, not only the one that is written: here without any white space. */
static void another_form_of_the_same_document_is_read_the_same(void **state)
{
	SHOP shop;
	POLICY again = NULL;
	TEXT text = NULL;
	TEXT compact = NULL;
	TEXT second = NULL;
	json_t *root;
	size_t size;

	(void)state;
	make_full(&shop);
	text = written(shop.policy, &size);
	root = json_loads(text, 0, NULL);
	compact = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	json_decref(root);
	again = read_back(compact, strlen(compact));
	second = written(again, &size);
	assert_string_equal(text, second);
}

static void the_digest_covers_what_is_enforced_and_nothing_else(void **state)
{
	static const char lf[] = TAGS(CLIENT_TAGS);
	SHOP one;
	SHOP two;
	char crlf[2 * sizeof(lf)];
	size_t used = 0;

	(void)state;
	for (const char *c = lf; *c; c++) {
		crlf[used++] = *c;
		if (*c == ',') {
			crlf[used++] = '\r';
			crlf[used++] = '\n';
		}
	}
	crlf[used] = '\0';

	workshop_init(&one, lf);
	workshop_init(&two, crlf);
	free(two.profile.name);
	two.profile.name = strdup("other");
	workshop_must(&one);
	workshop_must(&two);
	assert_memory_not_equal(one.policy->sources[0].sha256, two.policy->sources[0].sha256,
				KVG_DIGEST_BYTES);
	assert_memory_equal(one.policy->digest, two.policy->digest, KVG_DIGEST_BYTES);

	kvg_profile_add_allow(&two.profile, "203.0.113.1/32", "tcp/443", NULL, NULL);
	workshop_must(&two);
	assert_memory_not_equal(one.policy->digest, two.policy->digest, KVG_DIGEST_BYTES);
}

static void the_digest_is_over_the_documented_bytes(void **state)
{
	static const unsigned char expected[] = {
		'k',  'v', 'g', 'a', 't', 'e', '-', 'p', 'o', 'l',  'i',  'c', 'y', ' ', '1',
		'\n', 0,   0,   2,   6,   1,   187, 17,  0,   53,   4,    32,  192, 0,   2,
		53,   0,   0,   0,   2,   6,   32,  32,  1,   0x0d, 0xb8, 0,   0,   0,   0,
		0,    0,   0,   0,   0,   0,   0,   0,   0,   0,    0,    1,
	};
	KVG_CLEANUP(kvg_freep) unsigned char *bytes = NULL;
	unsigned char digest[KVG_DIGEST_BYTES];
	struct kvg_permit permits[2] = {{.from = "a"}, {.from = "b"}};
	POLICY policy = NULL;
	size_t size;

	(void)state;
	kvg_prefix_parse("192.0.2.53/32", &permits[0].prefix, NULL);
	kvg_service_parse("udp/53", &permits[0].service, NULL);
	kvg_prefix_parse("2001:db8::/32", &permits[1].prefix, NULL);
	kvg_service_parse("tcp/443", &permits[1].service, NULL);
	assert_int_equal(kvg_policy_new("p", KVG_CLOUD_PUBLIC, &policy), 0);
	assert_int_equal(kvg_policy_set_permits(policy, permits, 2, NULL), 0);

	assert_int_equal(kvg_policy_digest_bytes(policy, &bytes, &size), 0);
	assert_int_equal(size, sizeof(expected));
	assert_memory_equal(bytes, expected, size);
	kvg_digest(bytes, size, digest);
	assert_memory_equal(policy->digest, digest, KVG_DIGEST_BYTES);
}

/* --- what is refused -------------------------------------------------------------------------------- */

static void a_policy_that_was_edited_is_refused(void **state)
{
	SHOP shop;
	TEXT text = NULL;
	size_t size;
	char *port;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	text = written(workshop_must(&shop), &size);
	port = strstr(text, "tcp/443");
	memcpy(port, "tcp/444", 7);
	assert_unread(text, "'digest' does not fit the rules: the policy was changed after it was "
			    "compiled");
}

static void rules_that_the_compiler_would_not_write_are_refused(void **state)
{
	(void)state;
	assert_unread(DOCUMENT(VERSION,
			       RULE("192.0.2.128/25", "\"tcp/443\"",
				    "\"a\"") "," RULE("192.0.2.0/26", "\"tcp/443\"", "\"a\""),
			       ""),
		      "'prefix' of rules[0] is needless or not in its place");
	assert_unread(DOCUMENT(VERSION, ONE "," RULE("192.0.2.0/25", "\"tcp/443\"", "\"a\""), ""),
		      "'rules' has needless ones");
	assert_unread(DOCUMENT(VERSION,
			       RULE("192.0.2.0/25", "\"tcp/443\"",
				    "\"a\"") "," RULE("192.0.2.128/25", "\"tcp/443\"", "\"a\""),
			       ""),
		      "'prefix' of rules[0] is needless or not in its place");
}

static void faults_of_a_rule_are_told_with_its_place(void **state)
{
	(void)state;
	assert_unread(DOCUMENT(VERSION, RULE("192.0.2.1/24", "\"tcp/443\"", "\"a\""), ""),
		      "'prefix' of rules[0]: \"192.0.2.1/24\" has host bits");
	assert_unread(DOCUMENT(VERSION, RULE("0.0.0.0/0", "\"tcp/443\"", "\"a\""), ""),
		      "'prefix' of rules[0] holds every address: it opens the gate");
	assert_unread(DOCUMENT(VERSION, ONE "," RULE("192.0.3.0/24", "\"icmp\"", "\"a\""), ""),
		      "'allow' of rules[1] holds what is no service such as tcp/443");
	assert_unread(DOCUMENT(VERSION, RULE("192.0.2.0/24", "", "\"a\""), ""),
		      "'allow' of rules[0] is empty");
	assert_unread(DOCUMENT(VERSION, RULE("192.0.2.0/24", "\"tcp/443\"", ""), ""),
		      "'from' of rules[0] is empty");
	assert_unread(DOCUMENT(VERSION, RULE("192.0.2.0/24", "443", "\"a\""), ""),
		      "'allow' of rules[0] holds what is no service such as tcp/443");
	assert_unread(DOCUMENT(VERSION, RULE("192.0.2.0/24", "\"tcp/443\"", "\"\\u001b[2J\""), ""),
		      "'from' of rules[0] holds what is no plain text");
	assert_unread(DOCUMENT(VERSION, "7", ""), "rules[0] is no object");
	assert_unread(DOCUMENT(VERSION, "{ \"prefix\": 7 }", ""),
		      "'prefix' of rules[0] is missing, or is no plain text");
	assert_unread(DOCUMENT(VERSION, "{ \"deny\": [] }", ""),
		      "'deny' of rules[0] is an unknown key");
}

static void faults_of_the_document_are_told_by_key(void **state)
{
	(void)state;
	assert_unread(DOCUMENT(VERSION, "", ""), "'rules' is empty: a policy never is");
	assert_unread(DOCUMENT("\"kvgate_policy\": 2", ONE, ""),
		      "'kvgate_policy' is not 1: no policy of this format");
	assert_unread(DOCUMENT(VERSION ", \"comment\": 1", ONE, ""), "'comment' is an unknown key");
	assert_unread(DOCUMENT(VERSION, ONE, ""), "'digest' does not fit the rules: the policy was "
						  "changed after it was compiled");
	assert_unread(DOCUMENT(VERSION, ONE, "{ \"name\": \"x\" }"),
		      "'function' of hosts[0] is missing, or is no plain text");
	assert_unread("{ " VERSION ", \"profile\": \"p\" }",
		      "'cloud' is missing, or is no plain text");
	assert_unread("[]", "document[0] is no object");
}

static void what_is_no_json_is_told_with_line_and_column(void **state)
{
	struct kvg_policy *untouched = NULL;
	struct kvg_diag diag = {0};
	const char text[] = "{\n  \"kvgate_policy\": 1,,\n";

	(void)state;
	assert_int_equal(kvg_policy_parse(text, sizeof(text) - 1, &untouched, &diag), -EINVAL);
	assert_int_equal(diag.line, 2);
	assert_non_null(strstr(diag.msg, "no JSON: "));
	assert_int_equal(kvg_policy_parse("", 0, &untouched, &diag), -EINVAL);
	assert_null(untouched);
}

static void a_nul_byte_is_refused(void **state)
{
	static const char text[] = "{ \"kvgate_policy\": 1\0, \"profile\": \"p\" }";
	struct kvg_policy *untouched = NULL;
	struct kvg_diag diag = {0};

	(void)state;
	assert_int_equal(kvg_policy_parse(text, sizeof(text) - 1, &untouched, &diag), -EINVAL);
	assert_string_equal(diag.msg, "a NUL byte");
}

static void a_key_that_stands_twice_is_refused(void **state)
{
	struct kvg_policy *untouched = NULL;
	const char text[] = "{ " VERSION ", " VERSION " }";

	(void)state;
	assert_int_equal(kvg_policy_parse(text, sizeof(text) - 1, &untouched, NULL), -EINVAL);
}

/* Cut anywhere, changed anywhere: never a policy, or the very same one. */
static void no_damaged_copy_is_taken_for_a_policy(void **state)
{
	SHOP shop;
	TEXT text = NULL;
	TEXT copy = NULL;
	size_t size;

	(void)state;
	random_seed();
	make_full(&shop);
	text = written(shop.policy, &size);
	copy = malloc(size + 1);
	for (int i = 0; i < 3000; i++) {
		POLICY policy = NULL;
		size_t cut = random_below(4) ? size : random_below((uint32_t)size - 1);

		memcpy(copy, text, size);
		if (cut == size)
			copy[random_below((uint32_t)size)] = (char)random_next();
		if (kvg_policy_parse(copy, cut, &policy, NULL) < 0)
			continue;
		assert_int_equal(kvg_policy_check(policy), 0);
		assert_memory_equal(policy->digest, shop.policy->digest, KVG_DIGEST_BYTES);
	}
}

/* --- look-ups ----------------------------------------------------------------------------------------- */

static void the_gate_entry_carries_services_mode_and_the_digests_start(void **state)
{
	struct kvg_gate gate;
	SHOP shop;

	(void)state;
	make_full(&shop);
	kvg_policy_gate(shop.policy, 4711, 3, 9, &gate);
	assert_int_equal(gate.cgroup_id, 4711);
	assert_int_equal(gate.slot, 3);
	assert_int_equal(gate.generation, 9);
	assert_int_equal(gate.mode, KVG_MODE_AUDIT);
	assert_int_equal(gate.inbound, KVG_INBOUND_DENY);
	assert_memory_equal(&gate.policy_id, shop.policy->digest, sizeof(gate.policy_id));
	assert_int_equal(gate.services_count, shop.policy->services_count);
	assert_memory_equal(gate.services, shop.policy->services,
			    gate.services_count * sizeof(gate.services[0]));
}

static void services_are_sorted_by_protocol_then_port_number(void **state)
{
	static const char *const given[] = {"udp/53", "tcp/8443", "tcp/80", "udp/5", "tcp/443"};
	static const char *const sorted[] = {"tcp/80", "tcp/443", "tcp/8443", "udp/5", "udp/53"};
	struct kvg_permit permits[5];
	POLICY policy = NULL;
	char text[KVG_SERVICE_STRLEN];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		kvg_prefix_parse("192.0.2.0/24", &permits[i].prefix, NULL);
		kvg_service_parse(given[i], &permits[i].service, NULL);
		permits[i].from = "a";
	}
	assert_int_equal(kvg_policy_new("p", KVG_CLOUD_PUBLIC, &policy), 0);
	assert_int_equal(kvg_policy_set_permits(policy, permits, 5, NULL), 0);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(kvg_service_format(&policy->services[i], text), sorted[i]);
	assert_int_equal(policy->rules[0].services, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back_the_same),
		cmocka_unit_test(equal_inputs_give_equal_bytes),
		cmocka_unit_test(the_document_has_the_contracts_fields_in_their_order),
		cmocka_unit_test(another_form_of_the_same_document_is_read_the_same),
		cmocka_unit_test(the_digest_covers_what_is_enforced_and_nothing_else),
		cmocka_unit_test(the_digest_is_over_the_documented_bytes),
		cmocka_unit_test(a_policy_that_was_edited_is_refused),
		cmocka_unit_test(rules_that_the_compiler_would_not_write_are_refused),
		cmocka_unit_test(faults_of_a_rule_are_told_with_its_place),
		cmocka_unit_test(faults_of_the_document_are_told_by_key),
		cmocka_unit_test(what_is_no_json_is_told_with_line_and_column),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(a_key_that_stands_twice_is_refused),
		cmocka_unit_test(no_damaged_copy_is_taken_for_a_policy),
		cmocka_unit_test(the_gate_entry_carries_services_mode_and_the_digests_start),
		cmocka_unit_test(services_are_sorted_by_protocol_then_port_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
