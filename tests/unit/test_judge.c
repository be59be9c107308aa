// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>

#include "capture.h"
#include "compiled.h"
#include "seen.h"
#include "simulate/judge.h"

#define CLIENT "192.0.2.4"

/* struct trial - judged by the sample policy, which allows 198.51.100.0/28 tcp/443 */
struct trial {
	struct workshop shop;
	struct kvg_judgement judgement;
	struct capture capture;
};

static void trial_done(struct trial *trial)
{
	kvg_judgement_done(&trial->judgement);
	workshop_done(&trial->shop);
}

static void trial_init(struct trial *trial, enum kvg_inbound inbound)
{
	memset(trial, 0, sizeof(*trial));
	workshop_init(&trial->shop, TAGS(CLIENT_TAGS));
	trial->shop.profile.inbound = inbound;
	trial->judgement.policy = workshop_must(&trial->shop);
	capture_init(&trial->capture, CAPTURE_RAW);
}

static long trial_judge(struct trial *trial)
{
	struct kvg_clients clients = {.how = KVG_CLIENTS_NAMED};
	INPUT input;

	assert_int_equal(kvg_clients_add(&clients, CLIENT, NULL), 0);
	input_read(&input, KVG_INPUT_PCAP, trial->capture.bytes, trial->capture.size);
	assert_int_equal(input.r, 0);
	return kvg_judgement_add(&trial->judgement, &input.traffic, &clients);
}

/* "REASON PORT xFLOWS xPACKETS; ..." in the order of the list */
static void assert_outcomes(struct trial *trial, const char *expected)
{
	KVG_CLEANUP(kvg_freep)
	const struct kvg_outcome **outcomes = kvg_judgement_list(&trial->judgement);
	char text[1024] = "";

	for (size_t i = 0; i < trial->judgement.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %u x%llu x%llu; ",
			 outcomes[i]->key.inbound ? "inbound " : "",
			 kvg_reason_word(outcomes[i]->key.reason),
			 ntohs(outcomes[i]->key.flow.dport), (unsigned long long)outcomes[i]->flows,
			 (unsigned long long)outcomes[i]->packets);
	assert_string_equal(text, expected);
}

#define TRIAL KVG_CLEANUP(trial_done) struct trial

static void flows_with_one_fate_are_one_outcome(void **state)
{
	TRIAL trial;

	(void)state;
	trial_init(&trial, KVG_INBOUND_ALLOW);
	for (uint16_t port = 40000; port < 40003; port++) {
		capture_raw(&trial.capture, ip_make(CLIENT, port, "203.0.113.9", 443, TCP_SYN));
		capture_raw(&trial.capture, ip_make(CLIENT, port, "203.0.113.9", 443, TCP_ACK));
	}
	capture_raw(&trial.capture, ip_make(CLIENT, 40009, "198.51.100.1", 443, TCP_SYN));
	capture_raw(&trial.capture, ip_make("198.51.100.1", 443, CLIENT, 40009, TCP_SYN_ACK));
	assert_int_equal(trial_judge(&trial), 4);
	assert_outcomes(&trial, "destination 443 x3 x6; allowed 443 x1 x1; ");
	assert_int_equal(trial.judgement.refused.flows, 3);
	assert_int_equal(trial.judgement.refused.packets, 6);
	assert_int_equal(trial.judgement.allowed.flows, 1);
}

static void answers_are_by_the_word_of_the_profile(void **state)
{
	for (int inbound = 0; inbound < KVG_INBOUND_COUNT; inbound++) {
		TRIAL trial;

		(void)state;
		trial_init(&trial, (enum kvg_inbound)inbound);
		capture_raw(&trial.capture, ip_make("203.0.113.9", 50000, CLIENT, 8080, TCP_SYN));
		capture_raw(&trial.capture, ip_make(CLIENT, 8080, "203.0.113.9", 50000, TCP_ACK));
		capture_raw(&trial.capture,
			    ip_make(CLIENT, 8080, "203.0.113.9", 50001, TCP_SYN_ACK));
		assert_int_equal(trial_judge(&trial), 2);
		assert_int_equal(trial.judgement.assumed, 0);
		assert_outcomes(&trial, inbound == KVG_INBOUND_ALLOW
						? "inbound allowed 8080 x2 x2; "
						: "inbound inbound_denied 8080 x2 x2; ");
	}
}

static void a_listeners_port_makes_no_answer_of_what_the_client_opens(void **state)
{
	TRIAL trial;

	(void)state;
	trial_init(&trial, KVG_INBOUND_ALLOW);
	capture_raw(&trial.capture, ip_make("203.0.113.9", 50000, CLIENT, 8080, TCP_SYN));
	capture_raw(&trial.capture, ip_make(CLIENT, 8080, "203.0.113.9", 50000, TCP_SYN_ACK));
	capture_raw(&trial.capture, ip_make(CLIENT, 8080, "203.0.113.10", 50000, TCP_SYN));
	capture_raw(&trial.capture, ip_make("203.0.113.11", 50000, CLIENT, 8080, TCP_SYN_ACK));
	capture_raw(&trial.capture, ip_make(CLIENT, 8080, "203.0.113.11", 50000, TCP_ACK));
	assert_int_equal(trial_judge(&trial), 3);
	assert_outcomes(&trial, "port 50000 x1 x1; port 50000 x1 x1; inbound allowed 8080 x1 x1; ");
}

