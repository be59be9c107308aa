// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random packets by random policies: the kernel, the model and `explain` must say the same of each. A case
 * on which they differ is made small and printed; KVGATE_TEST_SEED brings the whole sequence back.
 */
#include <arpa/inet.h>
#include <errno.h>
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
#include "entry.h"
#include "gate/intake.h"
#include "generate.h"
#include "kernel.h"
#include "model.h"
#include "policy/address.h"
#include "policy/explain.h"
#include "policy/words.h"

#define POLICIES     256    /* each in a slot of its own: an outer map's update takes 10 ms */
#define PACKETS      240000 /* by a policy that changes from one to the next */
#define DESTINATIONS 60000

struct fixture {
	struct kvg_kernel *kernel;
	struct kvg_intake *intake;
	struct kvg_entry entries[POLICIES];
	struct kvg_event event; /* the last */
	size_t events_count;    /* since it was set to 0 */
	__u64 recorded;         /* refusals, in events and rests */
	__u64 refused;          /* of the packets that were run */
	size_t by_reason[KVG_REASON_COUNT];
};

static void keep_event(void *data, const struct kvg_event *event)
{
	struct fixture *fixture = data;

	fixture->event = *event;
	fixture->events_count++;
	fixture->recorded++;
}

static void keep_rest(void *data, const struct kvg_refusal *refusal, const struct kvg_tally *tally,
		      __u64 count)
{
	struct fixture *fixture = data;

	(void)refusal;
	(void)tally;
	fixture->recorded += count;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct kvg_intake_handler handler = {
		.event = keep_event, .rest = keep_rest, .data = fixture};
	const struct kvg_kernel_sizes sizes = {0};
	int r;

	*state = fixture;
	kvg_generate_seed();
	r = kvg_kernel_open(&sizes, &fixture->kernel);
	if (r == 0)
		r = kvg_intake_open(kvg_kernel_set(fixture->kernel), &handler, &fixture->intake);
	for (__u32 i = 0; r == 0 && i < POLICIES; i++) {
		kvg_generate_policy(&fixture->entries[i].model, i % 2);
		fixture->entries[i].model.known = i % 50;
		r = kvg_entry_fill(fixture->kernel, &fixture->entries[i], i + 1);
	}
	if (r < 0)
		print_error("the policies cannot be put into the kernel: %s\n", strerror(-r));
	return r;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kvg_intake_close(fixture->intake);
	kvg_kernel_close(fixture->kernel);
	for (size_t i = 0; i < POLICIES; i++)
		kvg_policy_free(fixture->entries[i].policy);
	free(fixture);
	return 0;
}

/* Does the kernel say what the model says? */
static bool agrees(struct kvg_kernel *kernel, const struct kvg_case *test_case,
		   const struct kvg_gate *gate)
{
	struct kvg_model_answer answer =
		kvg_model_judge(&test_case->policy, test_case->packet, test_case->size);
	struct kvg_verdict verdict;

	*kvg_kernel_gate(kernel) = *gate;
	if (kvg_kernel_run(kernel, test_case->packet, test_case->size, &verdict) < 0)
		return test_case->size == 0; /* Linux 6.1 */
	return verdict.passed == answer.passes && verdict.reason == answer.reason;
}

/* For kvg_shrink(): a case whose policy is not in the kernel. */
static bool still_disagrees(const struct kvg_case *test_case, void *data)
{
	struct kvg_kernel *kernel = data;
	struct kvg_entry entry = {.model = test_case->policy};
	bool ret =
		kvg_entry_fill(kernel, &entry, 1) == 0 && !agrees(kernel, test_case, &entry.gate);

	if (entry.gate.slot)
		kvg_kernel_clear(kernel, &entry.gate);
	kvg_policy_free(entry.policy);
	return ret;
}

static void report_disagreement(struct kvg_kernel *kernel, struct kvg_case *test_case)
{
	struct kvg_entry entry = {};
	struct kvg_model_answer answer;
	struct kvg_verdict verdict = {};

	kvg_shrink(test_case, still_disagrees, kernel);
	kvg_case_print(test_case);

	entry.model = test_case->policy;
	answer = kvg_model_judge(&test_case->policy, test_case->packet, test_case->size);
	kvg_entry_fill(kernel, &entry, 1);
	*kvg_kernel_gate(kernel) = entry.gate;
	kvg_kernel_run(kernel, test_case->packet, test_case->size, &verdict);
	kvg_policy_free(entry.policy);
	fail_msg("the kernel says %s (%s), the model %s (%s)", kvg_reason_word(verdict.reason),
		 verdict.passed ? "passes" : "stopped", kvg_reason_word(answer.reason),
		 answer.passes ? "passes" : "stopped");
}

/* If there was an event of the packet, it says what the model says. */
static bool record_agrees(struct fixture *fixture, const struct kvg_model_answer *answer,
			  const struct kvg_gate *gate)
{
	const struct kvg_refusal *refusal = &fixture->event.refusal;
	struct kvg_refusal expected = {
		.cgroup_id = gate->cgroup_id,
		.generation = gate->generation,
		.dport = htons(answer->dport),
		.protocol = answer->protocol,
		.family = answer->version == 6   ? AF_INET6
			  : answer->version == 4 ? AF_INET
						 : 0,
		.reason = answer->reason,
		.hook = KVG_HOOK_EGRESS,
		.mode = gate->mode,
	};

	fixture->events_count = 0;
	if (kvg_intake_read(fixture->intake) < 0)
		return false;
	if (answer->reason == KVG_REASON_ALLOWED || fixture->events_count != 1)
		return fixture->events_count == 0;
	memcpy(expected.daddr, answer->daddr, sizeof(expected.daddr));
	return memcmp(refusal, &expected, sizeof(expected)) == 0;
}

