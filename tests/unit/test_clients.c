// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>

#include "capture.h"
#include "policy/address.h"
#include "seen.h"
#include "simulate/clients.h"

#define CLIENT "192.0.2.4"
#define SERVER "203.0.113.9"
#define OTHER  "198.51.100.7"

/* "192.0.2.4 (how)" of the captured packets, or what is wrong */
static const char *guess(const struct capture *capture, char ret[512])
{
	struct kvg_clients clients;
	struct kvg_diag diag;
	INPUT input;

	input_read(&input, KVG_INPUT_PCAP, capture->bytes, capture->size);
	assert_int_equal(input.r, 0);
	if (kvg_clients_guess(&input.traffic, &clients, &diag) < 0)
		return strcpy(ret, diag.msg);
	ret[0] = '\0';
	for (size_t i = 0; i < clients.count; i++) {
		char address[KVG_PREFIX_STRLEN];

		strcat(ret, kvg_address_format(&clients.items[i], address));
		strcat(ret, " ");
	}
	return strcat(ret, kvg_clients_how_words(clients.how));
}

#define assert_guess(capture, expected)                                 \
	do {                                                            \
		char guessed[512];                                      \
                                                                        \
		assert_string_equal(guess(capture, guessed), expected); \
	} while (0)

static void who_takes_part_in_everything_is_the_client(void **state)
{
	struct capture capture;

	(void)state;
	capture_init(&capture, CAPTURE_RAW);
	capture_raw(&capture, ip_make(OTHER, 50000, CLIENT, 8080, TCP_SYN));
	capture_raw(&capture, ip_make(SERVER, 443, CLIENT, 40000, TCP_ACK));
	capture_raw(&capture, ip_make(OTHER, 5000, SERVER, 53, -1));
	assert_guess(&capture, CLIENT " guessed: it takes part in every connection");
}

static void of_two_the_one_who_opens_is_the_client(void **state)
{
	struct capture capture;

	(void)state;
	capture_init(&capture, CAPTURE_RAW);
	capture_raw(&capture, ip_make(SERVER, 443, CLIENT, 40000, TCP_ACK));
	capture_raw(&capture, ip_make(CLIENT, 443, SERVER, 50000, TCP_SYN));
	assert_guess(&capture, CLIENT " guessed: it opens connections");

	capture_init(&capture, CAPTURE_RAW);
	capture_raw(&capture, ip_make(SERVER, 50000, CLIENT, 443, TCP_SYN_ACK));
	assert_guess(&capture, CLIENT " guessed: it opens connections");
}

static void without_a_beginning_the_ports_tell(void **state)
{
	struct capture capture;

	(void)state;
	capture_init(&capture, CAPTURE_RAW);
	capture_raw(&capture, ip_make(SERVER, 443, CLIENT, 40000, TCP_ACK));
	capture_raw(&capture, ip_make("2001:db8::4", 5000, "2001:db8::53", 53, -1));
	assert_guess(&capture, CLIENT " 2001:db8::4 guessed by its ports");
}

static void on_a_router_all_who_open_are_clients(void **state)
{
	struct capture capture;

	(void)state;
	capture_init(&capture, CAPTURE_RAW);
	capture_raw(&capture, ip_make(CLIENT, 40000, SERVER, 443, TCP_SYN));
	capture_raw(&capture, ip_make("192.0.2.5", 40000, OTHER, 443, TCP_SYN));
	capture_raw(&capture, ip_make("192.0.2.6", 40000, "203.0.113.10", 443, TCP_ACK));
	assert_guess(&capture, "192.0.2.5 " CLIENT " guessed: it opens connections");
}

static void what_cannot_be_told_is_asked_for(void **state)
{
	struct capture capture;

	(void)state;
	capture_init(&capture, CAPTURE_RAW);
	capture_raw(&capture, ip_make(CLIENT, 40000, SERVER, 443, TCP_SYN));
	capture_raw(&capture, ip_make(SERVER, 40000, CLIENT, 443, TCP_SYN));
	assert_guess(&capture, "it cannot be told who the client is: name it with --client");
}

