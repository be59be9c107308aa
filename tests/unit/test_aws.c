// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seen.h"

#define DEFAULT "2 123456789010 eni-0a1b "

static void the_default_format_needs_no_heading(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     DEFAULT
	     "192.0.2.4 203.0.113.9 40000 443 6 10 840 1620000000 1620000060 ACCEPT OK\n" DEFAULT
	     "203.0.113.9 192.0.2.4 443 40000 6 9 900 1620000000 1620000060 ACCEPT OK\n" DEFAULT
	     "192.0.2.4 203.0.113.10 0 0 1 4 336 1620000000 1620000060 ACCEPT OK\n");
	assert_sound(&input);
	assert_int_equal(input.format, KVG_INPUT_AWS);
	assert_seen(&input, "203.0.113.9 443 > 192.0.2.4 40000 tcp x9; "
			    "192.0.2.4 40000 > 203.0.113.9 443 tcp x10; "
			    "192.0.2.4 0 > 203.0.113.10 0 icmp x4; ");
}

static void a_heading_says_where_the_fields_are(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     "srcport dstport protocol srcaddr dstaddr pkt-srcaddr pkt-dstaddr tcp-flags "
	     "flow-direction packets\n"
	     "40000 443 6 192.0.2.4 192.0.2.1 192.0.2.4 203.0.113.9 2 egress 7\n"
	     "443 40000 6 192.0.2.1 192.0.2.4 203.0.113.9 192.0.2.4 18 ingress 6\n"
	     "8080 50000 6 192.0.2.4 198.51.100.7 - - 19 egress 5\n");
	assert_sound(&input);
	assert_seen(&input, "203.0.113.9 443 > 192.0.2.4 40000 tcp in answers x6; "
			    "192.0.2.4 8080 > 198.51.100.7 50000 tcp out answers x5; "
			    "192.0.2.4 40000 > 203.0.113.9 443 tcp out opens x7; ");
}

static void what_is_rejected_already_is_counted_apart(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AWS,
	     DEFAULT "192.0.2.4 203.0.113.9 40000 443 6 10 840 1 2 REJECT OK\n");
	assert_sound(&input);
	assert_int_equal(input.traffic.denied, 1);
	assert_int_equal(input.traffic.count, 0);
}

static void intervals_without_data_are_no_fault_and_skipped_ones_are(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO, DEFAULT "- - - - - - - 1 2 - NODATA\n");
	assert_sound(&input);
	input_done(&input);

	READ(&input, KVG_INPUT_AUTO, DEFAULT "- - - - - - - 1 2 - SKIPDATA\n");
	assert_int_equal(input.traffic.unreadable, 1);
	assert_non_null(strstr(input.traffic.fault.msg, "left out"));
}

static void the_time_that_a_log_service_puts_before_is_skipped(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     "2026-01-05T12:00:00.000Z " DEFAULT
	     "192.0.2.4 203.0.113.9 40000 443 6 10 840 1 2 ACCEPT OK\n");
	assert_sound(&input);
	assert_seen(&input, "192.0.2.4 40000 > 203.0.113.9 443 tcp x10; ");
}

static void lines_of_other_lengths_are_named(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AWS,
	     DEFAULT "192.0.2.4 203.0.113.9 40000 443 6 10 840 1 2 ACCEPT\n" DEFAULT
		     "192.0.2.4 203.0.113.9 40000 443 6 10 840 1 2 ACCEPT OK\n" DEFAULT
		     "192.0.2.4 203.0.113.9 40000 99999 6 10 840 1 2 ACCEPT OK\n");
	assert_int_equal(input.traffic.unreadable, 2);
	assert_int_equal(input.traffic.fault.line, 1);
	assert_int_equal(input.traffic.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_format_needs_no_heading),
		cmocka_unit_test(a_heading_says_where_the_fields_are),
		cmocka_unit_test(what_is_rejected_already_is_counted_apart),
		cmocka_unit_test(intervals_without_data_are_no_fault_and_skipped_ones_are),
		cmocka_unit_test(the_time_that_a_log_service_puts_before_is_skipped),
		cmocka_unit_test(lines_of_other_lengths_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
