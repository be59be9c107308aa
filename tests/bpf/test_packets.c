// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who may be reached at which port. inbound_denied alone cannot be had by test runs, for the kernel gives
 * their packets no TCP socket: tests/e2e/ has it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel.h"
#include "packet.h"
#include "usual.h"

static void granted_services_pass(void **state)
{
	kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, KVG_INSIDE6, 443, KVG_REASON_ALLOWED);
	kvg_expect_udp(state, "198.51.100.53", 53, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "198.51.100.53", 53, KVG_REASON_ALLOWED);
	kvg_expect_udp(state, "2001:db8:53::53", 53, KVG_REASON_ALLOWED);
}

static void a_gate_without_policy_refuses_everything(void **state)
{
	struct kvg_gate *gate = kvg_usual_gate(state);

	gate->slot = 0;
	kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_NO_POLICY);
	kvg_expect_tcp(state, KVG_INSIDE6, 443, KVG_REASON_NO_POLICY);
	kvg_expect_bytes(state, "\x50", 1, false, KVG_REASON_NO_POLICY);

	memset(gate, 0, sizeof(*gate));
	kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_NO_POLICY);
}

static void a_slot_without_tries_grants_nothing(void **state)
{
	kvg_usual_gate(state)->slot = KVG_SLOTS_MAX - 1;
	kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, KVG_INSIDE6, 443, KVG_REASON_DESTINATION);
}

static void a_slot_out_of_range_grants_nothing(void **state)
{
	kvg_usual_gate(state)->slot = KVG_SLOTS_MAX;
	kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_DESTINATION);
	kvg_usual_gate(state)->slot = UINT32_MAX;
	kvg_expect_tcp(state, KVG_INSIDE6, 443, KVG_REASON_DESTINATION);
}

static void prefixes_end_where_they_say(void **state)
{
	kvg_expect_tcp(state, "192.0.1.255", 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "192.0.2.0", 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "192.0.2.255", 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "192.0.3.0", 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", 443,
		       KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "2001:db8::", 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "2001:db9::", 443, KVG_REASON_DESTINATION);
}

static void destinations_outside_every_prefix_are_refused(void **state)
{
	kvg_expect_tcp(state, KVG_OUTSIDE4, 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, KVG_OUTSIDE6, 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "0.0.0.0", 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "255.255.255.255", 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "224.0.0.1", 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "::", 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "ff02::1", 443, KVG_REASON_DESTINATION);
}

static void a_loopback_address_on_another_device_is_no_loopback(void **state)
{
	kvg_expect_tcp(state, "127.0.0.1", 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "::1", 443, KVG_REASON_DESTINATION);
}

static void ports_of_no_destination_are_refused(void **state)
{
	kvg_expect_tcp(state, KVG_INSIDE4, 22, KVG_REASON_PORT);
	kvg_expect_tcp(state, KVG_OUTSIDE4, 22, KVG_REASON_PORT);
	kvg_expect_tcp(state, KVG_INSIDE6, 444, KVG_REASON_PORT);
	kvg_expect_tcp(state, KVG_INSIDE4, 0, KVG_REASON_PORT);
	kvg_expect_tcp(state, KVG_INSIDE4, 65535, KVG_REASON_PORT);
}

static void a_port_is_of_its_protocol_alone(void **state)
{
	kvg_expect_udp(state, KVG_INSIDE4, 443, KVG_REASON_PORT);
	kvg_expect_udp(state, KVG_INSIDE6, 443, KVG_REASON_PORT);
	kvg_expect_udp(state, "192.0.2.129", 80, KVG_REASON_PORT);
}

static void ports_are_read_in_network_order(void **state)
{
	kvg_expect_tcp(state, KVG_INSIDE4, ntohs(443), KVG_REASON_PORT);
	kvg_expect_udp(state, "198.51.100.53", ntohs(53), KVG_REASON_PORT);
}

static void the_source_port_is_not_looked_at(void **state)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, KVG_INSIDE4, 22);
	packet.bytes[20] = 443 >> 8;
	packet.bytes[21] = 443 & 0xff;
	kvg_expect(state, &packet, KVG_REASON_PORT);
}