static void run_case(struct fixture *fixture, struct kvg_case *test_case,
		     const struct kvg_entry *entry)
{
	struct kvg_model_answer answer =
		kvg_model_judge(&test_case->policy, test_case->packet, test_case->size);

	if (!agrees(fixture->kernel, test_case, &entry->gate))
		report_disagreement(fixture->kernel, test_case);
	if (!record_agrees(fixture, &answer, &entry->gate)) {
		kvg_case_print(test_case);
		fail_msg("verdict %s is not recorded as it was made",
			 kvg_reason_word(answer.reason));
	}
	fixture->by_reason[answer.reason]++;
	fixture->refused += answer.reason != KVG_REASON_ALLOWED;
}

static void kernel_and_model_agree(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_case test_case;

	for (size_t i = 0; i < PACKETS; i++) {
		const struct kvg_entry *entry = &fixture->entries[i % POLICIES];

		test_case.policy = entry->model;
		kvg_generate_packet(&test_case);
		if (test_case.size)
			run_case(fixture, &test_case, entry);
	}
}

/* Else the agreement above would be about less than it seems. */
static void every_reason_came_up_often(void **state)
{
	static const enum kvg_reason possible[] = {
		KVG_REASON_ALLOWED,  KVG_REASON_NO_POLICY,  KVG_REASON_DESTINATION,
		KVG_REASON_PORT,     KVG_REASON_PROTOCOL,   KVG_REASON_PORT_FOR_DESTINATION,
		KVG_REASON_FRAGMENT, KVG_REASON_IP_OPTIONS, KVG_REASON_IPV6_EXTENSION,
		KVG_REASON_MALFORMED};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < KVG_ARRAY_SIZE(possible); i++) {
		print_message("%-22s %zu\n", kvg_reason_word(possible[i]),
			      fixture->by_reason[possible[i]]);
		assert_true(fixture->by_reason[possible[i]] > PACKETS / 200);
	}
}

static void the_record_adds_up(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_lost lost;

	assert_int_equal(kvg_intake_take(fixture->intake), 0);
	assert_int_equal(kvg_intake_lost(fixture->intake, &lost), 0);
	assert_int_equal(lost.flows, 0);
	assert_int_equal(fixture->recorded, fixture->refused);
}

/* A destination that `explain` would be asked about; false if the packet is none. */
static bool destination_of(const struct kvg_case *test_case, struct kvg_destination *ret)
{
	struct kvg_model_policy any = {.known = true};
	struct kvg_model_answer answer = kvg_model_judge(&any, test_case->packet, test_case->size);
	bool ipv6 = answer.version == 6;

	if (answer.reason != KVG_REASON_PROTOCOL ||
	    (answer.protocol != IPPROTO_TCP && answer.protocol != IPPROTO_UDP))
		return false;

	*ret = (struct kvg_destination){
		.address = {.family = ipv6 ? AF_INET6 : AF_INET, .bits = ipv6 ? 128 : 32},
		.service = {.port = htons(answer.dport), .protocol = answer.protocol},
	};
	memcpy(ret->address.addr, ipv6 ? answer.daddr : answer.daddr + 12, ipv6 ? 16 : 4);
	return kvg_address_classify(&ret->address) != KVG_ADDRESS_LOOPBACK;
}

static void kernel_and_explain_agree(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_case test_case;
	size_t asked = 0;

	for (size_t i = 0; asked < DESTINATIONS; i++) {
		const struct kvg_entry *entry = &fixture->entries[i % POLICIES];
		struct kvg_explanation explanation;
		struct kvg_destination destination;
		struct kvg_verdict verdict;

		if (!entry->policy)
			continue;
		test_case.policy = entry->model;
		kvg_generate_packet(&test_case);
		if (!destination_of(&test_case, &destination))
			continue;

		asked++;
		kvg_explain(entry->policy, &destination, &explanation);
		*kvg_kernel_gate(fixture->kernel) = entry->gate;
		assert_int_equal(
			kvg_kernel_run(fixture->kernel, test_case.packet, test_case.size, &verdict),
			0);
		if (verdict.reason != explanation.reason) {
			kvg_case_print(&test_case);
			fail_msg("the kernel says %s, explain %s", kvg_reason_word(verdict.reason),
				 kvg_reason_word(explanation.reason));
		}
	}
}

/* Of a made-up difference: the third rule is there, and the packet is UDP. */
static bool matters(const struct kvg_case *test_case, void *data)
{
	const struct kvg_model_rule *rule = data;

	for (size_t i = 0; i < test_case->policy.rules_count; i++) {
		if (test_case->policy.rules[i].bits == rule->bits)
			return test_case->size > 9 && test_case->packet[9] == IPPROTO_UDP;
	}
	return false;
}

static void a_case_shrinks_to_what_matters(void **state)
{
	struct kvg_case test_case = {.policy = {.rules_count = 5}, .size = 60};
	struct kvg_model_rule wanted;

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		test_case.policy.rules[i].bits = i;
	memset(test_case.packet, IPPROTO_UDP, sizeof(test_case.packet));
	wanted = test_case.policy.rules[2];

	kvg_shrink(&test_case, matters, &wanted);
	assert_int_equal(test_case.policy.rules_count, 1);
	assert_int_equal(test_case.policy.rules[0].bits, wanted.bits);
	assert_int_equal(test_case.size, 10);
	assert_memory_equal(test_case.packet, "\0\0\0\0\0\0\0\0\0\x11", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_case_shrinks_to_what_matters),
		cmocka_unit_test(kernel_and_model_agree),
		cmocka_unit_test(every_reason_came_up_often),
		cmocka_unit_test(the_record_adds_up),
		cmocka_unit_test(kernel_and_explain_agree),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