static void more_than_anybody_would_believe_are_not_guessed(void **state)
{
	struct capture capture;
	char address[20];

	(void)state;
	capture_init(&capture, CAPTURE_RAW);
	capture_raw(&capture, ip_make(OTHER, 1, SERVER, 443, TCP_SYN));
	for (int i = 0; i < KVG_CLIENTS_MAX; i++) {
		snprintf(address, sizeof(address), "192.0.2.%d", i + 1);
		capture_raw(&capture, ip_make(address, 40000, "203.0.113.10", 443, TCP_SYN));
	}
	assert_guess(&capture, "more than 64 addresses open connections: say with --client which "
			       "of them is to be behind the gate");
}

#define SENT(type) "\0" type "\0\1\0\6\2\0\0\0\0\1\0\0\x08\0"

static void what_is_only_passed_on_is_not_sent(void **state)
{
	struct capture capture;

	(void)state;
	capture_init(&capture, CAPTURE_COOKED);
	capture_behind(&capture, SENT("\0"), 16, ip_make(OTHER, 50000, SERVER, 443, TCP_SYN));
	capture_behind(&capture, SENT("\4"), 16, ip_make(OTHER, 50000, SERVER, 443, TCP_SYN));
	assert_guess(&capture, OTHER " guessed: it opens connections");
	capture_behind(&capture, SENT("\4"), 16, ip_make(CLIENT, 40000, SERVER, 443, TCP_SYN));
	assert_guess(&capture, "the input says what was sent");
}

static size_t count_sent(const struct capture *capture, const char *client)
{
	struct kvg_clients clients = {.how = KVG_CLIENTS_NAMED};
	struct kvg_diag diag;
	struct kvg_seen_key key = {0};
	size_t count = 0;
	INPUT input;

	if (kvg_clients_add(&clients, client, &diag) < 0)
		fail_msg("%s", diag.msg);
	input_read(&input, KVG_INPUT_PCAP, capture->bytes, capture->size);
	key.flow =
		(struct kvg_flow){.family = AF_INET, .protocol = IPPROTO_TCP, .dport = htons(443)};
	key.sport = htons(40000);
	memcpy(key.saddr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\4", 16);
	memcpy(key.flow.daddr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xcb\0\x71\x09", 16);
	for (key.sent = 0; key.sent <= KVG_SENT_IN; key.sent++) {
		const struct kvg_seen *seen = kvg_traffic_find(&input.traffic, &key, false);

		count += seen && kvg_clients_sent(&clients, &input.traffic, seen);
	}
	return count;
}

static void a_packet_on_several_interfaces_counts_once(void **state)
{
	struct capture capture;

	(void)state;
	capture_init(&capture, CAPTURE_COOKED);
	for (int i = 0; i < 3; i++)
		capture_behind(&capture,
			       i == 0   ? SENT("\0")
			       : i == 1 ? SENT("\4")
					: SENT("\3"),
			       16, ip_make(CLIENT, 40000, SERVER, 443, TCP_SYN));
	assert_int_equal(count_sent(&capture, CLIENT), 1);
	assert_int_equal(count_sent(&capture, "192.0.2.0/24"), 1);
	assert_int_equal(count_sent(&capture, "192.0.2.5"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_takes_part_in_everything_is_the_client),
		cmocka_unit_test(of_two_the_one_who_opens_is_the_client),
		cmocka_unit_test(without_a_beginning_the_ports_tell),
		cmocka_unit_test(on_a_router_all_who_open_are_clients),
		cmocka_unit_test(what_cannot_be_told_is_asked_for),
		cmocka_unit_test(more_than_anybody_would_believe_are_not_guessed),
		cmocka_unit_test(what_is_only_passed_on_is_not_sent),
		cmocka_unit_test(a_packet_on_several_interfaces_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
