// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random frames by random policies: the program on the interface and the model must say the same of each. A
 * case on which they differ is made small and printed; KVGATE_TEST_SEED brings the whole sequence back.
 */
#include <errno.h>
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
#include "frames.h"
#include "generate.h"
#include "kernel.h"
#include "model.h"
#include "policy/words.h"

#define POLICIES 128 /* each in a slot of its own: an outer map's update takes 10 ms */
#define FRAMES   300000

struct fixture {
	struct kvg_kernel *kernel;
	struct kvg_frames *frames;
	struct kvg_entry entries[POLICIES];
	size_t by_reason[KVG_REASON_COUNT];
	size_t not_run; /* too short for this kernel */
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct kvg_kernel_sizes sizes = {0};
	int r;

	*state = fixture;
	kvg_generate_seed();
	r = kvg_kernel_open(&sizes, &fixture->kernel);
	if (r == 0)
		r = kvg_frames_open(fixture->kernel, &fixture->frames);
	for (__u32 i = 0; r == 0 && i < POLICIES; i++) {
		kvg_generate_policy(&fixture->entries[i].model, i % 2);
		fixture->entries[i].model.known = i % 50;
		fixture->entries[i].model.dhcp = i % 3 == 0;
		r = kvg_entry_fill(fixture->kernel, &fixture->entries[i], i + 1);
	}
	if (r < 0)
		print_error("the policies cannot be put into the kernel: %s\n", strerror(-r));
	return r;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kvg_frames_close(fixture->frames);
	kvg_kernel_close(fixture->kernel);
	for (size_t i = 0; i < POLICIES; i++)
		kvg_policy_free(fixture->entries[i].policy);
	free(fixture);
	return 0;
}

/* Does the kernel say what the model says? @ret_run: it ran the frame at all */
static bool agrees(struct fixture *fixture, const struct kvg_case *test_case,
		   const struct kvg_gate *gate, bool *ret_run)
{
	struct kvg_model_answer answer =
		kvg_model_judge_frame(&test_case->policy, test_case->packet, test_case->size);
	struct kvg_verdict verdict;
	int r = kvg_frames_gate(fixture->frames, gate, test_case->policy.dhcp);

	if (r == 0)
		r = kvg_frames_run(fixture->frames, test_case->packet, test_case->size, &verdict);
	*ret_run = r != -EINVAL;
	if (!*ret_run)
		return true;
	return r == 0 && verdict.passed == answer.passes && verdict.reason == answer.reason;
}

static bool still_disagrees(const struct kvg_case *test_case, void *data)
{
	struct kvg_entry entry = {.model = test_case->policy};
	struct fixture *fixture = data;
	bool run, ret;

	ret = test_case->size >= 14 && kvg_entry_fill(fixture->kernel, &entry, 1) == 0 &&
	      !agrees(fixture, test_case, &entry.gate, &run);
	if (entry.gate.slot)
		kvg_kernel_clear(fixture->kernel, &entry.gate);
	kvg_policy_free(entry.policy);
	return ret;
}

static void report_disagreement(struct fixture *fixture, struct kvg_case *test_case)
{
	struct kvg_model_answer answer;
	struct kvg_entry entry = {};
	struct kvg_verdict verdict = {};

	kvg_shrink(test_case, still_disagrees, fixture);
	kvg_case_print(test_case);
	entry.model = test_case->policy;
	answer = kvg_model_judge_frame(&test_case->policy, test_case->packet, test_case->size);
	kvg_entry_fill(fixture->kernel, &entry, 1);
	kvg_frames_gate(fixture->frames, &entry.gate, test_case->policy.dhcp);
	kvg_frames_run(fixture->frames, test_case->packet, test_case->size, &verdict);
	kvg_policy_free(entry.policy);
	fail_msg("the kernel says %s (%s), the model %s (%s)", kvg_reason_word(verdict.reason),
		 verdict.passed ? "passes" : "stopped", kvg_reason_word(answer.reason),
		 answer.passes ? "passes" : "stopped");
}

static void kernel_and_model_agree(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_case test_case;

	for (size_t i = 0; i < FRAMES; i++) {
		const struct kvg_entry *entry = &fixture->entries[i % POLICIES];
		struct kvg_model_answer answer;
		bool run;

		test_case.policy = entry->model;
		kvg_generate_frame(&test_case);
		if (!agrees(fixture, &test_case, &entry->gate, &run))
			report_disagreement(fixture, &test_case);
		answer = kvg_model_judge_frame(&test_case.policy, test_case.packet, test_case.size);
		fixture->by_reason[answer.reason] += run;
		fixture->not_run += !run;
	}
}

/* Else the agreement above would be about less than it seems. */
static void every_reason_came_up_often(void **state)
{
	static const enum kvg_reason possible[] = {
		KVG_REASON_ALLOWED,   KVG_REASON_NO_POLICY,    KVG_REASON_DESTINATION,
		KVG_REASON_PORT,      KVG_REASON_PROTOCOL,     KVG_REASON_PORT_FOR_DESTINATION,
		KVG_REASON_FRAGMENT,  KVG_REASON_IP_OPTIONS,   KVG_REASON_IPV6_EXTENSION,
		KVG_REASON_MALFORMED, KVG_REASON_PACKET_SOCKET};
	struct fixture *fixture = *state;

	print_message("not run by this kernel %zu\n", fixture->not_run);
	assert_true(fixture->not_run < FRAMES / 10);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(possible); i++) {
		print_message("%-22s %zu\n", kvg_reason_word(possible[i]),
			      fixture->by_reason[possible[i]]);
		assert_true(fixture->by_reason[possible[i]] > FRAMES / 300);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_and_model_agree),
		cmocka_unit_test(every_reason_came_up_often),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
