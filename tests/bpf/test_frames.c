// SPDX-License-Identifier: BSD-2-Clause
/*
 * What leaves a container by its interface: IP packets are judged as by the cgroup's hook, ARP passes, and
 * everything else is refused. What hangs on sockets and their namespaces is in tests/e2e/interfaces.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "frames.h"
#include "gate/intake.h"
#include "kernel.h"
#include "packet.h"
#include "policy/words.h"
#include "usual.h"

#define RESOLVER4 "198.51.100.53"
#define RESOLVER6 "2001:db8:53::53"

/* struct frame - an Ethernet frame */
struct frame {
	__u8 bytes[KVG_KERNEL_PACKET_MAX];
	size_t size;
};

static struct kvg_frames *frames;
static void *usual; /* kvg_usual_set_up()'s */

static int set_up(void **state)
{
	int r = kvg_usual_set_up(&usual);

	*state = usual;
	if (r == 0)
		r = kvg_usual_reset(&usual);
	if (r == 0)
		r = kvg_frames_open(kvg_usual_kernel(&usual), &frames);
	if (r < 0)
		print_error("the programs cannot be loaded: %s\n", strerror(-r));
	return r;
}

static int tear_down(void **state)
{
	(void)state;
	frames = kvg_frames_close(frames);
	return kvg_usual_tear_down(&usual);
}

static int reset(void **state)
{
	*state = usual;
	kvg_usual_reset(&usual);
	return kvg_frames_gate(frames, kvg_usual_gate(&usual), false);
}

static void put_type(struct frame *frame, __u16 type)
{
	frame->bytes[12] = type >> 8;
	frame->bytes[13] = type & 0xff;
}

static void wrap(struct frame *frame, __u16 type, const void *payload, size_t size)
{
	memset(frame, 0, sizeof(*frame));
	frame->size = ETH_HLEN + size;
	put_type(frame, type);
	memcpy(frame->bytes + ETH_HLEN, payload, size);
}

static void wrap_packet(struct frame *frame, const struct kvg_packet_bytes *packet)
{
	wrap(frame, packet->bytes[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP, packet->bytes,
	     packet->size);
}

static bool runs(const struct frame *frame, struct kvg_verdict *ret)
{
	int r = kvg_frames_run(frames, frame->bytes, frame->size, ret);

	if (r == -EINVAL)
		return false; /* this kernel refuses to run so short a frame */
	assert_int_equal(r, 0);
	return true;
}

static void expect(const struct frame *frame, enum kvg_reason reason)
{
	struct kvg_verdict verdict;

	if (!runs(frame, &verdict))
		return;
	if (verdict.reason != reason || verdict.passed != (reason == KVG_REASON_ALLOWED))
		fail_msg("%s with reason %s, not %s", verdict.passed ? "passed" : "stopped",
			 kvg_reason_word(verdict.reason), kvg_reason_word(reason));
}

static void expect_packet(const struct kvg_packet_bytes *packet, enum kvg_reason reason)
{
	struct frame frame;

	wrap_packet(&frame, packet);
	expect(&frame, reason);
}

static void expect_tcp(const char *daddr, __u16 dport, enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, daddr, dport);
	expect_packet(&packet, reason);
}

static void expect_udp(const char *daddr, __u16 dport, enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	kvg_packet_udp(&packet, daddr, dport);
	expect_packet(&packet, reason);
}

static void ip_is_judged_by_the_policy(void **state)
{
	(void)state;
	expect_tcp(KVG_INSIDE4, 443, KVG_REASON_ALLOWED);
	expect_tcp(KVG_INSIDE6, 443, KVG_REASON_ALLOWED);
	expect_udp(RESOLVER4, 53, KVG_REASON_ALLOWED);
	expect_udp(RESOLVER6, 53, KVG_REASON_ALLOWED);
	expect_tcp(KVG_OUTSIDE4, 443, KVG_REASON_DESTINATION);
	expect_tcp(KVG_OUTSIDE6, 443, KVG_REASON_DESTINATION);
	expect_tcp(KVG_INSIDE4, 80, KVG_REASON_PORT_FOR_DESTINATION);
	expect_udp(KVG_INSIDE6, 53, KVG_REASON_PORT_FOR_DESTINATION);
	expect_tcp(KVG_INSIDE4, 22, KVG_REASON_PORT);
	expect_udp(KVG_INSIDE4, 443, KVG_REASON_PORT);
}

