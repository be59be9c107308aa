// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random packets by random policies, in captures of every link type that `simulate` knows: it must say of
 * each what the packet hook says of it. KVGATE_TEST_SEED brings the sequence back.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "entry.h"
#include "generate.h"
#include "kernel.h"
#include "policy/explain.h"
#include "policy/words.h"
#include "simulate/input.h"

#define POLICIES    64
#define PACKETS     120000
#define CAPTURE_MAX 512

struct fixture {
	struct kvg_kernel *kernel;
	struct kvg_entry entries[POLICIES];
	size_t by_reason[KVG_REASON_COUNT];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct kvg_kernel_sizes sizes = {0};
	int r;

	*state = fixture;
	kvg_generate_seed();
	r = kvg_kernel_open(&sizes, &fixture->kernel);
	for (__u32 i = 0; r == 0 && i < POLICIES; i++) {
		kvg_generate_policy(&fixture->entries[i].model, true);
		fixture->entries[i].model.known = true;
		r = kvg_entry_fill(fixture->kernel, &fixture->entries[i], i + 1);
	}
	if (r < 0)
		print_error("the policies cannot be put into the kernel: %s\n", strerror(-r));
	return r;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kvg_kernel_close(fixture->kernel);
	for (size_t i = 0; i < POLICIES; i++)
		kvg_policy_free(fixture->entries[i].policy);
	free(fixture);
	return 0;
}

/* struct capture - a file of one packet */
struct capture {
	char bytes[CAPTURE_MAX];
	size_t size;
};

static void put(struct capture *capture, const void *bytes, size_t size)
{
	assert_true(capture->size + size <= sizeof(capture->bytes));
	memcpy(capture->bytes + capture->size, bytes, size);
	capture->size += size;
}

static void put32(struct capture *capture, uint32_t number)
{
	put(capture, &number, sizeof(number));
}

/* struct link - what stands before the packet; the last two bytes are the ethertype, but in SLL2 */
static const struct link {
	const char *name;
	uint32_t type;
	size_t size;
	size_t ethertype_at;
	const char *header;
} links[] = {
	{"Ethernet", 1, 14, 12, "\2\0\0\0\0\1\2\0\0\0\0\2\0\0"},
	{"VLAN", 1, 18, 16, "\2\0\0\0\0\1\2\0\0\0\0\2\x81\0\0\5\0\0"},
	{"two VLANs", 1, 22, 20, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xa8\0\5\x81\0\0\6\0\0"},
	{"raw IP", 101, 0, 0, ""},
	{"cooked", 113, 16, 14, "\0\4\0\1\0\6\2\0\0\0\0\1\0\0\0\0"},
	{"cooked, version 2", 276, 20, 0, "\0\0\0\0\0\0\0\2\0\1\4\6\2\0\0\0\0\1\0\0"},
};

static void make_capture(const struct link *link, const struct kvg_case *test_case,
			 struct capture *ret)
{
	__be16 ethertype = htons(test_case->packet[0] >> 4 == 6 ? 0x86dd : 0x0800);
	uint32_t size = (uint32_t)(link->size + test_case->size);
	char header[32];

	ret->size = 0;
	put32(ret, 0xa1b2c3d4);
	put(ret, "\2\0\4\0", 4); /* version 2.4, little-endian as the rest is here */
	put32(ret, 0);
	put32(ret, 0);
	put32(ret, 65535);
	put32(ret, link->type);

	put32(ret, 0);
	put32(ret, 0);
	put32(ret, size);
	put32(ret, size);
	memcpy(header, link->header, link->size);
	if (link->size)
		memcpy(header + link->ethertype_at, &ethertype, sizeof(ethertype));
	put(ret, header, link->size);
	put(ret, test_case->packet, test_case->size);
}

struct answer {
	const struct kvg_policy *policy;
	enum kvg_reason reason;
	size_t count;
};

static void judge(void *data, const struct kvg_seen *seen)
{
	struct answer *answer = data;

	answer->reason = kvg_explain_reason(answer->policy, &seen->key.flow, KVG_CLAIM_NONE);
	answer->count++;
}

/* What simulate says of the only packet of a capture. */
static enum kvg_reason simulate(const struct link *link, const struct kvg_case *test_case,
				const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_traffic_done) struct kvg_traffic traffic = {0};
	enum kvg_input_format format = KVG_INPUT_AUTO;
	struct answer answer = {.policy = policy};
	struct capture capture;
	struct kvg_diag diag;

	make_capture(link, test_case, &capture);
	if (kvg_input_read_bytes(capture.bytes, capture.size, &format, &traffic, &diag) < 0)
		fail_msg("%s: %s", link->name, diag.msg);
	assert_int_equal(format, KVG_INPUT_PCAP);
	assert_false(traffic.cut);
	kvg_traffic_walk(&traffic, judge, &answer);
	assert_int_equal(answer.count, 1);
	return answer.reason;
}

static void kernel_and_simulate_agree(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < PACKETS; i++) {
		const struct kvg_entry *entry = &fixture->entries[i % POLICIES];
		const struct link *link = &links[i % KVG_ARRAY_SIZE(links)];
		struct kvg_case test_case = {.policy = entry->model};
		struct kvg_verdict verdict;
		enum kvg_reason reason;

		kvg_generate_packet(&test_case);
		if (!test_case.size)
			continue;
		*kvg_kernel_gate(fixture->kernel) = entry->gate;
		assert_int_equal(
			kvg_kernel_run(fixture->kernel, test_case.packet, test_case.size, &verdict),
			0);
		reason = simulate(link, &test_case, entry->policy);
		if (reason != verdict.reason) {
			kvg_case_print(&test_case);
			fail_msg("%s: the kernel says %s, simulate %s", link->name,
				 kvg_reason_word(verdict.reason), kvg_reason_word(reason));
		}
		fixture->by_reason[reason]++;
	}
}

/* Else the agreement above would be about less than it seems. */
static void every_reason_came_up_often(void **state)
{
	static const enum kvg_reason possible[] = {
		KVG_REASON_ALLOWED,    KVG_REASON_DESTINATION,    KVG_REASON_PORT,
		KVG_REASON_PROTOCOL,   KVG_REASON_FRAGMENT,       KVG_REASON_PORT_FOR_DESTINATION,
		KVG_REASON_IP_OPTIONS, KVG_REASON_IPV6_EXTENSION, KVG_REASON_MALFORMED};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < KVG_ARRAY_SIZE(possible); i++) {
		print_message("%-22s %zu\n", kvg_reason_word(possible[i]),
			      fixture->by_reason[possible[i]]);
		assert_true(fixture->by_reason[possible[i]] > PACKETS / 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_and_simulate_agree),
		cmocka_unit_test(every_reason_came_up_often),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
