// SPDX-License-Identifier: BSD-2-Clause
/*
 * The decision by itself, with the facts as they are set here: what test runs of the programs cannot have,
 * loopback and answers to connections that others opened, and in which order facts count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdbool.h>

#include "kvg_decide.h"

/* struct facts - what the kernel side would find out, and whether it was asked */
struct facts {
	bool held;
	__u32 granted;
	enum kvg_claim claim;
	unsigned int asked_grant;
	unsigned int asked_claim;
};

static __always_inline bool kvg_longest_grant(const struct kvg_gate *gate,
					      const struct kvg_flow *flow, void *ctx,
					      __u32 *ret_services)
{
	struct facts *facts = ctx;

	(void)gate;
	(void)flow;
	facts->asked_grant++;
	*ret_services = facts->granted;
	return facts->held;
}

static __always_inline enum kvg_claim kvg_find_claim(const struct kvg_flow *flow, void *ctx)
{
	struct facts *facts = ctx;

	(void)flow;
	facts->asked_claim++;
	return facts->claim;
}

static struct kvg_gate usual_gate(void)
{
	struct kvg_gate gate = {.slot = 1, .services_count = 2};

	gate.services[0] = (struct kvg_service){.protocol = KVG_IPPROTO_TCP, .port = htons(443)};
	gate.services[1] = (struct kvg_service){.protocol = KVG_IPPROTO_TCP, .port = htons(80)};
	return gate;
}

static struct kvg_flow tcp_to(unsigned int port)
{
	return (struct kvg_flow){.protocol = KVG_IPPROTO_TCP, .dport = htons(port)};
}

static void assert_decision(const struct kvg_gate *gate, const struct kvg_flow *flow,
			    struct facts *facts, enum kvg_reason reason)
{
	assert_int_equal(kvg_decide(gate, flow, facts), reason);
}

static void a_service_of_the_longest_prefix_is_allowed(void **state)
{
	const struct kvg_gate gate = usual_gate();
	const struct kvg_flow flow = tcp_to(443);
	struct facts facts = {.held = true, .granted = 1};

	(void)state;
	assert_decision(&gate, &flow, &facts, KVG_REASON_ALLOWED);
	assert_int_equal(facts.asked_claim, 0);
}

static void without_a_gate_even_loopback_is_refused(void **state)
{
	struct kvg_gate gate = usual_gate();
	struct kvg_flow flow = tcp_to(443);
	struct facts facts = {.held = true, .granted = 3, .claim = KVG_CLAIM_REPLY};

	(void)state;
	flow.loopback = true;
	assert_decision(NULL, &flow, &facts, KVG_REASON_NO_POLICY);
	gate.slot = 0;
	assert_decision(&gate, &flow, &facts, KVG_REASON_NO_POLICY);
}

static void what_was_not_understood_is_refused_on_loopback_too(void **state)
{
	const struct kvg_gate gate = usual_gate();
	struct kvg_flow flow = tcp_to(443);
	struct facts facts = {.held = true, .granted = 3, .claim = KVG_CLAIM_REPLY};

	(void)state;
	flow.loopback = true;
	for (int fault = KVG_REASON_ALLOWED + 1; fault < KVG_REASON_COUNT; fault++) {
		flow.fault = fault;
		assert_decision(&gate, &flow, &facts, fault);
	}
	assert_int_equal(facts.asked_grant + facts.asked_claim, 0);
}

static void loopback_is_allowed_whatever_the_service(void **state)
{
	const struct kvg_gate gate = usual_gate();
	struct kvg_flow flow = {.protocol = 132, .loopback = true};
	struct facts facts = {};

	(void)state;
	assert_decision(&gate, &flow, &facts, KVG_REASON_ALLOWED);
	assert_int_equal(facts.asked_grant, 0);
}

static void what_stays_on_the_link_is_allowed_if_it_is_understood(void **state)
{
	const struct kvg_gate gate = usual_gate();
	struct kvg_flow flow = {.protocol = 58, .link = true};
	struct facts facts = {};

	(void)state;
	assert_decision(&gate, &flow, &facts, KVG_REASON_ALLOWED);
	assert_decision(NULL, &flow, &facts, KVG_REASON_NO_POLICY);
	flow.fault = KVG_REASON_MALFORMED;
	assert_decision(&gate, &flow, &facts, KVG_REASON_MALFORMED);
}

