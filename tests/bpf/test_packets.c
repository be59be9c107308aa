// SPDX-License-Identifier: BSD-2-Clause
/*
 * Packets through the egress hook. inbound_denied alone cannot be had by test runs, for the kernel gives
 * their packets no TCP socket: tests/e2e/ has it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "kernel.h"
#include "packet.h"
#include "policy/words.h"

#define INSIDE4  "192.0.2.1"
#define INSIDE6  "2001:db8::1"
#define OUTSIDE4 "203.0.113.9"
#define OUTSIDE6 "2001:db9::1"

struct fixture {
	struct kvg_kernel *kernel;
	struct kvg_gate usual_gate;
};

static struct kvg_kernel *kernel_of(void **state)
{
	return ((struct fixture *)*state)->kernel;
}

static struct kvg_gate *gate_of(void **state)
{
	return kvg_kernel_gate(kernel_of(state));
}

static int set_up_kernel(void **state)
{
	const struct kvg_kernel_sizes sizes = {0};
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct kvg_text_policy usual = {};
	int r;

	*state = fixture;
	r = kvg_kernel_open(&sizes, &fixture->kernel);
	if (r < 0) {
		print_error("the programs cannot be loaded: %s\n", strerror(-r));
		return r;
	}
	kvg_text_policy_add(&usual, "192.0.2.0/24", "tcp/443");
	kvg_text_policy_add(&usual, "192.0.2.128/25", "tcp/443 tcp/80");
	kvg_text_policy_add(&usual, "198.51.100.53/32", "udp/53 tcp/53");
	kvg_text_policy_add(&usual, "2001:db8::/32", "tcp/443");
	kvg_text_policy_add(&usual, "2001:db8:8000::/33", "tcp/443 tcp/80");
	kvg_text_policy_add(&usual, "2001:db8:53::53/128", "tcp/443 udp/53 tcp/53");
	return kvg_kernel_fill(fixture->kernel, &usual.policy, &fixture->usual_gate);
}

static int tear_down_kernel(void **state)
{
	struct fixture *fixture = *state;

	kvg_kernel_close(fixture->kernel);
	free(fixture);
	return 0;
}

static int use_usual_gate(void **state)
{
	struct fixture *fixture = *state;

	*kvg_kernel_gate(fixture->kernel) = fixture->usual_gate;
	return 0;
}

/* A policy of one test, in force at once. */
static void use(void **state, struct kvg_text_policy *text)
{
	struct kvg_gate gate;

	assert_int_equal(kvg_kernel_fill(kernel_of(state), &text->policy, &gate), 0);
	*gate_of(state) = gate;
}

static void expect_bytes(void **state, const void *bytes, size_t size, bool passes,
			 enum kvg_reason reason)
{
	struct kvg_verdict verdict;

	assert_int_equal(kvg_kernel_run(kernel_of(state), bytes, size, &verdict), 0);
	if (verdict.reason != reason || verdict.passed != passes)
		fail_msg("%s with reason %s, not %s with %s", verdict.passed ? "passed" : "stopped",
			 kvg_reason_word(verdict.reason), passes ? "passed" : "stopped",
			 kvg_reason_word(reason));
}

static void expect(void **state, const struct kvg_packet_bytes *packet, enum kvg_reason reason)
{
	expect_bytes(state, packet->bytes, packet->size, reason == KVG_REASON_ALLOWED, reason);
}

static void expect_tcp(void **state, const char *daddr, __u16 dport, enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, daddr, dport);
	expect(state, &packet, reason);
}

static void expect_udp(void **state, const char *daddr, __u16 dport, enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	kvg_packet_udp(&packet, daddr, dport);
	expect(state, &packet, reason);
}

static struct iphdr *ipv4(struct kvg_packet_bytes *packet)
{
	return (struct iphdr *)packet->bytes;
}

