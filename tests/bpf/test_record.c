// SPDX-License-Identifier: BSD-2-Clause
/* What the egress hook counts and tells of the packets that it refuses, also where there is no room. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "gate/intake.h"
#include "kernel.h"
#include "packet.h"

#define INSIDE  "192.0.2.1"
#define OUTSIDE "203.0.113.9"

#define PAGE        4096
#define RING_RECORD (sizeof(struct kvg_event) + 8) /* the kernel puts a header before each */
#define RING_EVENTS ((PAGE - 1) / RING_RECORD)     /* that fit into a ring of one page */
#define KEPT        64

struct rest {
	struct kvg_refusal refusal;
	struct kvg_tally tally;
	__u64 count;
};

/* struct fixture - the programs and what their record said: the first of each, and how many */
struct fixture {
	struct kvg_kernel *kernel;
	struct kvg_intake *intake;
	struct kvg_event events[KEPT];
	size_t events_count;
	struct rest rests[KEPT];
	size_t rests_count;
	__u64 refusals; /* events and rests together */
};

static void keep_event(void *data, const struct kvg_event *event)
{
	struct fixture *fixture = data;

	if (fixture->events_count < KEPT)
		fixture->events[fixture->events_count] = *event;
	fixture->events_count++;
	fixture->refusals++;
}

static void keep_rest(void *data, const struct kvg_refusal *refusal, const struct kvg_tally *tally,
		      __u64 count)
{
	struct fixture *fixture = data;

	if (fixture->rests_count < KEPT)
		fixture->rests[fixture->rests_count] = (struct rest){*refusal, *tally, count};
	fixture->rests_count++;
	fixture->refusals += count;
}

static int set_up(void **state, const struct kvg_kernel_sizes *sizes)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct kvg_intake_handler handler = {
		.event = keep_event, .rest = keep_rest, .data = fixture};
	struct kvg_text_policy text = {};
	int r;

	*state = fixture;
	r = kvg_kernel_open(sizes, &fixture->kernel);
	if (r < 0) {
		print_error("the programs cannot be loaded: %s\n", strerror(-r));
		return r;
	}
	kvg_text_policy_add(&text, "192.0.2.0/24", "tcp/443");
	kvg_text_policy_add(&text, "2001:db8::/32", "tcp/443 tcp/80");
	r = kvg_kernel_fill(fixture->kernel, &text.policy, kvg_kernel_gate(fixture->kernel));
	if (r < 0)
		return r;
	return kvg_intake_open(kvg_kernel_set(fixture->kernel), &handler, &fixture->intake);
}

static int set_up_usual(void **state)
{
	const struct kvg_kernel_sizes sizes = {0};

	return set_up(state, &sizes);
}

static int set_up_small_ring(void **state)
{
	const struct kvg_kernel_sizes sizes = {.ring_bytes = PAGE};

	return set_up(state, &sizes);
}

static int set_up_few_tallies(void **state)
{
	const struct kvg_kernel_sizes sizes = {.tallies = 8};

	return set_up(state, &sizes);
}

static int set_up_nothing_much(void **state)
{
	const struct kvg_kernel_sizes sizes = {.ring_bytes = PAGE, .tallies = 8};

	return set_up(state, &sizes);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kvg_intake_close(fixture->intake);
	kvg_kernel_close(fixture->kernel);
	free(fixture);
	return 0;
}

static void run(struct fixture *fixture, const struct kvg_packet_bytes *packet, bool passes)
{
	struct kvg_verdict verdict;

	assert_int_equal(kvg_kernel_run(fixture->kernel, packet->bytes, packet->size, &verdict), 0);
	assert_int_equal(verdict.passed, passes);
}

static void refuse(struct fixture *fixture, const char *daddr, __u16 dport)
{
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, daddr, dport);
	run(fixture, &packet, false);
}

/* @count flows to ports from 1 on, which no destination has. */
static void refuse_ports(struct fixture *fixture, __u16 count)
{
	for (__u16 port = 1; port <= count; port++)
		refuse(fixture, OUTSIDE, port);
}

static void take(struct fixture *fixture)
{
	assert_int_equal(kvg_intake_take(fixture->intake), 0);
}

static struct kvg_lost lost(struct fixture *fixture)
{
	struct kvg_lost ret;

