// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>

#include "capture.h"
#include "seen.h"

#define MACS     "\2\0\0\0\0\1\2\0\0\0\0\2"
#define ETHERNET MACS "\x08\0"
#define TO_LO    "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0"

static struct ip syn(void)
{
	return ip_make("192.0.2.4", 40000, "203.0.113.9", 443, TCP_SYN);
}

static void input_of(struct input *ret, const struct capture *capture)
{
	input_read(ret, KVG_INPUT_AUTO, capture->bytes, capture->size);
}

static void tags_of_vlans_are_looked_through(void **state)
{
	struct capture capture;
	INPUT input;

	(void)state;
	capture_init(&capture, CAPTURE_ETHERNET);
	capture_behind(&capture, ETHERNET, 14, syn());
	capture_behind(&capture, MACS "\x81\0\0\5\x08\0", 18, syn());
	capture_behind(&capture, MACS "\x88\xa8\0\5\x81\0\0\6\x08\0", 22, syn());
	input_of(&input, &capture);
	assert_sound(&input);
	assert_int_equal(input.format, KVG_INPUT_PCAP);
	assert_seen(&input, "192.0.2.4 40000 > 203.0.113.9 443 tcp opens x3; ");
}

static void frames_without_ip_are_counted_apart(void **state)
{
	struct capture capture;
	INPUT input;

	(void)state;
	capture_init(&capture, CAPTURE_ETHERNET);
	capture_behind(&capture, MACS "\x08\x06", 14, syn());
	capture_behind(&capture, MACS "\x88\xcc", 14, syn());
	capture_frame(&capture, MACS, 12, 12);
	input_of(&input, &capture);
	assert_sound(&input);
	assert_int_equal(input.traffic.foreign, 3);
	assert_seen(&input, "");
}

static void a_cooked_capture_says_what_was_sent(void **state)
{
	struct capture capture;
	INPUT input;

	(void)state;
	capture_init(&capture, CAPTURE_COOKED);
	capture_behind(&capture, "\0\4\0\1\0\6\2\0\0\0\0\1\0\0\x08\0", 16, syn());
	capture_behind(&capture, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0", 16,
		       ip_make("203.0.113.9", 443, "192.0.2.4", 40000, TCP_SYN_ACK));
	capture_behind(&capture, "\0\0\3\4\0\6\0\0\0\0\0\0\0\0\x08\0", 16,
		       ip_make("127.0.0.1", 5000, "127.0.0.1", 53, -1));
	input_of(&input, &capture);
	assert_sound(&input);
	assert_seen(&input, "127.0.0.1 5000 > 127.0.0.1 53 udp in loopback x1; "
			    "203.0.113.9 443 > 192.0.2.4 40000 tcp in answers x1; "
			    "192.0.2.4 40000 > 203.0.113.9 443 tcp out opens x1; ");
}

static void on_lo_only_what_stays_inside_is_loopback(void **state)
{
	struct capture capture;
	INPUT input;

	(void)state;
	capture_init(&capture, CAPTURE_ETHERNET);
	capture_behind(&capture, TO_LO, 14, ip_make("192.0.2.4", 1, "192.0.2.4", 443, TCP_SYN));
	capture_behind(&capture, TO_LO, 14, ip_make("198.51.100.1", 1, "192.0.2.4", 443, TCP_SYN));
	capture_behind(&capture, ETHERNET, 14, ip_make("127.0.0.1", 1, "127.0.0.2", 443, TCP_SYN));
	input_of(&input, &capture);
	assert_sound(&input);
	assert_seen(&input, "127.0.0.1 1 > 127.0.0.2 443 tcp opens x1; "
			    "198.51.100.1 1 > 192.0.2.4 443 tcp opens x1; "
			    "192.0.2.4 1 > 192.0.2.4 443 tcp opens loopback x1; ");
}

static void headers_that_were_not_captured_are_no_broken_packets(void **state)
{
	struct ip ip = syn();
	struct capture capture;
	INPUT input;

	(void)state;
	capture_init(&capture, CAPTURE_RAW);
	for (size_t size = 0; size < ip.size; size++)
		capture_frame(&capture, ip.bytes, size, ip.size);
	capture_frame(&capture, ip.bytes, ip.size, 1500);
	input_of(&input, &capture);
	assert_int_equal(input.traffic.unreadable, ip.size);
	assert_non_null(strstr(input.traffic.fault.msg, "packet 1 was captured too short"));
	assert_seen(&input, "192.0.2.4 40000 > 203.0.113.9 443 tcp opens x1; ");
	input_done(&input);

	capture_init(&capture, CAPTURE_RAW);
	capture_frame(&capture, ip.bytes, 30, 30);
	input_of(&input, &capture);
	assert_sound(&input);
	assert_seen(&input, "192.0.2.4 0 > 203.0.113.9 0 tcp malformed x1; ");
}

/* Wherever it is cut: whole packets are read, and the cut is told. */
static void a_capture_that_is_cut_is_read_as_far_as_it_goes(void **state)
{
	struct capture capture;
	size_t first, second;

	(void)state;
	capture_init(&capture, CAPTURE_RAW);
	capture_raw(&capture, syn());
	first = capture.size;
	capture_raw(&capture, syn());
	second = capture.size;

	for (capture.size = first; capture.size <= second; capture.size++) {
		INPUT input;

		input_of(&input, &capture);
		assert_int_equal(input.r, 0);
		assert_int_equal(input.traffic.records, capture.size == second ? 2 : 1);
		assert_int_equal(input.traffic.cut, capture.size > first && capture.size < second);
	}
	for (capture.size = 4; capture.size < 24; capture.size++) {
		INPUT input;

		input_of(&input, &capture);
		assert_int_equal(input.r, -EINVAL);
	}
}

static void other_link_types_are_refused_by_name(void **state)
{
	struct capture capture;
	INPUT input;

	(void)state;
	capture_init(&capture, 105); /* IEEE 802.11 */
	input_of(&input, &capture);
	assert_int_equal(input.r, -EPROTONOSUPPORT);
	assert_non_null(strstr(input.diag.msg, "IEEE802_11"));
}

static void captures_of_the_other_byte_order_are_read(void **state)
{
	static const uint8_t head[] = {0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0,   4,   0, 0, 0, 0,
				       0,    0,    0,    0,    0, 0, 255, 255, 0, 0, 0, 101};
	struct ip ip = syn();
	uint8_t sizes[16] = {[11] = (uint8_t)ip.size, [15] = (uint8_t)ip.size};
	struct capture capture = {.size = 0};
	INPUT input;

	(void)state;
	capture_put(&capture, head, sizeof(head));
	capture_put(&capture, sizes, sizeof(sizes));
	capture_put(&capture, ip.bytes, ip.size);
	input_of(&input, &capture);
	assert_sound(&input);
	assert_seen(&input, "192.0.2.4 40000 > 203.0.113.9 443 tcp opens x1; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_of_vlans_are_looked_through),
		cmocka_unit_test(frames_without_ip_are_counted_apart),
		cmocka_unit_test(a_cooked_capture_says_what_was_sent),
		cmocka_unit_test(on_lo_only_what_stays_inside_is_loopback),
		cmocka_unit_test(headers_that_were_not_captured_are_no_broken_packets),
		cmocka_unit_test(a_capture_that_is_cut_is_read_as_far_as_it_goes),
		cmocka_unit_test(other_link_types_are_refused_by_name),
		cmocka_unit_test(captures_of_the_other_byte_order_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
