// SPDX-License-Identifier: BSD-2-Clause
/*
 * What IPv6 needs to find its neighbours passes, in the form that the kernel gives it, and no more: it is
 * judged by no policy, so it must have no room for data and go no further than the link.
 */
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "kernel.h"
#include "packet.h"
#include "usual.h"

/* A message of @type to @daddr with @size bytes behind the IPv6 header. */
static void build(struct kvg_packet_bytes *packet, const char *daddr, int type, size_t size)
{
	struct ip6_hdr *ip6 = (struct ip6_hdr *)packet->bytes;
	__u8 head[4] = {type};

	kvg_packet_start(packet, daddr, IPPROTO_ICMPV6);
	ip6->ip6_hlim = 255;
	kvg_packet_add(packet, head, sizeof(head));
	kvg_packet_add_zeros(packet, size - sizeof(head));
}

static void expect(void **state, const char *daddr, int type, enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	build(&packet, daddr, type, 32);
	kvg_expect(state, &packet, reason);
}

static void neighbours_are_asked_and_answered(void **state)
{
	static const char *const addrs[] = {"ff02::1", "ff02::1:ff00:1", "fe80::1", "febf:ffff::1",
					    KVG_OUTSIDE6};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(addrs); i++) {
		expect(state, addrs[i], ND_NEIGHBOR_SOLICIT, KVG_REASON_ALLOWED);
		expect(state, addrs[i], ND_NEIGHBOR_ADVERT, KVG_REASON_ALLOWED);
	}
}

static void routers_are_asked_on_the_link_only(void **state)
{
	expect(state, "ff02::2", ND_ROUTER_SOLICIT, KVG_REASON_ALLOWED);
	expect(state, "fe80::1", ND_ROUTER_SOLICIT, KVG_REASON_ALLOWED);
	expect(state, KVG_OUTSIDE6, ND_ROUTER_SOLICIT, KVG_REASON_PROTOCOL);
	expect(state, "ff05::2", ND_ROUTER_SOLICIT, KVG_REASON_PROTOCOL);
}

static void no_group_that_reaches_further_than_the_link_is_asked(void **state)
{
	static const char *const addrs[] = {"ff01::1", "ff05::1", "ff0e::1", "ff12::1"};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(addrs); i++) {
		expect(state, addrs[i], ND_NEIGHBOR_SOLICIT, KVG_REASON_PROTOCOL);
		expect(state, addrs[i], ND_NEIGHBOR_ADVERT, KVG_REASON_PROTOCOL);
	}
}

/* Echo, errors that quote what they were about, advertisements of a router, redirects, ... */
static void every_other_icmp_message_is_refused(void **state)
{
	for (int type = 0; type < 256; type++) {
		if (type == ND_NEIGHBOR_SOLICIT || type == ND_NEIGHBOR_ADVERT ||
		    type == ND_ROUTER_SOLICIT)
			continue;
		expect(state, "fe80::1", type, KVG_REASON_PROTOCOL);
		expect(state, KVG_INSIDE6, type, KVG_REASON_PROTOCOL);
	}
}

static void what_a_router_could_have_forwarded_is_refused(void **state)
{
	for (int hops = 0; hops < 255; hops++) {
		struct kvg_packet_bytes packet;

		build(&packet, "fe80::1", ND_NEIGHBOR_SOLICIT, 32);
		packet.bytes[7] = hops;
		kvg_expect(state, &packet, KVG_REASON_PROTOCOL);
	}
}

static void codes_other_than_zero_are_refused(void **state)
{
	struct kvg_packet_bytes packet;

	build(&packet, "fe80::1", ND_NEIGHBOR_SOLICIT, 32);
	packet.bytes[41] = 1;
	kvg_expect(state, &packet, KVG_REASON_PROTOCOL);
}

static void there_is_no_room_for_data(void **state)
{
	struct kvg_packet_bytes packet;

	build(&packet, KVG_OUTSIDE6, ND_NEIGHBOR_SOLICIT, 33);
	kvg_expect(state, &packet, KVG_REASON_PROTOCOL);
	build(&packet, "ff02::1", ND_NEIGHBOR_ADVERT, 128);
	kvg_expect(state, &packet, KVG_REASON_PROTOCOL);
}

static void a_message_that_is_cut_is_none(void **state)
{
	struct kvg_packet_bytes packet;

	build(&packet, "fe80::1", ND_NEIGHBOR_SOLICIT, 8);
	kvg_expect(state, &packet, KVG_REASON_ALLOWED);
	for (size_t size = 40; size < 48; size++)
		kvg_expect_bytes(state, packet.bytes, size, false, KVG_REASON_PROTOCOL);
	for (size_t size = 1; size < 40; size++)
		kvg_expect_bytes(state, packet.bytes, size, false, KVG_REASON_MALFORMED);
}