static void granted_services_pass(void **state)
{
	expect_tcp(state, INSIDE4, 443, KVG_REASON_ALLOWED);
	expect_tcp(state, INSIDE6, 443, KVG_REASON_ALLOWED);
	expect_udp(state, "198.51.100.53", 53, KVG_REASON_ALLOWED);
	expect_tcp(state, "198.51.100.53", 53, KVG_REASON_ALLOWED);
	expect_udp(state, "2001:db8:53::53", 53, KVG_REASON_ALLOWED);
}

static void a_gate_without_policy_refuses_everything(void **state)
{
	struct kvg_gate *gate = gate_of(state);

	gate->slot = 0;
	expect_tcp(state, INSIDE4, 443, KVG_REASON_NO_POLICY);
	expect_tcp(state, INSIDE6, 443, KVG_REASON_NO_POLICY);
	expect_bytes(state, "\x50", 1, false, KVG_REASON_NO_POLICY);

	memset(gate, 0, sizeof(*gate));
	expect_tcp(state, INSIDE4, 443, KVG_REASON_NO_POLICY);
}

static void a_slot_without_tries_grants_nothing(void **state)
{
	gate_of(state)->slot = KVG_SLOTS_MAX - 1;
	expect_tcp(state, INSIDE4, 443, KVG_REASON_DESTINATION);
	expect_tcp(state, INSIDE6, 443, KVG_REASON_DESTINATION);
}

static void a_slot_out_of_range_grants_nothing(void **state)
{
	gate_of(state)->slot = KVG_SLOTS_MAX;
	expect_tcp(state, INSIDE4, 443, KVG_REASON_DESTINATION);
	gate_of(state)->slot = UINT32_MAX;
	expect_tcp(state, INSIDE6, 443, KVG_REASON_DESTINATION);
}

static void prefixes_end_where_they_say(void **state)
{
	expect_tcp(state, "192.0.1.255", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "192.0.2.0", 443, KVG_REASON_ALLOWED);
	expect_tcp(state, "192.0.2.255", 443, KVG_REASON_ALLOWED);
	expect_tcp(state, "192.0.3.0", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "2001:db8::", 443, KVG_REASON_ALLOWED);
	expect_tcp(state, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 443, KVG_REASON_ALLOWED);
	expect_tcp(state, "2001:db9::", 443, KVG_REASON_DESTINATION);
}

static void destinations_outside_every_prefix_are_refused(void **state)
{
	expect_tcp(state, OUTSIDE4, 443, KVG_REASON_DESTINATION);
	expect_tcp(state, OUTSIDE6, 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "0.0.0.0", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "255.255.255.255", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "224.0.0.1", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "::", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "ff02::1", 443, KVG_REASON_DESTINATION);
}

static void a_loopback_address_on_another_device_is_no_loopback(void **state)
{
	expect_tcp(state, "127.0.0.1", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "::1", 443, KVG_REASON_DESTINATION);
}

static void ports_of_no_destination_are_refused(void **state)
{
	expect_tcp(state, INSIDE4, 22, KVG_REASON_PORT);
	expect_tcp(state, OUTSIDE4, 22, KVG_REASON_PORT);
	expect_tcp(state, INSIDE6, 444, KVG_REASON_PORT);
	expect_tcp(state, INSIDE4, 0, KVG_REASON_PORT);
	expect_tcp(state, INSIDE4, 65535, KVG_REASON_PORT);
}

static void a_port_is_of_its_protocol_alone(void **state)
{
	expect_udp(state, INSIDE4, 443, KVG_REASON_PORT);
	expect_udp(state, INSIDE6, 443, KVG_REASON_PORT);
	expect_udp(state, "192.0.2.129", 80, KVG_REASON_PORT);
}

static void ports_are_read_in_network_order(void **state)
{
	expect_tcp(state, INSIDE4, ntohs(443), KVG_REASON_PORT);
	expect_udp(state, "198.51.100.53", ntohs(53), KVG_REASON_PORT);
}

static void the_source_port_is_not_looked_at(void **state)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, INSIDE4, 22);
	packet.bytes[20] = 443 >> 8;
	packet.bytes[21] = 443 & 0xff;
	expect(state, &packet, KVG_REASON_PORT);
}