static void a_port_of_other_destinations_is_refused_here(void **state)
{
	kvg_expect_tcp(state, KVG_INSIDE4, 80, KVG_REASON_PORT_FOR_DESTINATION);
	kvg_expect_tcp(state, KVG_INSIDE6, 80, KVG_REASON_PORT_FOR_DESTINATION);
	kvg_expect_tcp(state, "198.51.100.53", 443, KVG_REASON_PORT_FOR_DESTINATION);
	kvg_expect_udp(state, KVG_INSIDE4, 53, KVG_REASON_PORT_FOR_DESTINATION);
	kvg_expect_udp(state, KVG_INSIDE6, 53, KVG_REASON_PORT_FOR_DESTINATION);
}

static void longest_prefix_wins(void **state)
{
	kvg_expect_tcp(state, "192.0.2.127", 80, KVG_REASON_PORT_FOR_DESTINATION);
	kvg_expect_tcp(state, "192.0.2.128", 80, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "192.0.2.128", 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "2001:db8:7fff::", 80, KVG_REASON_PORT_FOR_DESTINATION);
	kvg_expect_tcp(state, "2001:db8:8000::", 80, KVG_REASON_ALLOWED);
}

static void an_inner_prefix_with_less_takes_away(void **state)
{
	struct kvg_text_policy text = {};

	kvg_text_policy_add(&text, "192.0.2.0/24", "tcp/443 udp/53");
	kvg_text_policy_add(&text, "192.0.2.64/26", "udp/53");
	kvg_text_policy_add(&text, "2001:db8::/32", "tcp/443 udp/53");
	kvg_text_policy_add(&text, "2001:db8::/64", "udp/53");
	kvg_usual_replace(state, &text);

	kvg_expect_tcp(state, "192.0.2.63", 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "192.0.2.64", 443, KVG_REASON_PORT_FOR_DESTINATION);
	kvg_expect_udp(state, "192.0.2.64", 53, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "2001:db8:0:1::", 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "2001:db8::1", 443, KVG_REASON_PORT_FOR_DESTINATION);
}

static void the_whole_address_space_can_be_a_prefix(void **state)
{
	struct kvg_text_policy text = {};

	kvg_text_policy_add(&text, "0.0.0.0/0", "tcp/443");
	kvg_usual_replace(state, &text);

	kvg_expect_tcp(state, KVG_OUTSIDE4, 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, "255.255.255.255", 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, KVG_OUTSIDE6, 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "::ffff:192.0.2.1", 443, KVG_REASON_DESTINATION);
}

static void a_mapped_destination_in_an_ipv6_packet_is_not_ipv4(void **state)
{
	kvg_expect_tcp(state, "::ffff:192.0.2.1", 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "::192.0.2.1", 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "64:ff9b::192.0.2.1", 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, "2002:c000:201::", 443, KVG_REASON_DESTINATION);
}

static void every_service_has_its_own_bit(void **state)
{
	struct kvg_text_policy text = {};
	char service[16];

	for (int i = 0; i < KVG_SERVICES_MAX; i++) {
		char prefix[24];

		snprintf(prefix, sizeof(prefix), "192.0.2.%d/32", i);
		snprintf(service, sizeof(service), "tcp/%d", 1000 + i);
		assert_int_equal(kvg_text_policy_add(&text, prefix, service), 0);
	}
	kvg_usual_replace(state, &text);

	for (int i = 0; i < KVG_SERVICES_MAX; i++) {
		char address[20];

		snprintf(address, sizeof(address), "192.0.2.%d", i);
		for (int port = 1000; port < 1000 + KVG_SERVICES_MAX; port++)
			kvg_expect_tcp(state, address, port,
				       port == 1000 + i ? KVG_REASON_ALLOWED
							: KVG_REASON_PORT_FOR_DESTINATION);
		kvg_expect_tcp(state, address, 1000 + KVG_SERVICES_MAX, KVG_REASON_PORT);
	}
}

static void services_behind_the_count_do_not_count(void **state)
{
	struct kvg_gate *gate = kvg_usual_gate(state);

	gate->services_count = 0;
	kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_PROTOCOL);
	gate->services_count = 1;
	kvg_expect_tcp(state, "192.0.2.129", 80, KVG_REASON_PORT);
}

static void a_protocol_without_any_service_is_refused(void **state)
{
	struct kvg_text_policy text = {};

	kvg_text_policy_add(&text, "192.0.2.0/24", "tcp/443");
	kvg_usual_replace(state, &text);

	kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_ALLOWED);
	kvg_expect_udp(state, KVG_INSIDE4, 443, KVG_REASON_PROTOCOL);
	kvg_expect_udp(state, KVG_OUTSIDE4, 53, KVG_REASON_PROTOCOL);
}