	assert_int_equal(kvg_intake_lost(fixture->intake, &ret), 0);
	return ret;
}

static void set_mapped(__u8 ret[16], const char *addr)
{
	memset(ret, 0, 16);
	ret[10] = ret[11] = 0xff;
	inet_pton(AF_INET, addr, ret + 12);
}

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void what_passes_is_counted_and_not_told(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, INSIDE, 443);
	run(fixture, &packet, true);
	assert_int_equal(kvg_kernel_counters(fixture->kernel)->allowed, 1);

	take(fixture);
	assert_int_equal(fixture->refusals, 0);
}

static void refusals_are_counted_by_reason(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_counters *counters = kvg_kernel_counters(fixture->kernel);
	struct kvg_packet_bytes packet;

	refuse(fixture, OUTSIDE, 443);
	assert_int_equal(counters->refused[KVG_REASON_DESTINATION], 1);
	refuse(fixture, INSIDE, 80);
	assert_int_equal(counters->refused[KVG_REASON_PORT_FOR_DESTINATION], 1);
	assert_int_equal(counters->refused[KVG_REASON_DESTINATION], 0);

	kvg_kernel_gate(fixture->kernel)->mode = KVG_MODE_AUDIT;
	kvg_packet_start(&packet, INSIDE, IPPROTO_ICMP);
	run(fixture, &packet, true);
	assert_int_equal(counters->refused[KVG_REASON_PROTOCOL], 1);
	assert_int_equal(counters->allowed, 0);
}

static void an_event_tells_what_was_refused(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_refusal expected = {
		.cgroup_id = KVG_KERNEL_CGROUP_ID,
		.generation = 1,
		.dport = htons(443),
		.protocol = IPPROTO_TCP,
		.family = AF_INET,
		.reason = KVG_REASON_DESTINATION,
		.hook = KVG_HOOK_EGRESS,
		.mode = KVG_MODE_ENFORCE,
	};
	const struct kvg_event *event = &fixture->events[0];
	__u64 before = now_ns();
	__u8 saddr[16];

	set_mapped(expected.daddr, OUTSIDE);
	set_mapped(saddr, KVG_PACKET_SOURCE4);
	refuse(fixture, OUTSIDE, 443);

	assert_int_equal(kvg_intake_read(fixture->intake), 1);
	assert_memory_equal(&event->refusal, &expected, sizeof(expected));
	assert_memory_equal(event->saddr, saddr, sizeof(saddr));
	assert_int_equal(event->sport, htons(KVG_PACKET_SPORT));
	assert_int_equal(event->bytes, 40 + kvg_kernel_extra_bytes(fixture->kernel));
	assert_int_equal(event->counted, 1);
	assert_in_range(event->time_ns, before, now_ns());
}

static void an_ipv6_event_has_its_addresses(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_event *event = &fixture->events[0];
	__u8 daddr[16], saddr[16];

	inet_pton(AF_INET6, "2001:db9::9", daddr);
	inet_pton(AF_INET6, KVG_PACKET_SOURCE6, saddr);
	refuse(fixture, "2001:db9::9", 443);

	assert_int_equal(kvg_intake_read(fixture->intake), 1);
	assert_int_equal(event->refusal.family, AF_INET6);
	assert_memory_equal(event->refusal.daddr, daddr, sizeof(daddr));
	assert_memory_equal(event->saddr, saddr, sizeof(saddr));
	assert_int_equal(event->bytes, 60 + kvg_kernel_extra_bytes(fixture->kernel));
}

static void an_event_of_no_policy_has_no_gate(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_event *event = &fixture->events[0];

	memset(kvg_kernel_gate(fixture->kernel), 0, sizeof(struct kvg_gate));
	refuse(fixture, INSIDE, 443);

	assert_int_equal(kvg_intake_read(fixture->intake), 1);
	assert_int_equal(event->refusal.reason, KVG_REASON_NO_POLICY);
	assert_int_equal(event->refusal.cgroup_id, 0);
	assert_int_equal(event->refusal.generation, 0);
}