static void a_port_of_other_destinations_is_refused_here(void **state)
{
	expect_tcp(state, INSIDE4, 80, KVG_REASON_PORT_FOR_DESTINATION);
	expect_tcp(state, INSIDE6, 80, KVG_REASON_PORT_FOR_DESTINATION);
	expect_tcp(state, "198.51.100.53", 443, KVG_REASON_PORT_FOR_DESTINATION);
	expect_udp(state, INSIDE4, 53, KVG_REASON_PORT_FOR_DESTINATION);
	expect_udp(state, INSIDE6, 53, KVG_REASON_PORT_FOR_DESTINATION);
}

static void longest_prefix_wins(void **state)
{
	expect_tcp(state, "192.0.2.127", 80, KVG_REASON_PORT_FOR_DESTINATION);
	expect_tcp(state, "192.0.2.128", 80, KVG_REASON_ALLOWED);
	expect_tcp(state, "192.0.2.128", 443, KVG_REASON_ALLOWED);
	expect_tcp(state, "2001:db8:7fff::", 80, KVG_REASON_PORT_FOR_DESTINATION);
	expect_tcp(state, "2001:db8:8000::", 80, KVG_REASON_ALLOWED);
}

static void an_inner_prefix_with_less_takes_away(void **state)
{
	struct kvg_text_policy text = {};

	kvg_text_policy_add(&text, "192.0.2.0/24", "tcp/443 udp/53");
	kvg_text_policy_add(&text, "192.0.2.64/26", "udp/53");
	kvg_text_policy_add(&text, "2001:db8::/32", "tcp/443 udp/53");
	kvg_text_policy_add(&text, "2001:db8::/64", "udp/53");
	use(state, &text);

	expect_tcp(state, "192.0.2.63", 443, KVG_REASON_ALLOWED);
	expect_tcp(state, "192.0.2.64", 443, KVG_REASON_PORT_FOR_DESTINATION);
	expect_udp(state, "192.0.2.64", 53, KVG_REASON_ALLOWED);
	expect_tcp(state, "2001:db8:0:1::", 443, KVG_REASON_ALLOWED);
	expect_tcp(state, "2001:db8::1", 443, KVG_REASON_PORT_FOR_DESTINATION);
}

static void the_whole_address_space_can_be_a_prefix(void **state)
{
	struct kvg_text_policy text = {};

	kvg_text_policy_add(&text, "0.0.0.0/0", "tcp/443");
	use(state, &text);

	expect_tcp(state, OUTSIDE4, 443, KVG_REASON_ALLOWED);
	expect_tcp(state, "255.255.255.255", 443, KVG_REASON_ALLOWED);
	expect_tcp(state, OUTSIDE6, 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "::ffff:192.0.2.1", 443, KVG_REASON_DESTINATION);
}

static void a_mapped_destination_in_an_ipv6_packet_is_not_ipv4(void **state)
{
	expect_tcp(state, "::ffff:192.0.2.1", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "::192.0.2.1", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "64:ff9b::192.0.2.1", 443, KVG_REASON_DESTINATION);
	expect_tcp(state, "2002:c000:201::", 443, KVG_REASON_DESTINATION);
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
	use(state, &text);

	for (int i = 0; i < KVG_SERVICES_MAX; i++) {
		char address[20];

		snprintf(address, sizeof(address), "192.0.2.%d", i);
		for (int port = 1000; port < 1000 + KVG_SERVICES_MAX; port++)
			expect_tcp(state, address, port,
				   port == 1000 + i ? KVG_REASON_ALLOWED
						    : KVG_REASON_PORT_FOR_DESTINATION);
		expect_tcp(state, address, 1000 + KVG_SERVICES_MAX, KVG_REASON_PORT);
	}
}

static void services_behind_the_count_do_not_count(void **state)
{
	struct kvg_gate *gate = gate_of(state);

	gate->services_count = 0;
	expect_tcp(state, INSIDE4, 443, KVG_REASON_PROTOCOL);
	gate->services_count = 1;
	expect_tcp(state, "192.0.2.129", 80, KVG_REASON_PORT);
}