static void expect_would_refuse(void **state, const struct kvg_packet_bytes *packet,
				enum kvg_reason reason)
{
	kvg_expect_bytes(state, packet->bytes, packet->size, true, reason);
}

static void audit_mode_passes_what_it_would_refuse(void **state)
{
	struct kvg_packet_bytes packet;

	kvg_usual_gate(state)->mode = KVG_MODE_AUDIT;
	kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_ALLOWED);

	kvg_packet_tcp(&packet, KVG_OUTSIDE4, 443);
	expect_would_refuse(state, &packet, KVG_REASON_DESTINATION);
	kvg_packet_tcp(&packet, KVG_INSIDE6, 80);
	expect_would_refuse(state, &packet, KVG_REASON_PORT_FOR_DESTINATION);
	kvg_packet_start(&packet, KVG_INSIDE4, IPPROTO_ICMP);
	expect_would_refuse(state, &packet, KVG_REASON_PROTOCOL);
	packet.size = 7;
	expect_would_refuse(state, &packet, KVG_REASON_MALFORMED);
}

static void an_unknown_mode_enforces(void **state)
{
	kvg_usual_gate(state)->mode = KVG_MODE_COUNT;
	kvg_expect_tcp(state, KVG_OUTSIDE4, 443, KVG_REASON_DESTINATION);
}

static void inbound_modes_do_not_touch_what_the_client_begins(void **state)
{
	for (int inbound = 0; inbound < KVG_INBOUND_COUNT; inbound++) {
		kvg_usual_gate(state)->inbound = inbound;
		kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_ALLOWED);
		kvg_expect_tcp(state, KVG_OUTSIDE4, 443, KVG_REASON_DESTINATION);
		kvg_expect_tcp(state, KVG_INSIDE6, 80, KVG_REASON_PORT_FOR_DESTINATION);
	}
}

static void another_slot_is_another_policy_at_once(void **state)
{
	struct kvg_text_policy text = {};
	struct kvg_gate gate;

	kvg_text_policy_add(&text, "203.0.113.0/24", "tcp/443");
	assert_int_equal(kvg_kernel_fill(kvg_usual_kernel(state), &text.policy, &gate), 0);
	kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_ALLOWED);
	kvg_expect_tcp(state, KVG_OUTSIDE4, 443, KVG_REASON_DESTINATION);

	*kvg_usual_gate(state) = gate;
	kvg_expect_tcp(state, KVG_INSIDE4, 443, KVG_REASON_DESTINATION);
	kvg_expect_tcp(state, KVG_OUTSIDE4, 443, KVG_REASON_ALLOWED);
}

#define TEST(name) cmocka_unit_test_setup(name, kvg_usual_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(granted_services_pass),
		TEST(a_gate_without_policy_refuses_everything),
		TEST(a_slot_without_tries_grants_nothing),
		TEST(a_slot_out_of_range_grants_nothing),
		TEST(prefixes_end_where_they_say),
		TEST(destinations_outside_every_prefix_are_refused),
		TEST(a_loopback_address_on_another_device_is_no_loopback),
		TEST(ports_of_no_destination_are_refused),
		TEST(a_port_is_of_its_protocol_alone),
		TEST(ports_are_read_in_network_order),
		TEST(the_source_port_is_not_looked_at),
		TEST(a_port_of_other_destinations_is_refused_here),
		TEST(longest_prefix_wins),
		TEST(an_inner_prefix_with_less_takes_away),
		TEST(the_whole_address_space_can_be_a_prefix),
		TEST(a_mapped_destination_in_an_ipv6_packet_is_not_ipv4),
		TEST(every_service_has_its_own_bit),
		TEST(services_behind_the_count_do_not_count),
		TEST(a_protocol_without_any_service_is_refused),
		TEST(audit_mode_passes_what_it_would_refuse),
		TEST(an_unknown_mode_enforces),
		TEST(inbound_modes_do_not_touch_what_the_client_begins),
		TEST(another_slot_is_another_policy_at_once),
	};

	return cmocka_run_group_tests(tests, kvg_usual_set_up, kvg_usual_tear_down);
}