/* GRE, IP-in-IP, 6in4, ICMP, ...: VXLAN is UDP to a port that nobody has. */
static void tunnels_and_other_protocols_are_refused(void **state)
{
	(void)state;
	for (int protocol = 0; protocol < 256; protocol++) {
		struct kvg_packet_bytes packet;

		if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
			continue;
		kvg_packet_start(&packet, KVG_INSIDE4, protocol);
		kvg_packet_add_tcp(&packet, 443);
		expect_packet(&packet, KVG_REASON_PROTOCOL);
	}
	expect_udp(KVG_INSIDE4, 4789, KVG_REASON_PORT);
}

static void put_arp(struct frame *frame, __u8 op)
{
	const __u8 arp[28] = {0, 1, 8, 0, 6, 4, 0, op, 2, 0, 0, 0, 0, 7, 192, 0, 2, 2};

	wrap(frame, ETH_P_ARP, arp, sizeof(arp));
}

static void arp_passes_with_not_one_byte_more(void **state)
{
	struct frame frame;

	(void)state;
	for (int op = 0; op < 256; op++) {
		put_arp(&frame, op);
		expect(&frame, op == 1 || op == 2 ? KVG_REASON_ALLOWED : KVG_REASON_PACKET_SOCKET);
	}
	for (size_t size = ETH_HLEN; size < 128; size++) {
		put_arp(&frame, 1);
		frame.size = size;
		expect(&frame, size == 42 ? KVG_REASON_ALLOWED : KVG_REASON_PACKET_SOCKET);
	}
}

/* Other hardware, other protocols, other lengths of addresses. */
static void arp_is_for_ipv4_over_ethernet(void **state)
{
	(void)state;
	for (size_t at = ETH_HLEN; at < ETH_HLEN + 7; at++) {
		for (int bit = 0; bit < 8; bit++) {
			struct frame frame;

			put_arp(&frame, 1);
			frame.bytes[at] ^= 1 << bit;
			expect(&frame, KVG_REASON_PACKET_SOCKET);
		}
	}
}

/* VLAN tags (0x8100, 0x88a8), MPLS, PPPoE, LLDP, EAPOL, lengths of 802.3, and what is not yet thought of. */
static void every_other_ethertype_is_refused(void **state)
{
	struct kvg_packet_bytes packet;
	struct frame frame;

	(void)state;
	kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
	wrap_packet(&frame, &packet);
	for (unsigned int type = 0; type <= 0xffff; type++) {
		put_type(&frame, type);
		if (type == ETH_P_IP)
			expect(&frame, KVG_REASON_ALLOWED);
		else if (type == ETH_P_IPV6)
			expect(&frame, KVG_REASON_MALFORMED);
		else
			expect(&frame, KVG_REASON_PACKET_SOCKET);
	}
}

static void a_tag_in_the_frame_is_refused(void **state)
{
	static const __u16 tags[] = {0x8100, 0x88a8, 0x9100, 0x9200};
	struct kvg_packet_bytes packet;
	__u8 tagged[128] = {0, 5, 8, 0};

	(void)state;
	kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
	memcpy(tagged + 4, packet.bytes, packet.size);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(tags); i++) {
		struct frame frame;

		wrap(&frame, tags[i], tagged, 4 + packet.size);
		expect(&frame, KVG_REASON_PACKET_SOCKET);
	}
}