static void a_protocol_without_any_service_is_refused(void **state)
{
	struct kvg_text_policy text = {};

	kvg_text_policy_add(&text, "192.0.2.0/24", "tcp/443");
	use(state, &text);

	expect_tcp(state, INSIDE4, 443, KVG_REASON_ALLOWED);
	expect_udp(state, INSIDE4, 443, KVG_REASON_PROTOCOL);
	expect_udp(state, OUTSIDE4, 53, KVG_REASON_PROTOCOL);
}

/* ICMP, IGMP, IP-in-IP, DCCP, IPv6-in-IPv4, GRE, ESP, AH, SCTP, UDP-Lite, and what is not yet thought of. */
static void only_tcp_and_udp_pass_in_ipv4(void **state)
{
	for (int protocol = 0; protocol < 256; protocol++) {
		struct kvg_packet_bytes packet;

		if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
			continue;
		kvg_packet_start(&packet, INSIDE4, protocol);
		kvg_packet_add_tcp(&packet, 443);
		expect(state, &packet, KVG_REASON_PROTOCOL);
	}
}

static enum kvg_reason expected_of_next_header(int next)
{
	switch (next) {
	case 44: /* fragment */
		return KVG_REASON_FRAGMENT;
	case 0:   /* hop-by-hop options */
	case 43:  /* routing */
	case 50:  /* ESP */
	case 51:  /* AH */
	case 60:  /* destination options */
	case 135: /* mobility */
	case 139: /* host identity */
	case 140: /* shim6 */
		return KVG_REASON_IPV6_EXTENSION;
	default:
		return KVG_REASON_PROTOCOL;
	}
}

static void only_tcp_and_udp_pass_in_ipv6(void **state)
{
	for (int next = 0; next < 256; next++) {
		struct kvg_packet_bytes packet;

		if (next == IPPROTO_TCP || next == IPPROTO_UDP)
			continue;
		kvg_packet_start(&packet, INSIDE6, next);
		kvg_packet_add_tcp(&packet, 443);
		expect(state, &packet, expected_of_next_header(next));
	}
}

/* An extension header of 8 bytes, then a TCP header that would be allowed. */
static void expect_extension(void **state, __u8 header, const __u8 bytes[8], enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	kvg_packet_start(&packet, INSIDE6, header);
	kvg_packet_add(&packet, bytes, 8);
	kvg_packet_add_tcp(&packet, 443);
	expect(state, &packet, reason);
}

static void tcp_behind_an_extension_header_is_refused(void **state)
{
	static const __u8 pad[8] = {IPPROTO_TCP, 0, 1, 4};
	static const __u8 routing[8] = {IPPROTO_TCP, 0, 0, 0};

	expect_extension(state, IPPROTO_HOPOPTS, pad, KVG_REASON_IPV6_EXTENSION);
	expect_extension(state, IPPROTO_DSTOPTS, pad, KVG_REASON_IPV6_EXTENSION);
	expect_extension(state, IPPROTO_ROUTING, routing, KVG_REASON_IPV6_EXTENSION);
}

static void ipv6_fragments_are_refused(void **state)
{
	static const __u8 first[8] = {IPPROTO_TCP, 0, 0, 1, 0, 0, 0, 7};
	static const __u8 later[8] = {IPPROTO_TCP, 0, 0x05, 0xa8, 0, 0, 0, 7};
	static const __u8 atomic[8] = {IPPROTO_TCP, 0, 0, 0, 0, 0, 0, 7};
	static const __u8 reserved[8] = {IPPROTO_TCP, 0xff, 0, 6, 0, 0, 0, 7};

	expect_extension(state, IPPROTO_FRAGMENT, first, KVG_REASON_FRAGMENT);
	expect_extension(state, IPPROTO_FRAGMENT, later, KVG_REASON_FRAGMENT);
	expect_extension(state, IPPROTO_FRAGMENT, atomic, KVG_REASON_FRAGMENT);
	expect_extension(state, IPPROTO_FRAGMENT, reserved, KVG_REASON_FRAGMENT);
}

