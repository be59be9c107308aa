/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel with the policy that most tests of packets use, and what they say of one packet. */
#ifndef KVG_TESTS_BPF_USUAL_H
#define KVG_TESTS_BPF_USUAL_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel.h"
#include "kvg_event.h"
#include "packet.h"

/*
 * The policy:
 *
 *	192.0.2.0/24            tcp/443
 *	192.0.2.128/25          tcp/443 tcp/80
 *	198.51.100.53/32        udp/53 tcp/53
 *	2001:db8::/32           tcp/443
 *	2001:db8:8000::/33      tcp/443 tcp/80
 *	2001:db8:53::53/128     tcp/443 udp/53 tcp/53
 */
#define KVG_INSIDE4  "192.0.2.1"
#define KVG_INSIDE6  "2001:db8::1"
#define KVG_OUTSIDE4 "203.0.113.9"
#define KVG_OUTSIDE6 "2001:db9::1"

/** kvg_usual_set_up(), kvg_usual_tear_down() - of a group of cmocka's tests; *state is kvg_usual's */
int kvg_usual_set_up(void **state);
int kvg_usual_tear_down(void **state);

/** kvg_usual_reset() - before each test: the usual policy is in force */
int kvg_usual_reset(void **state);

/** kvg_usual_replace() - a policy of one test, in force at once */
void kvg_usual_replace(void **state, struct kvg_text_policy *text);

/** kvg_usual_kernel(), kvg_usual_gate() - to run packets in, to be written to */
struct kvg_kernel *kvg_usual_kernel(void **state);
struct kvg_gate *kvg_usual_gate(void **state);

/** kvg_expect_bytes() - the test fails unless the packet hook says this of them */
void kvg_expect_bytes(void **state, const void *bytes, size_t size, bool passes,
		      enum kvg_reason reason);

/** kvg_expect() - ... of the packet; only what is allowed passes */
void kvg_expect(void **state, const struct kvg_packet_bytes *packet, enum kvg_reason reason);

/** kvg_expect_tcp(), kvg_expect_udp() - ... of a whole packet to there */
void kvg_expect_tcp(void **state, const char *daddr, __u16 dport, enum kvg_reason reason);
void kvg_expect_udp(void **state, const char *daddr, __u16 dport, enum kvg_reason reason);

#endif
