// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "seen.h"

#define FLOW                                                 \
	"{\"source\":{\"ip\":\"192.0.2.4\",\"port\":40000}," \
	"\"destination\":{\"ip\":\"203.0.113.9\",\"port\":443}}"
#define FLOW_SEEN "192.0.2.4 40000 > 203.0.113.9 443 tcp out opens x0; "

static void a_line_of_the_record_is_a_flow(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     "{\"event\":{\"reason\":\"destination\"},\"network\":{\"type\":\"ipv4\",\"transport\":"
	     "\"udp\",\"direction\":\"egress\"},\"source\":{\"ip\":\"192.0.2.4\",\"port\":5000},"
	     "\"destination\":{\"ip\":\"203.0.113.53\",\"port\":53},"
	     "\"process\":{\"name\":\"dig\"},\"kvgate\":{\"count\":3}}\n"
	     "{\"event\":{\"reason\":\"socket_type\"},\"kvgate\":{\"count\":1}}\n");
	assert_sound(&input);
	assert_int_equal(input.traffic.foreign, 1);
	assert_seen(&input, "192.0.2.4 5000 > 203.0.113.53 53 udp out by dig x3; ");
}

static void only_the_destination_must_be_there(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO, "{\"destination\":{\"ip\":\"2001:db8::1\",\"port\":443}}");
	assert_sound(&input);
	assert_seen(&input, ":: 0 > 2001:db8::1 443 tcp out opens x0; ");
}

static void an_inbound_flow_is_answered_by_its_destination(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_JSON,
	     "{\"source\":{\"ip\":\"198.51.100.7\",\"port\":50000,\"packets\":9},"
	     "\"destination\":{\"ip\":\"192.0.2.4\",\"port\":8080,\"packets\":4},"
	     "\"network\":{\"direction\":\"ingress\"}}");
	assert_sound(&input);
	assert_seen(&input, "192.0.2.4 8080 > 198.51.100.7 50000 tcp out answers x4; ");
}

static void values_may_stand_over_several_lines_or_in_one(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     "\xef\xbb\xbf{\n\"destination\":\n{\"ip\":\"203.0.113.9\",\n"
	     "\"port\":443}}\n" FLOW FLOW "\n{\"records\":[" FLOW "]}");
	assert_sound(&input);
	assert_int_equal(input.traffic.records, 4);
}

static void corrupt_lines_are_counted_and_the_first_is_named(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     FLOW "\n{\"destination\":{\"ip\"\n" FLOW "\nnonsense\n[1]\n"
		  "{\"destination\":{\"ip\":\"host.test\",\"port\":1}}\n" FLOW "\n");
	assert_int_equal(input.traffic.unreadable, 4);
	assert_int_equal(input.traffic.fault.line, 2);
	assert_false(input.traffic.cut);
	assert_int_equal(input.traffic.records, 3);
	assert_seen(&input, FLOW_SEEN);
}

static void an_end_in_the_middle_of_a_line_is_told(void **state)
{
	(void)state;
	for (size_t size = 1; size < strlen(FLOW); size++) {
		const char *text = FLOW "\n" FLOW;
		INPUT input;

		input_read(&input, KVG_INPUT_AUTO, text, strlen(FLOW) + 1 + size);
		assert_true(input.traffic.cut);
		assert_int_equal(input.traffic.fault.line, 2);
		assert_seen(&input, FLOW_SEEN);
	}
}

static void wrong_types_and_numbers_are_refused(void **state)
{
	static const char *const bad[] = {
		"{\"destination\":{\"ip\":\"203.0.113.9\",\"port\":65536}}",
		"{\"destination\":{\"ip\":\"203.0.113.9\",\"port\":-1}}",
		"{\"destination\":{\"ip\":\"203.0.113.9\",\"port\":\"443\"}}",
		"{\"destination\":{\"ip\":7,\"port\":443}}",
		"{\"destination\":{\"ip\":\"203.0.113.9\",\"port\":443},\"network\":{\"transport\":"
		"\"nonsense\"}}",
		"{\"destination\":{\"ip\":\"203.0.113.9\",\"port\":443},\"source\":{\"ip\":\"::1\"}"
		"}",
		"{}",
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(bad); i++) {
		INPUT input;

		READ(&input, KVG_INPUT_AUTO, bad[i]);
		assert_int_equal(input.traffic.unreadable, 1);
		assert_seen(&input, "");
	}
}

static void what_is_no_input_is_refused(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} inputs[] = {
		{"", "empty"},
		{"hello\n", "--format"},
		{"\x1f\x8b\x08", "compressed"},
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(inputs); i++) {
		INPUT input;

		READ(&input, KVG_INPUT_AUTO, inputs[i].text);
		assert_int_equal(input.r, -EINVAL);
		assert_non_null(strstr(input.diag.msg, inputs[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_the_record_is_a_flow),
		cmocka_unit_test(only_the_destination_must_be_there),
		cmocka_unit_test(an_inbound_flow_is_answered_by_its_destination),
		cmocka_unit_test(values_may_stand_over_several_lines_or_in_one),
		cmocka_unit_test(corrupt_lines_are_counted_and_the_first_is_named),
		cmocka_unit_test(an_end_in_the_middle_of_a_line_is_told),
		cmocka_unit_test(wrong_types_and_numbers_are_refused),
		cmocka_unit_test(what_is_no_input_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