/* Ports are not read where the packet is not understood, and then they are not told either. */
static void what_was_not_understood_is_not_told(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_refusal *refusal = &fixture->events[0].refusal;
	struct kvg_packet_bytes packet;
	__u8 daddr[16];

	set_mapped(daddr, INSIDE);
	kvg_packet_tcp(&packet, INSIDE, 443);
	packet.bytes[6] = 0x20; /* more fragments */
	run(fixture, &packet, false);

	assert_int_equal(kvg_intake_read(fixture->intake), 1);
	assert_int_equal(refusal->reason, KVG_REASON_FRAGMENT);
	assert_memory_equal(refusal->daddr, daddr, sizeof(daddr));
	assert_int_equal(refusal->protocol, IPPROTO_TCP);
	assert_int_equal(refusal->dport, 0);
	assert_int_equal(fixture->events[0].sport, 0);
}

static void the_sender_is_named_where_the_kernel_knows_it(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_owner *owner = &fixture->events[0].owner;

	refuse(fixture, OUTSIDE, 443);
	assert_int_equal(kvg_intake_read(fixture->intake), 1);
	if (!kvg_kernel_names_process(fixture->kernel)) {
		assert_int_equal(owner->tgid, 0);
		print_message("SKIP: the packet hook of this kernel does not know processes\n");
		skip();
	}
	assert_int_not_equal(owner->tgid, 0);
	assert_int_equal(owner->uid, getuid());
}

static void audit_mode_is_told_apart(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_packet_bytes packet;

	refuse(fixture, OUTSIDE, 443);
	kvg_kernel_gate(fixture->kernel)->mode = KVG_MODE_AUDIT;
	kvg_packet_tcp(&packet, OUTSIDE, 443);
	run(fixture, &packet, true);

	assert_int_equal(kvg_intake_read(fixture->intake), 2);
	assert_int_equal(fixture->events[0].refusal.mode, KVG_MODE_ENFORCE);
	assert_int_equal(fixture->events[1].refusal.mode, KVG_MODE_AUDIT);
}

static void repeats_are_counted_and_told_once(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 1000; i++)
		refuse(fixture, OUTSIDE, 443);
	take(fixture);

	assert_int_equal(fixture->events_count, 1);
	assert_int_equal(fixture->rests_count, 1);
	assert_int_equal(fixture->rests[0].count, 999);
	assert_int_equal(fixture->rests[0].tally.count, 1000);
	assert_int_equal(fixture->rests[0].tally.bytes,
			 1000 * (40 + kvg_kernel_extra_bytes(fixture->kernel)));
	assert_in_range(fixture->rests[0].tally.last_ns, fixture->rests[0].tally.first_ns + 1,
			now_ns());
	assert_memory_equal(&fixture->rests[0].refusal, &fixture->events[0].refusal,
			    sizeof(struct kvg_refusal));
}

static void another_source_port_is_the_same_flow(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_packet_bytes packet;

	kvg_packet_tcp(&packet, OUTSIDE, 443);
	for (int i = 0; i < 100; i++) {
		packet.bytes[21] = i;
		run(fixture, &packet, false);
	}
	take(fixture);
	assert_int_equal(fixture->events_count, 1);
	assert_int_equal(fixture->refusals, 100);
}

static void every_other_difference_is_another_flow(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_packet_bytes packet;

	refuse(fixture, OUTSIDE, 443);
	refuse(fixture, "203.0.113.10", 443);
	refuse(fixture, OUTSIDE, 444);
	refuse(fixture, "2001:db9::9", 443);
	kvg_packet_udp(&packet, OUTSIDE, 443);
	run(fixture, &packet, false);
	kvg_kernel_gate(fixture->kernel)->generation = 2;
	refuse(fixture, OUTSIDE, 443);
	kvg_kernel_gate(fixture->kernel)->cgroup_id = KVG_KERNEL_CGROUP_ID + 1;
	refuse(fixture, OUTSIDE, 443);

	take(fixture);
	assert_int_equal(fixture->events_count, 7);
	assert_int_equal(fixture->rests_count, 0);
}

static void after_a_taking_a_flow_is_told_again(void **state)
{
	struct fixture *fixture = *state;

	refuse(fixture, OUTSIDE, 443);
	refuse(fixture, OUTSIDE, 443);
	take(fixture);
	assert_int_equal(fixture->refusals, 2);

	take(fixture);
	assert_int_equal(fixture->refusals, 2);

	refuse(fixture, OUTSIDE, 443);
	take(fixture);
	assert_int_equal(fixture->events_count, 2);
	assert_int_equal(fixture->refusals, 3);
}

