// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "compiled.h"
#include "learn/proposal_text.h"
#include "learn/propose.h"
#include "policy/config.h"
#include "policy/explain.h"

/* What a client asked for, and what was made of it. */
struct lesson {
	struct workshop shop;
	struct kvg_evidence evidence;
	struct kvg_proposal proposal;
};

static struct lesson lesson;

static int set_up(void **state)
{
	(void)state;
	memset(&lesson, 0, sizeof(lesson));
	workshop_add(&lesson.shop, TAGS(CLIENT_TAGS "," TAG("Storage", "", "\"203.0.113.0/28\"")));
	return kvg_propose_start(&lesson.shop.profile, "learned", KVG_CLOUD_PUBLIC);
}

static int tear_down(void **state)
{
	(void)state;
	workshop_done(&lesson.shop);
	kvg_evidence_done(&lesson.evidence);
	kvg_proposal_done(&lesson.proposal);
	return 0;
}

/* @flow: of "network" and "destination", as the record has them */
static void add(const char *reason, json_t *flow)
{
	json_t *line = json_pack("{s:{s:s, s:s}, s:{s:s}, s:{s:i}}", "event", "action",
				 "egress-would-refuse", "reason", reason, "process", "name",
				 "client", "kvgate", "count", 2);

	assert_non_null(line);
	assert_non_null(flow);
	assert_int_equal(json_object_update(line, flow), 0);
	assert_int_equal(kvg_evidence_add(&lesson.evidence, line), 0);
	json_decref(line);
	json_decref(flow);
}

static void asked_by_name(const char *transport, const char *ip, int port, const char *name)
{
	add("destination",
	    json_pack("{s:{s:s}, s:{s:s, s:i, s:s*}}", "network", "transport", transport,
		      "destination", "ip", ip, "port", port, "domain", name));
}

static void asked(const char *transport, const char *ip, int port)
{
	asked_by_name(transport, ip, port, NULL);
}

static void learn(void)
{
	struct kvg_diag diag = {0};

	assert_int_equal(kvg_propose(&lesson.evidence, &lesson.shop.library, &lesson.shop.profile,
				     &lesson.proposal, &diag),
			 0);
}

/* The proposal's own YAML, read as a configuration and compiled, lets the explained flows through. */
static void assert_yaml_lets_through_what_is_explained(void)
{
	KVG_CLEANUP(kvg_config_freep) struct kvg_config *config = NULL;
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	struct kvg_explanation explanation;
	struct kvg_diag diag = {0};
	size_t size;
	FILE *out = open_memstream(&text, &size);

	kvg_proposal_print(out, &lesson.evidence, &lesson.proposal, &lesson.shop.profile);
	fclose(out);
	if (kvg_config_parse(text, size, &config, &diag) < 0)
		fail_msg("line %u: %s\n%s", diag.line, diag.msg, text);
	assert_int_equal(kvg_compile(&config->profiles[0].profile, &lesson.shop.library, &policy,
				     NULL, &diag),
			 0);
	for (size_t i = 0; i < lesson.proposal.count; i++) {
		struct kvg_destination destination = {lesson.evidence.flows[i].address,
						      lesson.evidence.flows[i].service};

		kvg_explain(policy, &destination, &explanation);
		if (strstr(lesson.proposal.findings[i].because, "(crl)"))
			continue; /* by name, at run time */
		assert_int_equal(explanation.reason == KVG_REASON_ALLOWED,
				 lesson.proposal.findings[i].explained);
	}
}

static const char *because(const char *ip)
{
	char text[KVG_PREFIX_STRLEN];

	for (size_t i = 0; i < lesson.proposal.count; i++) {
		struct kvg_prefix prefix = lesson.evidence.flows[i].address;

		kvg_prefix_format(&prefix, text);
		*strchr(text, '/') = '\0';
		if (strcmp(text, ip) == 0)
			return lesson.proposal.findings[i].because;
	}
	fail_msg("%s was not asked for", ip);
	return NULL;
}

