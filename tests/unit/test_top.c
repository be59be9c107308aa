// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "audit/top.h"
#include "base/cleanup.h"

static struct kvg_record record_of(__u64 cgroup_id, unsigned int port, __u64 count)
{
	return (struct kvg_record){
		.refusal = {.cgroup_id = cgroup_id,
			    .dport = htons(port),
			    .protocol = IPPROTO_TCP,
			    .family = AF_INET,
			    .daddr = {[10] = 0xff, [11] = 0xff, 203, 0, 113, 9},
			    .reason = KVG_REASON_PORT},
		.count = count,
	};
}

static void add(struct kvg_top *top, __u64 cgroup_id, unsigned int port, __u64 count)
{
	const struct kvg_record record = record_of(cgroup_id, port, count);

	kvg_top_add(top, &record);
}

static const struct kvg_top_gate *gate_of(const struct kvg_top *top, __u64 cgroup_id)
{
	struct kvg_top_gate *const *gates;
	size_t count = kvg_top_list(top, &gates);

	for (size_t i = 0; i < count; i++) {
		if (gates[i]->cgroup_id == cgroup_id)
			return gates[i];
	}
	return NULL;
}

static __u64 count_of(const struct kvg_top_gate *gate, unsigned int port)
{
	for (size_t i = 0; i < gate->count; i++) {
		if (gate->flows[i].refusal.dport == htons(port))
			return gate->flows[i].count;
	}
	return 0;
}

static int make(void **state)
{
	return kvg_top_open((struct kvg_top **)state);
}

static int unmake(void **state)
{
	kvg_top_close(*state);
	return 0;
}

static void repeats_of_a_flow_add_up_whatever_the_policy_and_the_hook(void **state)
{
	struct kvg_record record = record_of(1, 443, 2);

	kvg_top_add(*state, &record);
	record.refusal.generation = 7;
	record.refusal.hook = KVG_HOOK_EGRESS;
	kvg_top_add(*state, &record);
	assert_int_equal(gate_of(*state, 1)->count, 1);
	assert_int_equal(count_of(gate_of(*state, 1), 443), 4);
	record.refusal.reason = KVG_REASON_DESTINATION;
	kvg_top_add(*state, &record);
	assert_int_equal(gate_of(*state, 1)->count, 2);
}

static void a_scan_of_all_ports_hides_nothing_that_is_frequent(void **state)
{
	const struct kvg_top_gate *gate;
	__u64 sum;

	add(*state, 1, 443, 100);
	add(*state, 1, 8443, 50);
	for (unsigned int port = 10000; port < 60000; port++)
		add(*state, 1, port, 1);
	add(*state, 1, 443, 1);
	gate = gate_of(*state, 1);
	assert_int_equal(count_of(gate, 443), 101);
	assert_int_equal(count_of(gate, 8443), 50);
	sum = gate->others;
	for (size_t i = 0; i < gate->count; i++)
		sum += gate->flows[i].count;
	assert_int_equal(sum, 50151);
}

static void one_gates_flood_pushes_out_nothing_of_another(void **state)
{
	add(*state, 2, 443, 1);
	for (unsigned int port = 1; port < 65536; port++)
		add(*state, 1, port, 1000);
	assert_int_equal(count_of(gate_of(*state, 2), 443), 1);
}

static void beyond_the_most_gates_the_one_that_was_quiet_longest_is_forgotten(void **state)
{
	for (__u64 id = 1; id <= KVG_TOP_GATES; id++)
		add(*state, id, 443, 1);
	add(*state, 1, 443, 1);
	add(*state, KVG_TOP_GATES + 1, 443, 1);
	assert_non_null(gate_of(*state, 1));
	assert_null(gate_of(*state, 2));
	assert_non_null(gate_of(*state, KVG_TOP_GATES + 1));
}

static void the_last_process_and_name_that_are_known_are_kept(void **state)
{
	struct kvg_record record = record_of(1, 443, 1);
	const struct kvg_top_flow *flow;

	record.owner = (struct kvg_owner){.tgid = 7, .comm = "curl"};
	record.domain = "one.example";
	kvg_top_add(*state, &record);
	record.owner = (struct kvg_owner){0};
	record.domain = NULL;
	kvg_top_add(*state, &record);
	flow = &gate_of(*state, 1)->flows[0];
	assert_string_equal(flow->comm, "curl");
	assert_string_equal(flow->domain, "one.example");
}

static void a_connection_that_was_closed_was_not_refused(void **state)
{
	struct kvg_record record = record_of(1, 443, 1);

	record.refusal.hook = KVG_HOOK_SOCK_DESTROY;
	kvg_top_add(*state, &record);
	assert_null(gate_of(*state, 1));
}

static void flows_have_words(void **state)
{
	struct kvg_record record = record_of(1, 443, 1);
	char text[KVG_TOP_FLOW_STRLEN];

	(void)state;
	assert_string_equal(kvg_top_format_flow(&record.refusal, text), "tcp 203.0.113.9:443");
	record.refusal.family = AF_INET6;
	memset(record.refusal.daddr, 0xff, 16);
	record.refusal.protocol = 250;
	assert_string_equal(kvg_top_format_flow(&record.refusal, text),
			    "ip/250 [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:443");
	record.refusal.folded = KVG_FOLDED_DESTINATIONS;
	assert_string_equal(kvg_top_format_flow(&record.refusal, text),
			    "more destinations than are told apart");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
		TEST(repeats_of_a_flow_add_up_whatever_the_policy_and_the_hook),
		TEST(a_scan_of_all_ports_hides_nothing_that_is_frequent),
		TEST(one_gates_flood_pushes_out_nothing_of_another),
		TEST(beyond_the_most_gates_the_one_that_was_quiet_longest_is_forgotten),
		TEST(the_last_process_and_name_that_are_known_are_kept),
		TEST(a_connection_that_was_closed_was_not_refused),
		TEST(flows_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