static void ethertype_and_version_must_agree(void **state)
{
	struct kvg_packet_bytes packet;
	struct frame frame;

	(void)state;
	kvg_packet_tcp(&packet, KVG_INSIDE6, 443);
	wrap(&frame, ETH_P_IP, packet.bytes, packet.size);
	expect(&frame, KVG_REASON_MALFORMED);
	kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
	wrap(&frame, ETH_P_IPV6, packet.bytes, packet.size);
	expect(&frame, KVG_REASON_MALFORMED);
}

static void expect_truncations(const struct kvg_packet_bytes *packet)
{
	for (size_t size = 0; size < packet->size; size++) {
		struct frame frame;

		wrap_packet(&frame, packet);
		frame.size = ETH_HLEN + size;
		expect(&frame, KVG_REASON_MALFORMED);
	}
	expect_packet(packet, KVG_REASON_ALLOWED);
}

static void headers_cut_at_any_byte_are_malformed(void **state)
{
	struct kvg_packet_bytes packet;

	(void)state;
	kvg_packet_tcp(&packet, KVG_INSIDE4, 443);
	expect_truncations(&packet);
	kvg_packet_tcp(&packet, KVG_INSIDE6, 443);
	expect_truncations(&packet);
	kvg_packet_udp(&packet, RESOLVER4, 53);
	expect_truncations(&packet);
	kvg_packet_udp(&packet, RESOLVER6, 53);
	expect_truncations(&packet);
}

static void put_dhcp(struct kvg_packet_bytes *packet, const char *daddr, __u16 sport, __u16 dport)
{
	size_t ports = strchr(daddr, ':') ? 40 : 20;

	kvg_packet_udp(packet, daddr, dport);
	packet->bytes[ports] = sport >> 8;
	packet->bytes[ports + 1] = sport & 0xff;
	kvg_packet_add_zeros(packet, 100);
}

static void expect_dhcp(const char *daddr, __u16 sport, __u16 dport, enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	put_dhcp(&packet, daddr, sport, dport);
	expect_packet(&packet, reason);
}

static void dhcp_passes_only_if_it_was_asked_for(void **state)
{
	(void)state;
	expect_dhcp("255.255.255.255", 68, 67, KVG_REASON_PORT);
	expect_dhcp("ff02::1:2", 546, 547, KVG_REASON_PORT);
	assert_int_equal(kvg_frames_gate(frames, kvg_usual_gate(&usual), true), 0);
	expect_dhcp("255.255.255.255", 68, 67, KVG_REASON_ALLOWED);
	expect_dhcp("ff02::1:2", 546, 547, KVG_REASON_ALLOWED);
}

static void dhcp_goes_to_whoever_is_on_the_link(void **state)
{
	(void)state;
	assert_int_equal(kvg_frames_gate(frames, kvg_usual_gate(&usual), true), 0);
	expect_dhcp("255.255.255.254", 68, 67, KVG_REASON_PORT);
	expect_dhcp(KVG_OUTSIDE4, 68, 67, KVG_REASON_PORT);
	expect_dhcp("255.255.255.255", 67, 67, KVG_REASON_PORT);
	expect_dhcp("255.255.255.255", 68, 68, KVG_REASON_PORT);
	expect_dhcp("255.255.255.255", 546, 547, KVG_REASON_PORT);
	expect_dhcp("ff05::1:3", 546, 547, KVG_REASON_PORT);
	expect_dhcp(KVG_OUTSIDE6, 546, 547, KVG_REASON_PORT);
	expect_dhcp("ff02::1:2", 68, 67, KVG_REASON_PORT);
	expect_dhcp("ff02::1:2", 547, 547, KVG_REASON_PORT);
}

static void without_a_policy_nothing_passes(void **state)
{
	const struct kvg_gate none = {0};
	struct frame frame;

	(void)state;
	assert_int_equal(kvg_frames_gate(frames, &none, true), 0);
	expect_tcp(KVG_INSIDE4, 443, KVG_REASON_NO_POLICY);
	expect_dhcp("255.255.255.255", 68, 67, KVG_REASON_NO_POLICY);
	put_arp(&frame, 1);
	expect(&frame, KVG_REASON_NO_POLICY);
}

