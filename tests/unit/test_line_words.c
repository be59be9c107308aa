// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "audit/line_words.h"

static struct kvg_line_words words_of(const char *rest)
{
	struct kvg_line_words words;
	json_t *line;
	char text[2048];

	snprintf(text, sizeof(text), "{\"@timestamp\":\"2026-01-02T03:04:05.000006Z\",%s}", rest);
	line = json_loads(text, 0, NULL);
	assert_non_null(line);
	kvg_line_words_read(line, &words);
	json_decref(line);
	return words;
}

#define REFUSED "\"event\":{\"action\":\"egress-refused\",\"reason\":\"destination\"},"

static void a_record_has_its_columns(void **state)
{
	struct kvg_line_words words = words_of(
		REFUSED
		"\"network\":{\"type\":\"ipv4\",\"transport\":\"tcp\"},"
		"\"destination\":{\"ip\":\"203.0.113.9\",\"port\":443,\"domain\":\"a.example\"},"
		"\"process\":{\"pid\":42,\"name\":\"curl\"},"
		"\"kvgate\":{\"gate\":\"/a\",\"profile\":\"p\",\"count\":3,\"nearest\":"
		"{\"prefix\":\"203.0.113.0/29\",\"from\":[\"Tag\"]}}");

	(void)state;
	assert_string_equal(words.time, "2026-01-02T03:04:05Z");
	assert_string_equal(words.verdict, "refused");
	assert_int_equal(words.count, 3);
	assert_string_equal(words.flow, "tcp 203.0.113.9:443");
	assert_string_equal(words.domain, "a.example");
	assert_string_equal(words.reason, "destination");
	assert_string_equal(words.process, "curl[42]");
	assert_string_equal(words.gate, "/a");
	assert_string_equal(words.profile, "p");
	assert_string_equal(words.nearest, "203.0.113.0/29 of Tag");
}

static void what_a_line_does_not_say_is_empty(void **state)
{
	struct kvg_line_words words = words_of(REFUSED "\"kvgate\":{\"hook\":\"egress\"}");

	(void)state;
	assert_string_equal(words.flow, "packet");
	assert_string_equal(words.process, "");
	assert_string_equal(words.nearest, "");
	assert_int_equal(words.count, 1);
}

static void flows_without_address_or_port_have_words_of_their_own(void **state)
{
	(void)state;
	assert_string_equal(words_of(REFUSED "\"network\":{\"type\":\"packet\"},"
					     "\"kvgate\":{\"hook\":\"sock_create\"}")
				    .flow,
			    "packet socket");
	assert_string_equal(words_of(REFUSED "\"network\":{\"iana_number\":\"132\"},"
					     "\"destination\":{\"ip\":\"2001:db8::1\"}")
				    .flow,
			    "ip/132 2001:db8::1");
	assert_string_equal(words_of(REFUSED "\"network\":{\"transport\":\"udp\"},\"destination\":"
					     "{\"ip\":\"2001:db8::1\",\"port\":53}")
				    .flow,
			    "udp [2001:db8::1]:53");
	assert_string_equal(words_of(REFUSED "\"kvgate\":{\"folded\":\"destinations\"}").flow,
			    "more destinations than are told apart");
}

static void no_name_is_a_command_to_the_terminal(void **state)
{
	struct kvg_line_words words = words_of(
		REFUSED "\"process\":{\"pid\":1,\"name\":\"\\u001b[2J\"},"
			"\"destination\":{\"ip\":\"\\u001b]0;x\\u0007\",\"domain\":\"\\u202eb\"},"
			"\"kvgate\":{\"gate\":\"/\\r\\n\",\"profile\":\"\\u009b\"}");

	(void)state;
	assert_string_equal(words.process, "?[2J[1]");
	assert_string_equal(words.flow, "?]0;x?");
	assert_string_equal(words.domain, "???b");
	assert_string_equal(words.gate, "/??");
	assert_string_equal(words.profile, "??");
}

static void a_line_of_loss_says_how_many_and_why(void **state)
{
	struct kvg_line_words words = words_of("\"event\":{\"action\":\"records-lost\",\"reason\":"
					       "\"disk full\"},\"kvgate\":{\"lost\":12}");

	(void)state;
	assert_string_equal(words.verdict, "lost");
	assert_int_equal(words.count, 12);
	assert_string_equal(words.reason, "disk full");
	assert_string_equal(words.flow, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_has_its_columns),
		cmocka_unit_test(what_a_line_does_not_say_is_empty),
		cmocka_unit_test(flows_without_address_or_port_have_words_of_their_own),
		cmocka_unit_test(no_name_is_a_command_to_the_terminal),
		cmocka_unit_test(a_line_of_loss_says_how_many_and_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
