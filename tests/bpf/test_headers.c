// SPDX-License-Identifier: BSD-2-Clause
/* The form of packets: everything but a plain TCP or UDP header behind a plain IP header is refused. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
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

static struct iphdr *ipv4(struct kvg_packet_bytes *packet)
{
	return (struct iphdr *)packet->bytes;
}

/* ICMP, IGMP, IP-in-IP, DCCP, IPv6-in-IPv4, GRE, ESP, AH, SCTP, UDP-Lite, and what is not yet thought of. */
static void only_tcp_and_udp_pass_in_ipv4(void **state)
{
	for (int protocol = 0; protocol < 256; protocol++) {
		struct kvg_packet_bytes packet;

		if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
			continue;
		kvg_packet_start(&packet, KVG_INSIDE4, protocol);
		kvg_packet_add_tcp(&packet, 443);
		kvg_expect(state, &packet, KVG_REASON_PROTOCOL);
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
		kvg_packet_start(&packet, KVG_INSIDE6, next);
		kvg_packet_add_tcp(&packet, 443);
		kvg_expect(state, &packet, expected_of_next_header(next));
	}
}

/* An extension header of 8 bytes, then a TCP header that would be allowed. */
static void expect_extension(void **state, __u8 header, const __u8 bytes[8], enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	kvg_packet_start(&packet, KVG_INSIDE6, header);
	kvg_packet_add(&packet, bytes, 8);
	kvg_packet_add_tcp(&packet, 443);
	kvg_expect(state, &packet, reason);
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

	kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
	ipv4(&packet)->frag_off = htons(field);
	kvg_expect(state, &packet, reason);
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

		kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
		kvg_packet_add_zeros(&packet, 4 * words - 20);
		kvg_packet_add_tcp(&packet, 443);
		ipv4(&packet)->ihl = words;
		kvg_expect(state, &packet, KVG_REASON_IP_OPTIONS);
	}
}

static void a_header_shorter_than_itself_is_malformed(void **state)
{
	for (int words = 0; words < 5; words++) {
		struct kvg_packet_bytes packet;

		kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
		ipv4(&packet)->ihl = words;
		kvg_expect(state, &packet, KVG_REASON_MALFORMED);
	}
}

static void only_versions_4_and_6_are_understood(void **state)
{
	for (int version = 0; version < 16; version++) {
		struct kvg_packet_bytes packet;

		if (version == 4 || version == 6)
			continue;
		kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
		packet.bytes[0] = version << 4 | 5;
		kvg_expect(state, &packet, KVG_REASON_MALFORMED);
	}
}

static void expect_truncations(void **state, const struct kvg_packet_bytes *packet)
{
	for (size_t size = 1; size < packet->size; size++)
		kvg_expect_bytes(state, packet->bytes, size, false, KVG_REASON_MALFORMED);
	kvg_expect(state, packet, KVG_REASON_ALLOWED);
}

static void headers_cut_at_any_byte_are_malformed(void **state)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
	expect_truncations(state, &packet);
	kvg_packet_tcp(&packet, KVG_INSIDE6, 443);
	expect_truncations(state, &packet);
	kvg_packet_udp(&packet, "198.51.100.53", 53);
	expect_truncations(state, &packet);
	kvg_packet_udp(&packet, "2001:db8:53::53", 53);
	expect_truncations(state, &packet);
}

static void an_empty_packet_is_malformed(void **state)
{
	struct kvg_verdict verdict;
	int r = kvg_kernel_run(kvg_usual_kernel(state), "", 0, &verdict);

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

	kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
	ipv4(&packet)->tot_len = htons(20);
	kvg_expect(state, &packet, KVG_REASON_ALLOWED);
	kvg_packet_tcp(&packet, KVG_OUTSIDE4, 443);
	ipv4(&packet)->tot_len = htons(65535);
	kvg_expect(state, &packet, KVG_REASON_DESTINATION);
}

static void payload_is_not_looked_at(void **state)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
	kvg_packet_add(&packet, "GET / HTTP/1.1\r\n", 16);
	kvg_expect(state, &packet, KVG_REASON_ALLOWED);
}

#define TEST(name) cmocka_unit_test_setup(name, kvg_usual_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, kvg_usual_set_up, kvg_usual_tear_down);
}