static void a_vault_of_one_region_needs_data_in_that_region(void **state)
{
	(void)state;
	asked("tcp", "198.51.100.1", 443);
	asked("tcp", "198.51.100.1", 443);
	learn();
	assert_int_equal(lesson.shop.profile.functions, 1U << KVG_FUNCTION_DATA);
	assert_int_equal(lesson.shop.profile.regions_count, 1);
	assert_string_equal(lesson.shop.profile.regions[0], "westeurope");
	assert_int_equal(lesson.evidence.flows_count, 1);
	assert_int_equal(lesson.evidence.flows[0].count, 4);
	assert_string_equal(because("198.51.100.1"), "AzureKeyVault.WestEurope (data)");
	assert_int_equal(lesson.proposal.open, 0);
	assert_yaml_lets_through_what_is_explained();
}

static void a_vault_without_a_region_keeps_regions_open(void **state)
{
	(void)state;
	asked("tcp", "198.51.100.1", 443);
	asked("tcp", "198.51.100.65", 443);
	learn();
	assert_int_equal(lesson.shop.profile.regions_count, 0);
	assert_yaml_lets_through_what_is_explained();
}

static void functions_that_nobody_asked_for_are_not_proposed(void **state)
{
	(void)state;
	asked("tcp", "192.0.2.1", 443);
	asked("tcp", "198.51.100.33", 443);
	learn();
	assert_int_equal(lesson.shop.profile.functions,
			 1U << KVG_FUNCTION_AUTHENTICATION | 1U << KVG_FUNCTION_DATA);
	assert_yaml_lets_through_what_is_explained();
}

/* An address that two tags hold needs one of them, and the one that is needed anyway. */
static void of_two_functions_that_explain_it_the_one_that_is_needed_is_taken(void **state)
{
	(void)state;
	workshop_add(&lesson.shop,
		     TAGS(TAG("AzureActiveDirectory", "",
			      "\"192.0.2.0/26\",\"192.0.2.64/28\"") "," MANAGE "," VAULTS));
	asked("tcp", "192.0.2.65", 443);
	asked("tcp", "192.0.2.1", 443);
	learn();
	assert_int_equal(lesson.shop.profile.functions, 1U << KVG_FUNCTION_AUTHENTICATION);
	assert_yaml_lets_through_what_is_explained();
}

static void resolvers_are_proposed_only_where_no_data_can_leave_by_them(void **state)
{
	(void)state;
	asked("tcp", "198.51.100.1", 443);
	asked("udp", "10.0.0.10", 53);
	asked("udp", "168.63.129.16", 53);
	asked("udp", "203.0.113.53", 53);
	learn();
	assert_int_equal(lesson.shop.profile.resolvers_count, 2);
	assert_non_null(strstr(because("203.0.113.53"), "public resolver"));
	assert_int_equal(lesson.proposal.open, 1);
	assert_yaml_lets_through_what_is_explained();
}

static void a_private_address_on_443_is_taken_for_a_private_endpoint(void **state)
{
	(void)state;
	asked("tcp", "192.0.2.1", 443);
	asked("tcp", "10.1.2.4", 443);
	asked("tcp", "10.1.2.5", 5432);
	learn();
	assert_int_equal(lesson.shop.profile.allow_count, 1);
	assert_non_null(strstr(because("10.1.2.5"), "not TCP 443"));
	assert_yaml_lets_through_what_is_explained();
}

static void managed_identity_is_seen_and_the_wire_server_is_not_proposed(void **state)
{
	(void)state;
	asked("tcp", "198.51.100.1", 443);
	asked("tcp", "169.254.169.254", 80);
	asked("tcp", "168.63.129.16", 80);
	learn();
	assert_int_equal(lesson.shop.profile.identities, 1U << KVG_IDENTITY_MANAGED);
	assert_non_null(strstr(because("168.63.129.16"), "WireServer"));
	assert_yaml_lets_through_what_is_explained();
}

static void revocation_lists_are_known_by_their_name(void **state)
{
	(void)state;
	asked("tcp", "198.51.100.1", 443);
	asked_by_name("tcp", "203.0.113.80", 80, "crl3.digicert.com");
	asked_by_name("tcp", "203.0.113.81", 80, "example.com");
	learn();
	assert_true(lesson.shop.profile.crl_hosts);
	assert_int_equal(lesson.proposal.open, 1);
	assert_yaml_lets_through_what_is_explained();
}