static void in_ipv4_the_same_number_is_nothing(void **state)
{
	struct kvg_packet_bytes packet;

	kvg_packet_start(&packet, KVG_INSIDE4, IPPROTO_ICMPV6);
	packet.bytes[8] = 255;
	kvg_packet_add_zeros(&packet, 32);
	packet.bytes[20] = ND_NEIGHBOR_SOLICIT;
	kvg_expect(state, &packet, KVG_REASON_PROTOCOL);
}

#define MLD_TYPE 48 /* where a report's type is */

static void build_report(struct kvg_packet_bytes *packet, const char *daddr, int type, size_t size)
{
	static const __u8 alert[8] = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
	__u8 head[4] = {type};

	kvg_packet_start(packet, daddr, IPPROTO_HOPOPTS);
	packet->bytes[7] = 1;
	kvg_packet_add(packet, alert, sizeof(alert));
	kvg_packet_add(packet, head, sizeof(head));
	kvg_packet_add_zeros(packet, size - sizeof(head));
}

static void expect_report(void **state, const char *daddr, int type, enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	build_report(&packet, daddr, type, 28);
	kvg_expect(state, &packet, reason);
}

static void groups_are_reported_to_the_link(void **state)
{
	expect_report(state, "ff02::16", 143, KVG_REASON_ALLOWED);
	expect_report(state, "ff02::2", 132, KVG_REASON_ALLOWED);
	expect_report(state, "ff02::1:ff00:1", 131, KVG_REASON_ALLOWED);
	expect_report(state, "ff05::16", 143, KVG_REASON_IPV6_EXTENSION);
	expect_report(state, "fe80::1", 143, KVG_REASON_IPV6_EXTENSION);
	expect_report(state, KVG_INSIDE6, 143, KVG_REASON_IPV6_EXTENSION);
}

static void a_client_does_not_query_groups(void **state)
{
	for (int type = 0; type < 256; type++) {
		if (type != 131 && type != 132 && type != 143)
			expect_report(state, "ff02::16", type, KVG_REASON_IPV6_EXTENSION);
	}
}

/* Each byte of hop limit, option and code, changed. */
static void reports_in_another_form_are_refused(void **state)
{
	static const size_t fixed[] = {7, 40, 41, 42, 43, 44, 45, 46, 47, MLD_TYPE + 1};
	struct kvg_packet_bytes packet;

	for (size_t i = 0; i < KVG_ARRAY_SIZE(fixed); i++) {
		build_report(&packet, "ff02::16", 143, 28);
		packet.bytes[fixed[i]]++;
		kvg_expect(state, &packet, KVG_REASON_IPV6_EXTENSION);
	}
	build_report(&packet, "ff02::16", 143, 8);
	kvg_expect_bytes(state, packet.bytes, packet.size - 1, false, KVG_REASON_IPV6_EXTENSION);
	kvg_expect(state, &packet, KVG_REASON_ALLOWED);
}

static void reports_are_of_a_bounded_length(void **state)
{
	struct kvg_packet_bytes head;
	__u8 bytes[KVG_KERNEL_PACKET_MAX] = {0};

	build_report(&head, "ff02::16", 143, 8);
	for (size_t i = 0; i < head.size; i++)
		bytes[i] = head.bytes[i];
	kvg_expect_bytes(state, bytes, 496, true, KVG_REASON_ALLOWED);
	kvg_expect_bytes(state, bytes, 497, false, KVG_REASON_IPV6_EXTENSION);
}

static void without_a_policy_neighbours_are_not_asked_either(void **state)
{
	kvg_usual_gate(state)->slot = 0;
	expect(state, "fe80::1", ND_NEIGHBOR_SOLICIT, KVG_REASON_NO_POLICY);
}

#define TEST(name) cmocka_unit_test_setup(name, kvg_usual_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(neighbours_are_asked_and_answered),
		TEST(routers_are_asked_on_the_link_only),
		TEST(no_group_that_reaches_further_than_the_link_is_asked),
		TEST(every_other_icmp_message_is_refused),
		TEST(what_a_router_could_have_forwarded_is_refused),
		TEST(codes_other_than_zero_are_refused),
		TEST(there_is_no_room_for_data),
		TEST(a_message_that_is_cut_is_none),
		TEST(in_ipv4_the_same_number_is_nothing),
		TEST(groups_are_reported_to_the_link),
		TEST(a_client_does_not_query_groups),
		TEST(reports_in_another_form_are_refused),
		TEST(reports_are_of_a_bounded_length),
		TEST(without_a_policy_neighbours_are_not_asked_either),
	};

	return cmocka_run_group_tests(tests, kvg_usual_set_up, kvg_usual_tear_down);
}
