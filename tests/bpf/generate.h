/* SPDX-License-Identifier: BSD-2-Clause */
/* Random rule sets and packets, with a liking for edges, and how a case is made small. */
#ifndef KVG_TESTS_BPF_GENERATE_H
#define KVG_TESTS_BPF_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"

#define KVG_CASE_PACKET_MAX 128 /* bytes */

/** struct kvg_case - a policy, and a packet or frame to be judged by it */
struct kvg_case {
	struct kvg_model_policy policy;
	uint8_t packet[KVG_CASE_PACKET_MAX];
	size_t size;
};

/** kvg_generate_seed() - begin a sequence, and say which (KVGATE_TEST_SEED) */
void kvg_generate_seed(void);

/** kvg_generate_policy() - one that is known: nested prefixes, siblings, both families, every mix of services */
void kvg_generate_policy(struct kvg_model_policy *ret, bool unite);

/** kvg_generate_packet() - for the case's policy */
void kvg_generate_packet(struct kvg_case *test_case);

/** kvg_generate_frame() - such a packet in an Ethernet frame, ARP, DHCP, or what differs from them */
void kvg_generate_frame(struct kvg_case *test_case);

/**
 * kvg_shrink() - leave out of a case whatever it does without
 * @test_case: made smaller in place
 * @still:     is it still what it was found for? (of a smaller one; @data is handed on)
 */
void kvg_shrink(struct kvg_case *test_case, bool (*still)(const struct kvg_case *, void *data),
		void *data);

/** kvg_case_print() - for people, one fact a line */
void kvg_case_print(const struct kvg_case *test_case);

#endif