/* To any port: the peer chose it. */
static void answers_to_connections_from_outside_are_allowed(void **state)
{
	const struct kvg_gate gate = usual_gate();
	struct facts nowhere = {.claim = KVG_CLAIM_REPLY};
	struct facts without_service = {.held = true, .claim = KVG_CLAIM_REPLY};
	struct kvg_flow flow = tcp_to(51234);

	(void)state;
	assert_decision(&gate, &flow, &nowhere, KVG_REASON_ALLOWED);
	flow = tcp_to(443);
	assert_decision(&gate, &flow, &nowhere, KVG_REASON_ALLOWED);
	flow = tcp_to(80);
	assert_decision(&gate, &flow, &without_service, KVG_REASON_ALLOWED);
}

static void a_profile_without_inbound_refuses_answers_by_that_name(void **state)
{
	struct kvg_gate gate = usual_gate();
	const struct kvg_flow flow = tcp_to(51234);
	struct facts facts = {.claim = KVG_CLAIM_REPLY};

	(void)state;
	gate.inbound = KVG_INBOUND_DENY;
	assert_decision(&gate, &flow, &facts, KVG_REASON_INBOUND_DENIED);
}

static void a_profile_without_inbound_still_allows_its_own_services(void **state)
{
	struct kvg_gate gate = usual_gate();
	const struct kvg_flow flow = tcp_to(443);
	struct facts facts = {.held = true, .granted = 1, .claim = KVG_CLAIM_REPLY};

	(void)state;
	gate.inbound = KVG_INBOUND_DENY;
	assert_decision(&gate, &flow, &facts, KVG_REASON_ALLOWED);
}

static void what_is_no_answer_keeps_its_reason(void **state)
{
	struct kvg_gate gate = usual_gate();
	struct kvg_flow flow = tcp_to(22);
	struct facts facts = {};

	(void)state;
	gate.inbound = KVG_INBOUND_DENY;
	assert_decision(&gate, &flow, &facts, KVG_REASON_PORT);
	flow = tcp_to(443);
	assert_decision(&gate, &flow, &facts, KVG_REASON_DESTINATION);
	facts.held = true;
	facts.granted = 2;
	assert_decision(&gate, &flow, &facts, KVG_REASON_PORT_FOR_DESTINATION);
	flow.protocol = KVG_IPPROTO_UDP;
	assert_decision(&gate, &flow, &facts, KVG_REASON_PROTOCOL);
}

/* A neighbour in the client's network namespace is not the client: its connections are its own affair. */
static void connections_of_others_are_allowed_whatever_inbound_says(void **state)
{
	struct kvg_gate gate = usual_gate();
	const struct kvg_flow flow = tcp_to(22);
	struct facts facts = {.claim = KVG_CLAIM_OTHERS};

	(void)state;
	assert_decision(&gate, &flow, &facts, KVG_REASON_ALLOWED);
	gate.inbound = KVG_INBOUND_DENY;
	assert_decision(&gate, &flow, &facts, KVG_REASON_ALLOWED);
}

static void an_unknown_claim_is_none(void **state)
{
	const struct kvg_gate gate = usual_gate();
	const struct kvg_flow flow = tcp_to(22);
	struct facts facts = {.claim = KVG_CLAIM_OTHERS + 1};

	(void)state;
	assert_decision(&gate, &flow, &facts, KVG_REASON_PORT);
}

static void an_unknown_inbound_mode_refuses_answers(void **state)
{
	struct kvg_gate gate = usual_gate();
	const struct kvg_flow flow = tcp_to(51234);
	struct facts facts = {.claim = KVG_CLAIM_REPLY};

	(void)state;
	gate.inbound = KVG_INBOUND_COUNT;
	assert_decision(&gate, &flow, &facts, KVG_REASON_INBOUND_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_of_the_longest_prefix_is_allowed),
		cmocka_unit_test(without_a_gate_even_loopback_is_refused),
		cmocka_unit_test(what_was_not_understood_is_refused_on_loopback_too),
		cmocka_unit_test(loopback_is_allowed_whatever_the_service),
		cmocka_unit_test(what_stays_on_the_link_is_allowed_if_it_is_understood),
		cmocka_unit_test(answers_to_connections_from_outside_are_allowed),
		cmocka_unit_test(a_profile_without_inbound_refuses_answers_by_that_name),
		cmocka_unit_test(a_profile_without_inbound_still_allows_its_own_services),
		cmocka_unit_test(what_is_no_answer_keeps_its_reason),
		cmocka_unit_test(connections_of_others_are_allowed_whatever_inbound_says),
		cmocka_unit_test(an_unknown_claim_is_none),
		cmocka_unit_test(an_unknown_inbound_mode_refuses_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