static void what_no_vault_client_needs_is_named_and_stays_shut(void **state)
{
	(void)state;
	asked("tcp", "198.51.100.1", 443);
	asked("tcp", "203.0.113.1", 443);
	asked("tcp", "203.0.113.99", 443);
	add("socket_type", json_pack("{s:{s:s}}", "network", "transport", "icmp"));
	learn();
	assert_string_equal(because("203.0.113.1"),
			    "published as Storage, which no vault client needs");
	assert_string_equal(because("203.0.113.99"), "no document publishes it");
	assert_int_equal(lesson.evidence.others_count, 1);
	assert_int_equal(lesson.proposal.open, 2);
	assert_yaml_lets_through_what_is_explained();
}

static void what_was_let_through_is_kept_though_no_record_shows_it(void **state)
{
	(void)state;
	lesson.shop.profile.functions = 1U << KVG_FUNCTION_MANAGEMENT;
	asked("tcp", "198.51.100.1", 443);
	learn();
	assert_int_equal(lesson.shop.profile.functions,
			 1U << KVG_FUNCTION_MANAGEMENT | 1U << KVG_FUNCTION_DATA);
}

static void a_name_cannot_write_into_the_configuration(void **state)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	FILE *out;

	(void)state;
	asked("tcp", "198.51.100.1", 443);
	asked_by_name("tcp", "203.0.113.99", 443, "x\nprofiles:\n  - name: evil");
	learn();
	out = open_memstream(&text, &size);
	kvg_proposal_print(out, &lesson.evidence, &lesson.proposal, &lesson.shop.profile);
	fclose(out);
	assert_null(strstr(text, "\n  - name: evil"));
	assert_yaml_lets_through_what_is_explained();
}

static void a_scan_is_no_evidence_and_takes_no_memory(void **state)
{
	char ip[INET_ADDRSTRLEN];

	(void)state;
	for (unsigned int i = 0; i < 3 * KVG_EVIDENCE_FLOWS_MAX; i++) {
		snprintf(ip, sizeof(ip), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		asked("tcp", ip, 22);
	}
	assert_true(lesson.evidence.flows_count <= 3 * KVG_EVIDENCE_FLOWS_MAX);
	assert_true(lesson.evidence.left_out > 0);
	assert_int_equal(lesson.evidence.left_out / 2 + lesson.evidence.flows_count,
			 3 * KVG_EVIDENCE_FLOWS_MAX);
}

static void without_documents_there_is_no_proposal(void **state)
{
	struct kvg_diag diag = {0};

	(void)state;
	lesson.shop.profile.cloud = KVG_CLOUD_CHINA;
	asked("tcp", "198.51.100.1", 443);
	assert_int_equal(kvg_propose(&lesson.evidence, &lesson.shop.library, &lesson.shop.profile,
				     &lesson.proposal, &diag),
			 -ENOENT);
	assert_non_null(strstr(diag.msg, "china"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_vault_of_one_region_needs_data_in_that_region),
		TEST(a_vault_without_a_region_keeps_regions_open),
		TEST(functions_that_nobody_asked_for_are_not_proposed),
		TEST(of_two_functions_that_explain_it_the_one_that_is_needed_is_taken),
		TEST(resolvers_are_proposed_only_where_no_data_can_leave_by_them),
		TEST(a_private_address_on_443_is_taken_for_a_private_endpoint),
		TEST(managed_identity_is_seen_and_the_wire_server_is_not_proposed),
		TEST(revocation_lists_are_known_by_their_name),
		TEST(what_no_vault_client_needs_is_named_and_stays_shut),
		TEST(what_was_let_through_is_kept_though_no_record_shows_it),
		TEST(a_name_cannot_write_into_the_configuration),
		TEST(a_scan_is_no_evidence_and_takes_no_memory),
		TEST(without_documents_there_is_no_proposal),
	};

	return cmocka_run_group_tests_name("learn", tests, NULL, NULL);
}
