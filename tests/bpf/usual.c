// SPDX-License-Identifier: BSD-2-Clause
#include "usual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/words.h"

struct fixture {
	struct kvg_kernel *kernel;
	struct kvg_gate usual_gate;
};

struct kvg_kernel *kvg_usual_kernel(void **state)
{
	return ((struct fixture *)*state)->kernel;
}

struct kvg_gate *kvg_usual_gate(void **state)
{
	return kvg_kernel_gate(kvg_usual_kernel(state));
}

int kvg_usual_set_up(void **state)
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

int kvg_usual_tear_down(void **state)
{
	struct fixture *fixture = *state;

	kvg_kernel_close(fixture->kernel);
	free(fixture);
	return 0;
}

int kvg_usual_reset(void **state)
{
	struct fixture *fixture = *state;

	*kvg_kernel_gate(fixture->kernel) = fixture->usual_gate;
	return 0;
}

void kvg_usual_replace(void **state, struct kvg_text_policy *text)
{
	struct kvg_gate gate;

	assert_int_equal(kvg_kernel_fill(kvg_usual_kernel(state), &text->policy, &gate), 0);
	*kvg_usual_gate(state) = gate;
}

void kvg_expect_bytes(void **state, const void *bytes, size_t size, bool passes,
		      enum kvg_reason reason)
{
	struct kvg_verdict verdict;

	assert_int_equal(kvg_kernel_run(kvg_usual_kernel(state), bytes, size, &verdict), 0);
	if (verdict.reason != reason || verdict.passed != passes)
		fail_msg("%s with reason %s, not %s with %s", verdict.passed ? "passed" : "stopped",
			 kvg_reason_word(verdict.reason), passes ? "passed" : "stopped",
			 kvg_reason_word(reason));
}

void kvg_expect(void **state, const struct kvg_packet_bytes *packet, enum kvg_reason reason)
{
	kvg_expect_bytes(state, packet->bytes, packet->size, reason == KVG_REASON_ALLOWED, reason);
}

void kvg_expect_tcp(void **state, const char *daddr, __u16 dport, enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, daddr, dport);
	kvg_expect(state, &packet, reason);
}

void kvg_expect_udp(void **state, const char *daddr, __u16 dport, enum kvg_reason reason)
{
	struct kvg_packet_bytes packet;

	kvg_packet_udp(&packet, daddr, dport);
	kvg_expect(state, &packet, reason);
}