static void datagrams_are_never_answers(void **state)
{
	TRIAL trial;

	(void)state;
	trial_init(&trial, KVG_INBOUND_ALLOW);
	capture_raw(&trial.capture, ip_make("203.0.113.9", 50000, CLIENT, 161, -1));
	capture_raw(&trial.capture, ip_make(CLIENT, 161, "203.0.113.9", 50000, -1));
	assert_int_equal(trial_judge(&trial), 1);
	assert_outcomes(&trial, "protocol 50000 x1 x1; ");
}

static void a_connection_without_a_beginning_is_taken_by_its_ports_and_that_is_counted(void **state)
{
	TRIAL trial;

	(void)state;
	trial_init(&trial, KVG_INBOUND_ALLOW);
	capture_raw(&trial.capture, ip_make(CLIENT, 8080, "203.0.113.9", 50000, TCP_ACK));
	capture_raw(&trial.capture, ip_make(CLIENT, 50000, "203.0.113.9", 8080, TCP_ACK));
	capture_raw(&trial.capture, ip_make(CLIENT, 50000, "203.0.113.9", 50001, TCP_ACK));
	capture_raw(&trial.capture, ip_make(CLIENT, 1000, "203.0.113.9", 1001, TCP_ACK));
	assert_int_equal(trial_judge(&trial), 4);
	assert_int_equal(trial.judgement.assumed, 1);
	assert_int_equal(trial.judgement.refused.flows, 3);
}

static void broken_packets_are_nobodys_and_told(void **state)
{
	TRIAL trial;

	(void)state;
	trial_init(&trial, KVG_INBOUND_ALLOW);
	capture_frame(&trial.capture, "\x50", 1, 1);
	assert_int_equal(trial_judge(&trial), 0);
	assert_int_equal(trial.judgement.unattributed, 1);
}

static void grounds_are_those_of_explain(void **state)
{
	KVG_CLEANUP(kvg_freep) const struct kvg_outcome **outcomes = NULL;
	TRIAL trial;

	(void)state;
	trial_init(&trial, KVG_INBOUND_ALLOW);
	capture_raw(&trial.capture, ip_make(CLIENT, 40000, "198.51.100.16", 443, TCP_SYN));
	assert_int_equal(trial_judge(&trial), 1);
	outcomes = kvg_judgement_list(&trial.judgement);
	assert_null(outcomes[0]->rule);
	assert_string_equal(outcomes[0]->nearest->from[0], "AzureKeyVault");
}

static void processes_are_named_once_and_in_plain_characters(void **state)
{
	KVG_CLEANUP(kvg_freep) const struct kvg_outcome **outcomes = NULL;
	const char *text =
		"ESTAB 0 0 192.0.2.4:40001 203.0.113.9:443 users:((\"curl\",pid=1,fd=5))\n"
		"ESTAB 0 0 192.0.2.4:40002 203.0.113.9:443\n"
		"ESTAB 0 0 192.0.2.4:40003 203.0.113.9:443 users:((\"cu\",pid=2,fd=5))\n"
		"ESTAB 0 0 192.0.2.4:40004 203.0.113.9:443 users:((\"curl\",pid=3,fd=5))\n"
		"ESTAB 0 0 192.0.2.4:40005 203.0.113.9:443 users:((\"\xff\x1b\",pid=4))\n";
	struct kvg_clients clients;
	struct kvg_diag diag;
	TRIAL trial;
	INPUT input;

	(void)state;
	trial_init(&trial, KVG_INBOUND_ALLOW);
	READ(&input, KVG_INPUT_SS, text);
	assert_int_equal(kvg_clients_guess(&input.traffic, &clients, &diag), 0);
	assert_int_equal(kvg_judgement_add(&trial.judgement, &input.traffic, &clients), 5);
	outcomes = kvg_judgement_list(&trial.judgement);
	assert_int_equal(trial.judgement.count, 1);
	assert_string_equal(outcomes[0]->processes, "curl, cu, ??");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_with_one_fate_are_one_outcome),
		cmocka_unit_test(answers_are_by_the_word_of_the_profile),
		cmocka_unit_test(a_listeners_port_makes_no_answer_of_what_the_client_opens),
		cmocka_unit_test(datagrams_are_never_answers),
		cmocka_unit_test(
			a_connection_without_a_beginning_is_taken_by_its_ports_and_that_is_counted),
		cmocka_unit_test(broken_packets_are_nobodys_and_told),
		cmocka_unit_test(grounds_are_those_of_explain),
		cmocka_unit_test(processes_are_named_once_and_in_plain_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