static void expect_fragment_field(void **state, __u16 field, enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, INSIDE4, 443);
	ipv4(&packet)->frag_off = htons(field);
	expect(state, &packet, reason);
}

static void ipv4_fragments_are_refused(void **state)
{
	expect_fragment_field(state, IP_MF, KVG_REASON_FRAGMENT);
	expect_fragment_field(state, IP_MF | 185, KVG_REASON_FRAGMENT);
	expect_fragment_field(state, 1, KVG_REASON_FRAGMENT);
	expect_fragment_field(state, IP_OFFMASK, KVG_REASON_FRAGMENT);
	expect_fragment_field(state, IP_DF | 1, KVG_REASON_FRAGMENT);
}

static void a_whole_packet_is_no_fragment(void **state)
{
	expect_fragment_field(state, 0, KVG_REASON_ALLOWED);
	expect_fragment_field(state, IP_DF, KVG_REASON_ALLOWED);
}

/* Where the header says that it ends there is a TCP header; where it would end without options, too. */
static void ipv4_options_are_refused(void **state)
{
	for (int words = 6; words < 16; words++) {
		struct kvg_packet_bytes packet;

		kvg_packet_tcp(&packet, INSIDE4, 443);
		kvg_packet_add_zeros(&packet, 4 * words - 20);
		kvg_packet_add_tcp(&packet, 443);
		ipv4(&packet)->ihl = words;
		expect(state, &packet, KVG_REASON_IP_OPTIONS);
	}
}

static void a_header_shorter_than_itself_is_malformed(void **state)
{
	for (int words = 0; words < 5; words++) {
		struct kvg_packet_bytes packet;

		kvg_packet_tcp(&packet, INSIDE4, 443);
		ipv4(&packet)->ihl = words;
		expect(state, &packet, KVG_REASON_MALFORMED);
	}
}

static void only_versions_4_and_6_are_understood(void **state)
{
	for (int version = 0; version < 16; version++) {
		struct kvg_packet_bytes packet;

		if (version == 4 || version == 6)
			continue;
		kvg_packet_tcp(&packet, INSIDE4, 443);
		packet.bytes[0] = version << 4 | 5;
		expect(state, &packet, KVG_REASON_MALFORMED);
	}
}

static void expect_truncations(void **state, const struct kvg_packet_bytes *packet)
{
	for (size_t size = 1; size < packet->size; size++)
		expect_bytes(state, packet->bytes, size, false, KVG_REASON_MALFORMED);
	expect(state, packet, KVG_REASON_ALLOWED);
}

static void headers_cut_at_any_byte_are_malformed(void **state)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, INSIDE4, 443);
	expect_truncations(state, &packet);
	kvg_packet_tcp(&packet, INSIDE6, 443);
	expect_truncations(state, &packet);
	kvg_packet_udp(&packet, "198.51.100.53", 53);
	expect_truncations(state, &packet);
	kvg_packet_udp(&packet, "2001:db8:53::53", 53);
	expect_truncations(state, &packet);
}

static void an_empty_packet_is_malformed(void **state)
{
	struct kvg_verdict verdict;
	int r = kvg_kernel_run(kernel_of(state), "", 0, &verdict);

	if (r == -EINVAL) {
		print_message("SKIP: this kernel runs no empty packets\n");
		skip();
	}
	assert_int_equal(r, 0);
	assert_false(verdict.passed);
	assert_int_equal(verdict.reason, KVG_REASON_MALFORMED);
}

/* The kernel sends as many bytes as there are; what the headers say of it changes no port. */
static void lengths_that_lie_change_nothing(void **state)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, INSIDE4, 443);
	ipv4(&packet)->tot_len = htons(20);
	expect(state, &packet, KVG_REASON_ALLOWED);
	kvg_packet_tcp(&packet, OUTSIDE4, 443);
	ipv4(&packet)->tot_len = htons(65535);
	expect(state, &packet, KVG_REASON_DESTINATION);
}

