// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seen.h"

#define NSG_RECORD(tuples)                                                                   \
	"{\"time\":\"2026-01-05T12:00:00Z\",\"category\":\"NetworkSecurityGroupFlowEvent\"," \
	"\"properties\":{\"Version\":2,\"flows\":[{\"rule\":\"any\",\"flows\":["             \
	"{\"mac\":\"000D3A000001\",\"flowTuples\":[" tuples "]}]}]}}"
#define VNET_RECORD(tuples)                                                               \
	"{\"time\":\"2026-01-05T12:00:00Z\",\"flowLogVersion\":4,"                        \
	"\"category\":\"FlowLogFlowEvent\",\"flowRecords\":{\"flows\":[{\"aclID\":\"1\"," \
	"\"flowGroups\":[{\"rule\":\"any\",\"flowTuples\":[" tuples "]}]}]}}"
#define RECORDS(records) "{\"records\":[" records "]}"

#define OUTBOUND "\"1542110402,192.0.2.4,203.0.113.9,40000,443,T,O,A,B,,,,\""

static void an_nsg_flow_is_sent_by_its_source(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     RECORDS(NSG_RECORD(
		     OUTBOUND ","
			      "\"1542110403,192.0.2.4,203.0.113.9,40000,443,T,O,A,E,7,700,6,6000\","
			      "\"1542110403,192.0.2.4,203.0.113.53,5000,53,U,O,A,B,,,,\"")));
	assert_sound(&input);
	assert_seen(&input, "192.0.2.4 40000 > 203.0.113.9 443 tcp out opens x7; "
			    "192.0.2.4 5000 > 203.0.113.53 53 udp out x0; ");
}

static void of_an_inbound_flow_the_way_back_counts(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     RECORDS(NSG_RECORD("\"1,198.51.100.7,192.0.2.4,50000,8080,T,I,A,E,7,700,6,6000\","
				"\"1,198.51.100.7,192.0.2.4,50000,161,U,I,A,E,7,700,0,0\","
				"\"1,198.51.100.7,192.0.2.4,50001,161,U,I,A,E,7,700,2,90\"")));
	assert_sound(&input);
	assert_int_equal(input.traffic.records, 3);
	assert_seen(&input, "192.0.2.4 8080 > 198.51.100.7 50000 tcp out answers x6; "
			    "192.0.2.4 161 > 198.51.100.7 50001 udp out x2; ");
}

static void what_is_denied_already_is_counted_apart(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     RECORDS(NSG_RECORD(
		     "\"1,192.0.2.4,203.0.113.9,40000,25,T,O,D,B,,,,\","
		     "\"1,198.51.100.7,192.0.2.4,50000,22,T,I,D,B,,,,\"") "," VNET_RECORD("\"1,192."
											  "0.2.4,"
											  "203.0."
											  "113.9,"
											  "40000,"
											  "25,6,O,"
											  "D,NX,0,"
											  "0,0,"
											  "0\"")));
	assert_sound(&input);
	assert_int_equal(input.traffic.count, 0);
	assert_int_equal(input.traffic.denied, 2);
}

static void version_one_has_no_counts(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_NSG,
	     RECORDS(NSG_RECORD("\"1,192.0.2.4,203.0.113.9,40000,443,T,O,A\"")));
	assert_sound(&input);
	assert_seen(&input, "192.0.2.4 40000 > 203.0.113.9 443 tcp out opens x0; ");
}

static void a_vnet_flow_has_a_number_for_its_protocol(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_AUTO,
	     RECORDS(VNET_RECORD(
		     "\"1663146003599,192.0.2.4,203.0.113.9,40000,443,6,O,B,NX,0,0,0,0\","
		     "\"1663146003606,192.0.2.4,203.0.113.9,40000,443,6,O,E,NX,3,767,2,1580\","
		     "\"1663146003606,2001:db8::4,2001:db8:9::1,0,0,58,O,C,NX,1,60,1,60\","
		     "\"1663146003606,198.51.100.7,192.0.2.4,50000,443,6,I,C,NX,4,60,5,60\"")));
	assert_sound(&input);
	assert_seen(&input, "192.0.2.4 443 > 198.51.100.7 50000 tcp out answers x5; "
			    "192.0.2.4 40000 > 203.0.113.9 443 tcp out opens x3; "
			    "2001:db8::4 0 > 2001:db8:9::1 0 ipv6-icmp out x1; ");
}

static void bad_tuples_are_named_and_the_rest_is_read(void **state)
{
	static const char *const bad[] = {
		"\"\"",
		"\"1,192.0.2.4,203.0.113.9,40000,443,T,O\"",
		"\"1,192.0.2.4,203.0.113.9,40000,443,X,O,A,B,,,,\"",
		"\"1,192.0.2.4,203.0.113.9,40000,443,T,X,A,B,,,,\"",
		"\"1,192.0.2.4,203.0.113.9,40000,443,T,O,X,B,,,,\"",
		"\"1,192.0.2.4,203.0.113.9,40000,65536,T,O,A,B,,,,\"",
		"\"1,192.0.2.4,2001:db8::1,40000,443,T,O,A,B,,,,\"",
		"\"1,192.0.2.4,203.0.113.9,40000,443,T,O,A,E,-1,1,1,1\"",
		"7",
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(bad); i++) {
		INPUT input;
		char text[1024];

		snprintf(text, sizeof(text), RECORDS(NSG_RECORD("%s," OUTBOUND)), bad[i]);
		READ(&input, KVG_INPUT_AUTO, text);
		assert_int_equal(input.traffic.unreadable, 1);
		assert_non_null(strstr(input.traffic.fault.msg, "tuple"));
		assert_seen(&input, "192.0.2.4 40000 > 203.0.113.9 443 tcp out opens x0; ");
	}
}

/* Wherever it is cut: what was whole before that is read, and the cut is told. */
static void a_log_that_is_cut_is_read_as_far_as_it_goes(void **state)
{
	const char *text = RECORDS(NSG_RECORD(OUTBOUND) ",\n" NSG_RECORD(OUTBOUND));
	size_t first = strlen(RECORDS(NSG_RECORD(OUTBOUND))) - 2;

	(void)state;
	for (size_t size = strlen("{\"records\":["); size < strlen(text); size++) {
		INPUT input;

		input_read(&input, KVG_INPUT_AUTO, text, size);
		assert_int_equal(input.r, 0);
		assert_int_equal(input.traffic.records, size < first              ? 0
							: size < strlen(text) - 2 ? 1
										  : 2);
		if (size < strlen(text) - 1)
			assert_true(input.traffic.cut);
	}
}

static void other_logs_are_refused_where_one_kind_is_asked_for(void **state)
{
	INPUT input;

	(void)state;
	READ(&input, KVG_INPUT_VNET, RECORDS(NSG_RECORD(OUTBOUND)));
	assert_int_equal(input.traffic.unreadable, 1);
	assert_seen(&input, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_nsg_flow_is_sent_by_its_source),
		cmocka_unit_test(of_an_inbound_flow_the_way_back_counts),
		cmocka_unit_test(what_is_denied_already_is_counted_apart),
		cmocka_unit_test(version_one_has_no_counts),
		cmocka_unit_test(a_vnet_flow_has_a_number_for_its_protocol),
		cmocka_unit_test(bad_tuples_are_named_and_the_rest_is_read),
		cmocka_unit_test(a_log_that_is_cut_is_read_as_far_as_it_goes),
		cmocka_unit_test(other_logs_are_refused_where_one_kind_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