static void a_scan_of_2000_ports_adds_up_to_2000(void **state)
{
	struct fixture *fixture = *state;

	refuse_ports(fixture, 2000);
	take(fixture);
	assert_int_equal(fixture->events_count, 2000);
	assert_int_equal(fixture->refusals, 2000);
	assert_int_equal(lost(fixture).events, 0);
}

static void a_full_ring_keeps_verdicts_and_counts(void **state)
{
	struct fixture *fixture = *state;

	refuse_ports(fixture, 100);
	assert_int_equal(lost(fixture).events, 100 - RING_EVENTS);
	assert_int_equal(lost(fixture).flows, 0);

	take(fixture);
	assert_int_equal(fixture->events_count, RING_EVENTS);
	assert_int_equal(fixture->rests_count, 100 - RING_EVENTS);
	assert_int_equal(fixture->refusals, 100);
	assert_int_equal(fixture->rests[0].tally.announced, 0);
}

static void a_flow_that_the_ring_missed_is_told_when_there_is_room(void **state)
{
	struct fixture *fixture = *state;

	refuse_ports(fixture, RING_EVENTS + 1);
	assert_int_equal(kvg_intake_read(fixture->intake), RING_EVENTS);
	refuse(fixture, OUTSIDE, RING_EVENTS + 1);
	assert_int_equal(kvg_intake_read(fixture->intake), 1);

	take(fixture);
	assert_int_equal(fixture->refusals, RING_EVENTS + 2);
}

static void a_full_table_makes_every_refusal_an_event(void **state)
{
	struct fixture *fixture = *state;

	refuse_ports(fixture, 20);
	refuse_ports(fixture, 20);
	assert_int_equal(kvg_intake_read(fixture->intake), 20 + 12);
	for (size_t i = 0; i < 20 + 12; i++)
		assert_int_equal(fixture->events[i].counted, i < 8);

	take(fixture);
	assert_int_equal(fixture->refusals, 40);
	assert_int_equal(lost(fixture).events + lost(fixture).flows, 0);
}

static void what_neither_table_nor_ring_can_take_is_counted_as_lost(void **state)
{
	struct fixture *fixture = *state;

	refuse_ports(fixture, 100);
	assert_int_equal(lost(fixture).events, 0);
	assert_int_equal(lost(fixture).flows, 100 - RING_EVENTS);

	take(fixture);
	assert_int_equal(fixture->refusals + lost(fixture).flows, 100);
}

static void without_a_table_refusals_are_events(void **state)
{
	struct fixture *fixture = *state;
	__u32 zero = 0;

	assert_int_equal(
		bpf_map_delete_elem(kvg_set_map(kvg_kernel_set(fixture->kernel), KVG_MAP_TALLIES),
				    &zero),
		0);
	refuse(fixture, OUTSIDE, 443);
	refuse(fixture, OUTSIDE, 443);
	assert_int_equal(kvg_intake_read(fixture->intake), 2);
	assert_int_equal(fixture->events[1].counted, 0);
}

#define TEST_WITH(set_up, name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST(name)              TEST_WITH(set_up_usual, name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_passes_is_counted_and_not_told),
		TEST(refusals_are_counted_by_reason),
		TEST(an_event_tells_what_was_refused),
		TEST(an_ipv6_event_has_its_addresses),
		TEST(an_event_of_no_policy_has_no_gate),
		TEST(what_was_not_understood_is_not_told),
		TEST(the_sender_is_named_where_the_kernel_knows_it),
		TEST(audit_mode_is_told_apart),
		TEST(repeats_are_counted_and_told_once),
		TEST(another_source_port_is_the_same_flow),
		TEST(every_other_difference_is_another_flow),
		TEST(after_a_taking_a_flow_is_told_again),
		TEST(a_scan_of_2000_ports_adds_up_to_2000),
		TEST_WITH(set_up_small_ring, a_full_ring_keeps_verdicts_and_counts),
		TEST_WITH(set_up_small_ring,
			  a_flow_that_the_ring_missed_is_told_when_there_is_room),
		TEST_WITH(set_up_few_tallies, a_full_table_makes_every_refusal_an_event),
		TEST_WITH(set_up_nothing_much,
			  what_neither_table_nor_ring_can_take_is_counted_as_lost),
		TEST(without_a_table_refusals_are_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