static void payload_is_not_looked_at(void **state)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, INSIDE4, 443);
	kvg_packet_add(&packet, "GET / HTTP/1.1\r\n", 16);
	expect(state, &packet, KVG_REASON_ALLOWED);
}

static void expect_would_refuse(void **state, const struct kvg_packet_bytes *packet,
				enum kvg_reason reason)
{
	expect_bytes(state, packet->bytes, packet->size, true, reason);
}

static void audit_mode_passes_what_it_would_refuse(void **state)
{
	struct kvg_packet_bytes packet;

	gate_of(state)->mode = KVG_MODE_AUDIT;
	expect_tcp(state, INSIDE4, 443, KVG_REASON_ALLOWED);

	kvg_packet_tcp(&packet, OUTSIDE4, 443);
	expect_would_refuse(state, &packet, KVG_REASON_DESTINATION);
	kvg_packet_tcp(&packet, INSIDE6, 80);
	expect_would_refuse(state, &packet, KVG_REASON_PORT_FOR_DESTINATION);
	kvg_packet_start(&packet, INSIDE4, IPPROTO_ICMP);
	expect_would_refuse(state, &packet, KVG_REASON_PROTOCOL);
	packet.size = 7;
	expect_would_refuse(state, &packet, KVG_REASON_MALFORMED);
}

static void an_unknown_mode_enforces(void **state)
{
	gate_of(state)->mode = KVG_MODE_COUNT;
	expect_tcp(state, OUTSIDE4, 443, KVG_REASON_DESTINATION);
}

static void inbound_modes_do_not_touch_what_the_client_begins(void **state)
{
	for (int inbound = 0; inbound < KVG_INBOUND_COUNT; inbound++) {
		gate_of(state)->inbound = inbound;
		expect_tcp(state, INSIDE4, 443, KVG_REASON_ALLOWED);
		expect_tcp(state, OUTSIDE4, 443, KVG_REASON_DESTINATION);
		expect_tcp(state, INSIDE6, 80, KVG_REASON_PORT_FOR_DESTINATION);
	}
}

static void another_slot_is_another_policy_at_once(void **state)
{
	struct kvg_text_policy text = {};
	struct kvg_gate gate;

	kvg_text_policy_add(&text, "203.0.113.0/24", "tcp/443");
	assert_int_equal(kvg_kernel_fill(kernel_of(state), &text.policy, &gate), 0);
	expect_tcp(state, INSIDE4, 443, KVG_REASON_ALLOWED);
	expect_tcp(state, OUTSIDE4, 443, KVG_REASON_DESTINATION);

	*gate_of(state) = gate;
	expect_tcp(state, INSIDE4, 443, KVG_REASON_DESTINATION);
	expect_tcp(state, OUTSIDE4, 443, KVG_REASON_ALLOWED);
}

#define TEST(name) cmocka_unit_test_setup(name, use_usual_gate)

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
		TEST(only_tcp_and_udp_pass_in_ipv4),
		TEST(only_tcp_and_udp_pass_in_ipv6),
		TEST(tcp_behind_an_extension_header_is_refused),
		TEST(ipv6_fragments_are_refused),
		TEST(ipv4_fragments_are_refused),
		TEST(a_whole_packet_is_no_fragment),
		TEST(ipv4_options_are_refused),
		TEST(a_header_shorter_than_itself_is_malformed),
		TEST(only_versions_4_and_6_are_understood),
		TEST(headers_cut_at_any_byte_are_malformed),
		TEST(an_empty_packet_is_malformed),
		TEST(lengths_that_lie_change_nothing),
		TEST(payload_is_not_looked_at),
		TEST(audit_mode_passes_what_it_would_refuse),
		TEST(an_unknown_mode_enforces),
		TEST(inbound_modes_do_not_touch_what_the_client_begins),
		TEST(another_slot_is_another_policy_at_once),
	};

	return cmocka_run_group_tests(tests, set_up_kernel, tear_down_kernel);
}
