// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seen.h"

static void sockets_of_the_machine_are_its_own_flows(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     "State    Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n"
	     "ESTAB    0      0      192.0.2.4:40000 203.0.113.9:443   "
	     "users:((\"curl\",pid=42,fd=5))\n"
	     "SYN-SENT 0      1      192.0.2.4:40001 203.0.113.10:443\n"
	     "SYN-RECV 0      0      192.0.2.4:8080  198.51.100.7:50000\n");
	assert_sound(&input);
	assert_int_equal(input.format, KVG_INPUT_SS);
	assert_seen(&input, "192.0.2.4 8080 > 198.51.100.7 50000 tcp out answers x0; "
			    "192.0.2.4 40000 > 203.0.113.9 443 tcp out by curl x0; "
			    "192.0.2.4 40001 > 203.0.113.10 443 tcp out opens x0; ");
}

static void both_protocols_have_a_column_that_says_which(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port\n"
	     "udp   ESTAB  0 0 192.0.2.4%eth0:68  192.0.2.1:67\n"
	     "udp   UNCONN 0 0 0.0.0.0:5353  0.0.0.0:*\n"
	     "tcp   ESTAB  0 0 [2001:db8::4]:40000 [2001:db8:9::1]:443\n"
	     "tcp   ESTAB  0 0 [::ffff:192.0.2.4]:40000 [::ffff:203.0.113.9]:443\n"
	     "tcp   ESTAB  0 0 127.0.0.1:40000 127.0.0.1:5432\n"
	     "u_str ESTAB  0 0 * 12345 * 12346\n");
	assert_sound(&input);
	assert_int_equal(input.traffic.foreign, 2);
	assert_seen(&input, "127.0.0.1 40000 > 127.0.0.1 5432 tcp out loopback x0; "
			    "192.0.2.4 68 > 192.0.2.1 67 udp out x0; "
			    "192.0.2.4 40000 > 203.0.113.9 443 tcp out x0; "
			    "2001:db8::4 40000 > 2001:db8:9::1 443 tcp out x0; ");
}

static void lines_without_headings_and_states_are_read(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_SS,
	     "0 0 192.0.2.4:40000 203.0.113.9:443\n"
	     "\t cubic wscale:7,7 rto:204\n\n"
	     "ESTAB 0 0 192.0.2.4:40001 203.0.113.9:443 timer:(keepalive,1min,0) "
	     "users:((\"a name\",pid=42,fd=5))");
	assert_sound(&input);
	assert_seen(&input, "192.0.2.4 40000 > 203.0.113.9 443 tcp out x0; "
			    "192.0.2.4 40001 > 203.0.113.9 443 tcp out x0; ");
}

static void listeners_tell_which_ports_take_connections(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_SS, "LISTEN 0 4096 *:8080 *:*\nLISTEN 0 5 [::]:22 [::]:*\n");
	assert_sound(&input);
	assert_true(kvg_traffic_listens(&input.traffic, htons(8080)));
	assert_true(kvg_traffic_listens(&input.traffic, htons(22)));
	assert_false(kvg_traffic_listens(&input.traffic, htons(8081)));
	assert_int_equal(input.traffic.count, 0);
}

static void names_instead_of_numbers_are_told(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_SS,
	     "ESTAB 0 0 192.0.2.4:40000 203.0.113.9:https\n"
	     "ESTAB 0 0 192.0.2.4:40000 203.0.113.9:443\n");
	assert_int_equal(input.traffic.unreadable, 1);
	assert_int_equal(input.traffic.fault.line, 1);
	assert_non_null(strstr(input.traffic.fault.msg, "-n is needed"));
	assert_seen(&input, "192.0.2.4 40000 > 203.0.113.9 443 tcp out x0; ");
}

static void a_cut_line_is_told_as_that(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_SS, "ESTAB 0 0 192.0.2.4:40000 203.0.113.9:443\nESTAB 0 0 192.0");
	assert_true(input.traffic.cut);
	assert_int_equal(input.traffic.fault.line, 2);
	assert_int_equal(input.traffic.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_of_the_machine_are_its_own_flows),
		cmocka_unit_test(both_protocols_have_a_column_that_says_which),
		cmocka_unit_test(lines_without_headings_and_states_are_read),
		cmocka_unit_test(listeners_tell_which_ports_take_connections),
		cmocka_unit_test(names_instead_of_numbers_are_told),
		cmocka_unit_test(a_cut_line_is_told_as_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