static void without_an_entry_nothing_passes(void **state)
{
	(void)state;
	assert_int_equal(kvg_frames_ungate(frames), 0);
	expect_tcp(KVG_INSIDE4, 443, KVG_REASON_NO_POLICY);
	assert_int_equal(kvg_frames_gate(frames, kvg_usual_gate(&usual), false), 0);
	expect_tcp(KVG_INSIDE4, 443, KVG_REASON_ALLOWED);
}

static void audit_mode_lets_pass_and_counts(void **state)
{
	struct kvg_packet_bytes packet;
	struct kvg_verdict verdict;
	struct frame frame;

	(void)state;
	kvg_usual_gate(&usual)->mode = KVG_MODE_AUDIT;
	assert_int_equal(kvg_frames_gate(frames, kvg_usual_gate(&usual), false), 0);
	kvg_packet_tcp(&packet, KVG_OUTSIDE4, 443);
	wrap_packet(&frame, &packet);
	assert_true(runs(&frame, &verdict));
	assert_true(verdict.passed);
	assert_int_equal(verdict.reason, KVG_REASON_DESTINATION);
}

static void keep_event(void *data, const struct kvg_event *event)
{
	*(struct kvg_event *)data = *event;
}

static void ignore_rest(void *data, const struct kvg_refusal *refusal,
			const struct kvg_tally *tally, __u64 count)
{
	(void)data;
	(void)refusal;
	(void)tally;
	(void)count;
}

static void the_record_says_what_was_refused(void **state)
{
	struct kvg_event event = {.counted = 9};
	const struct kvg_intake_handler handler = {
		.event = keep_event, .rest = ignore_rest, .data = &event};
	KVG_CLEANUP(kvg_intake_closep) struct kvg_intake *intake = NULL;
	struct kvg_packet_bytes packet;
	struct in_addr daddr, saddr;

	(void)state;
	assert_int_equal(
		kvg_intake_open(kvg_kernel_set(kvg_usual_kernel(&usual)), &handler, &intake), 0);
	assert_int_equal(kvg_intake_take(intake), 0);
	kvg_packet_tcp(&packet, "203.0.113.77", 8443);
	expect_packet(&packet, KVG_REASON_PORT);
	assert_int_equal(kvg_intake_read(intake), 1);

	assert_int_equal(event.refusal.hook, KVG_HOOK_TC);
	assert_int_equal(event.refusal.reason, KVG_REASON_PORT);
	assert_int_equal(event.refusal.cgroup_id, KVG_KERNEL_CGROUP_ID);
	assert_int_equal(event.refusal.protocol, IPPROTO_TCP);
	assert_int_equal(event.refusal.dport, htons(8443));
	assert_int_equal(event.sport, htons(KVG_PACKET_SPORT));
	assert_int_equal(event.bytes, packet.size);
	inet_pton(AF_INET, "203.0.113.77", &daddr);
	inet_pton(AF_INET, KVG_PACKET_SOURCE4, &saddr);
	assert_memory_equal(&event.refusal.daddr[12], &daddr, sizeof(daddr));
	assert_memory_equal(&event.saddr[12], &saddr, sizeof(saddr));
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ip_is_judged_by_the_policy),
		TEST(tunnels_and_other_protocols_are_refused),
		TEST(arp_passes_with_not_one_byte_more),
		TEST(arp_is_for_ipv4_over_ethernet),
		TEST(every_other_ethertype_is_refused),
		TEST(a_tag_in_the_frame_is_refused),
		TEST(ethertype_and_version_must_agree),
		TEST(headers_cut_at_any_byte_are_malformed),
		TEST(dhcp_passes_only_if_it_was_asked_for),
		TEST(dhcp_goes_to_whoever_is_on_the_link),
		TEST(without_a_policy_nothing_passes),
		TEST(without_an_entry_nothing_passes),
		TEST(audit_mode_lets_pass_and_counts),
		TEST(the_record_says_what_was_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
