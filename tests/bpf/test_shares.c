// SPDX-License-Identifier: BSD-2-Clause
/* Who has how much of the record: a gate that floods it, and the others beside it. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
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

#define OTHER_GATE  (KVG_KERNEL_CGROUP_ID + 1)
#define RING_BYTES  (64 * 1024)
#define RING_RECORD (sizeof(struct kvg_event) + 8) /* the kernel puts a header before each */
#define RING_HALF   (RING_BYTES / 2 / RING_RECORD + 1)
#define WINDOW_NS   (1ULL << KVG_SHARE_WINDOW_SHIFT)
#define KEPT        8

/* struct fixture - the programs and what their record said */
struct fixture {
	struct kvg_kernel *kernel;
	struct kvg_intake *intake;
	size_t events_count;
	size_t others_events; /* of OTHER_GATE */
	size_t told_apart;    /* refusals of flows with an entry of their own */
	struct kvg_refusal folded[KEPT];
	struct kvg_tally folded_tallies[KEPT];
	size_t folded_count;
	__u64 folded_refusals;
};

static void keep_event(void *data, const struct kvg_event *event)
{
	struct fixture *fixture = data;

	fixture->events_count++;
	fixture->told_apart++;
	if (event->refusal.cgroup_id == OTHER_GATE)
		fixture->others_events++;
}

static void keep_rest(void *data, const struct kvg_refusal *refusal, const struct kvg_tally *tally,
		      __u64 count)
{
	struct fixture *fixture = data;

	if (!refusal->folded) {
		fixture->told_apart += count;
		return;
	}
	fixture->folded_refusals += count;
	if (fixture->folded_count < KEPT) {
		fixture->folded[fixture->folded_count] = *refusal;
		fixture->folded_tallies[fixture->folded_count] = *tally;
	}
	fixture->folded_count++;
}

static int set_up(void **state)
{
	const struct kvg_kernel_sizes sizes = {.ring_bytes = RING_BYTES};
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct kvg_intake_handler handler = {
		.event = keep_event, .rest = keep_rest, .data = fixture};
	struct kvg_text_policy text = {};
	int r;

	*state = fixture;
	r = kvg_kernel_open(&sizes, &fixture->kernel);
	if (r < 0) {
		print_error("the programs cannot be loaded: %s\n", strerror(-r));
		return r;
	}
	kvg_text_policy_add(&text, "192.0.2.0/24", "tcp/443");
	r = kvg_kernel_fill(fixture->kernel, &text.policy, kvg_kernel_gate(fixture->kernel));
	if (r < 0)
		return r;
	return kvg_intake_open(kvg_kernel_set(fixture->kernel), &handler, &fixture->intake);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kvg_intake_close(fixture->intake);
	kvg_kernel_close(fixture->kernel);
	free(fixture);
	return 0;
}

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* With a window that has just begun, what follows is all in it. */
static void wait_for_window(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	__u64 window = now_ns() / WINDOW_NS;

	while (now_ns() / WINDOW_NS == window)
		nanosleep(&pause, NULL);
}

static void refuse(struct fixture *fixture, const char *daddr, __u16 dport)
{
	struct kvg_packet_bytes packet;
	struct kvg_verdict verdict;

	kvg_packet_tcp(&packet, daddr, dport);
	assert_int_equal(kvg_kernel_run(fixture->kernel, packet.bytes, packet.size, &verdict), 0);
	assert_false(verdict.passed);
}

/* @count flows of ports from @first on */
static void refuse_ports(struct fixture *fixture, __u16 first, __u16 count)
{
	for (__u16 i = 0; i < count; i++)
		refuse(fixture, OUTSIDE, first + i);
}

/* Another gate has another storage, with a share that is whole. */
static void be_other_gate(struct fixture *fixture)
{
	kvg_kernel_gate(fixture->kernel)->cgroup_id = OTHER_GATE;
	memset(kvg_kernel_share(fixture->kernel), 0, sizeof(struct kvg_share));
}

static int room_map(struct fixture *fixture)
{
	return kvg_set_map(kvg_kernel_set(fixture->kernel), KVG_MAP_ROOM);
}

static struct kvg_room room(struct fixture *fixture, enum kvg_room_side side)
{
	struct kvg_room ret;
	__u32 index = side;

	assert_int_equal(bpf_map_lookup_elem(room_map(fixture), &index, &ret), 0);
	return ret;
}

/* As if others had made so many entries, and taken so many flows out of the pot. */
static void fill_room(struct fixture *fixture, __u64 entries, __u64 pot)
{
	const struct kvg_room full = {.entries = entries, .pot = pot};
	__u32 index = KVG_ROOM_KERNEL;

	assert_int_equal(bpf_map_update_elem(room_map(fixture), &index, &full, BPF_ANY), 0);
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

static void beyond_share_and_pot_refusals_add_up_in_one_entry(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_refusal expected = {
		.cgroup_id = KVG_KERNEL_CGROUP_ID,
		.generation = 1,
		.reason = KVG_REASON_PORT,
		.hook = KVG_HOOK_EGRESS,
		.mode = KVG_MODE_ENFORCE,
		.folded = KVG_FOLDED_DESTINATIONS,
	};

	fill_room(fixture, 0, KVG_POT_FLOWS);
	wait_for_window();
	refuse_ports(fixture, 1000, 500);
	take(fixture);

	assert_int_equal(fixture->told_apart, KVG_SHARE_FLOWS);
	assert_int_equal(fixture->events_count, KVG_SHARE_FLOWS);
	assert_int_equal(fixture->folded_count, 1);
	assert_int_equal(fixture->folded_refusals, 500 - KVG_SHARE_FLOWS);
	assert_memory_equal(&fixture->folded[0], &expected, sizeof(expected));
	assert_int_equal(fixture->folded_tallies[0].bytes,
			 (500 - KVG_SHARE_FLOWS) * (40 + kvg_kernel_extra_bytes(fixture->kernel)));
	assert_int_equal(lost(fixture).events + lost(fixture).flows, 0);
}

static void what_is_not_told_apart_is_counted_by_gate_reason_and_mode(void **state)
{
	struct fixture *fixture = *state;

	fill_room(fixture, KVG_TALLIES_MAX - KVG_TALLIES_KEPT, KVG_POT_FLOWS);
	refuse_ports(fixture, 1000, 10);
	for (int i = 0; i < 7; i++)
		refuse(fixture, OUTSIDE, 443);
	kvg_kernel_gate(fixture->kernel)->cgroup_id = OTHER_GATE;
	refuse_ports(fixture, 1000, 5);
	take(fixture);

	assert_int_equal(fixture->told_apart, 0);
	assert_int_equal(fixture->folded_count, 3);
	assert_int_equal(fixture->folded_refusals, 22);
	for (size_t i = 0; i < 3; i++) {
		const struct kvg_refusal *refusal = &fixture->folded[i];
		bool is_other = refusal->cgroup_id == OTHER_GATE;
		__u64 count = refusal->reason == KVG_REASON_DESTINATION ? 7 : is_other ? 5 : 10;

		assert_int_equal(fixture->folded_tallies[i].count, count);
	}
}

static void a_flow_that_has_an_entry_keeps_it(void **state)
{
	struct fixture *fixture = *state;

	refuse(fixture, OUTSIDE, 443);
	fill_room(fixture, KVG_TALLIES_MAX, KVG_POT_FLOWS);
	for (int i = 0; i < 9; i++)
		refuse(fixture, OUTSIDE, 443);
	take(fixture);
	assert_int_equal(fixture->told_apart, 10);
	assert_int_equal(fixture->folded_count, 0);
}

static void a_flood_leaves_the_other_gate_its_share(void **state)
{
	struct fixture *fixture = *state;

	fill_room(fixture, 0, KVG_POT_FLOWS);
	refuse_ports(fixture, 1000, 5000);
	be_other_gate(fixture);
	refuse_ports(fixture, 1000, KVG_SHARE_EVENTS / 2);

	take(fixture);
	assert_int_equal(fixture->others_events, KVG_SHARE_EVENTS / 2);
	assert_int_equal(fixture->told_apart + fixture->folded_refusals,
			 5000 + KVG_SHARE_EVENTS / 2);
}

static void half_of_the_ring_is_for_those_who_have_a_share(void **state)
{
	struct fixture *fixture = *state;

	wait_for_window();
	refuse_ports(fixture, 1000, 2 * RING_HALF);
	assert_in_range(lost(fixture).events, 1, 2 * RING_HALF);
	be_other_gate(fixture);
	refuse_ports(fixture, 1000, KVG_SHARE_EVENTS);

	assert_true(kvg_intake_read(fixture->intake) > 0);
	assert_int_equal(fixture->others_events, KVG_SHARE_EVENTS);
	assert_in_range(fixture->events_count - fixture->others_events, RING_HALF, RING_HALF + 1);
	take(fixture);
	assert_int_equal(fixture->told_apart, 2 * RING_HALF + KVG_SHARE_EVENTS);
}

static void a_share_is_whole_again_in_the_next_window(void **state)
{
	struct fixture *fixture = *state;

	fill_room(fixture, 0, KVG_POT_FLOWS);
	wait_for_window();
	refuse_ports(fixture, 1000, 2 * KVG_SHARE_FLOWS);
	wait_for_window();
	refuse_ports(fixture, 5000, KVG_SHARE_FLOWS);
	take(fixture);
	assert_int_equal(fixture->told_apart, 2 * KVG_SHARE_FLOWS);
	assert_int_equal(fixture->folded_refusals, KVG_SHARE_FLOWS);
}

static void what_a_share_pays_for_is_not_taken_out_of_the_pot(void **state)
{
	struct fixture *fixture = *state;

	wait_for_window();
	refuse_ports(fixture, 1000, KVG_SHARE_FLOWS);
	assert_int_equal(room(fixture, KVG_ROOM_KERNEL).pot, 0);
	refuse_ports(fixture, 5000, 10);
	assert_int_equal(room(fixture, KVG_ROOM_KERNEL).pot, 10);
	assert_int_equal(room(fixture, KVG_ROOM_KERNEL).entries, KVG_SHARE_FLOWS + 10);
}

static void the_pot_fills_up_with_time_and_never_more_than_full(void **state)
{
	struct fixture *fixture = *state;
	const struct timespec pause = {.tv_nsec = 500000000};

	fill_room(fixture, 0, KVG_POT_FLOWS);
	refuse(fixture, OUTSIDE, 1);
	take(fixture); /* the first brings a second's */
	assert_int_equal(room(fixture, KVG_ROOM_READER).pot, KVG_POT_FLOWS_S);

	nanosleep(&pause, NULL);
	refuse(fixture, OUTSIDE, 1);
	take(fixture);
	assert_in_range(room(fixture, KVG_ROOM_READER).pot, KVG_POT_FLOWS_S + KVG_POT_FLOWS_S / 2,
			KVG_POT_FLOWS);

	fill_room(fixture, 1000, room(fixture, KVG_ROOM_READER).pot + 1);
	nanosleep(&pause, NULL);
	take(fixture);
	assert_int_equal(room(fixture, KVG_ROOM_READER).pot, room(fixture, KVG_ROOM_KERNEL).pot);
}

static void a_taking_makes_room_for_entries(void **state)
{
	struct fixture *fixture = *state;

	refuse(fixture, OUTSIDE, 1);
	assert_true(kvg_intake_has_counts(fixture->intake));
	take(fixture);
	assert_false(kvg_intake_has_counts(fixture->intake));
	assert_int_equal(room(fixture, KVG_ROOM_READER).entries, 1);
}

/* The next reader of the set finds what nobody has taken, and takes it once. */
static void counts_survive_their_reader(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_intake_handler handler = {
		.event = keep_event, .rest = keep_rest, .data = fixture};

	fill_room(fixture, KVG_TALLIES_MAX, KVG_POT_FLOWS);
	refuse_ports(fixture, 1000, 100);
	kvg_intake_close(fixture->intake);
	assert_int_equal(
		kvg_intake_open(kvg_kernel_set(fixture->kernel), &handler, &fixture->intake), 0);
	take(fixture);
	assert_int_equal(fixture->folded_refusals, 100);
	take(fixture);
	assert_int_equal(fixture->folded_refusals, 100);
}

static void flows_are_counted_by_reason_when_they_get_an_entry(void **state)
{
	struct fixture *fixture = *state;
	const struct kvg_counters *counters = kvg_kernel_counters(fixture->kernel);

	refuse(fixture, OUTSIDE, 443);
	assert_int_equal(counters->flows[KVG_REASON_DESTINATION], 1);
	refuse(fixture, OUTSIDE, 443);
	assert_int_equal(counters->flows[KVG_REASON_DESTINATION], 0);

	fill_room(fixture, KVG_TALLIES_MAX, KVG_POT_FLOWS);
	refuse(fixture, OUTSIDE, 444);
	assert_int_equal(counters->flows[KVG_REASON_PORT], 0);
	assert_int_equal(counters->refused[KVG_REASON_PORT], 1);
}

/* Is the reader woken within @ms? Whatever is there is read. */
static bool is_woken(struct fixture *fixture, int ms)
{
	struct pollfd fd = {.fd = kvg_intake_fd(fixture->intake), .events = POLLIN};
	bool woken = poll(&fd, 1, ms) == 1;

	kvg_intake_read(fixture->intake);
	poll(&fd, 1, 0); /* nothing is left to be ready */
	return woken;
}

static void the_first_of_a_burst_wake_the_reader_and_no_others(void **state)
{
	struct fixture *fixture = *state;

	wait_for_window();
	refuse(fixture, OUTSIDE, 1);
	assert_true(is_woken(fixture, 1000));
	refuse_ports(fixture, 1000, KVG_SHARE_WAKES);
	assert_true(is_woken(fixture, 1000));

	refuse_ports(fixture, 2000, 20);
	assert_false(is_woken(fixture, 100));
	assert_int_equal(fixture->events_count, 1 + KVG_SHARE_WAKES + 20);

	be_other_gate(fixture);
	refuse(fixture, OUTSIDE, 1);
	assert_true(is_woken(fixture, 1000));
}

/* The kernel itself wakes nobody who is behind. */
static void an_unread_flood_does_not_keep_others_from_waking_the_reader(void **state)
{
	struct fixture *fixture = *state;
	struct pollfd fd = {.fd = kvg_intake_fd(fixture->intake), .events = POLLIN};

	wait_for_window();
	refuse_ports(fixture, 1000, KVG_SHARE_WAKES);
	assert_true(is_woken(fixture, 1000));
	refuse_ports(fixture, 2000, 20);
	assert_int_equal(poll(&fd, 1, 100), 0);
	be_other_gate(fixture);
	refuse(fixture, OUTSIDE, 1);
	assert_int_equal(poll(&fd, 1, 1000), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(beyond_share_and_pot_refusals_add_up_in_one_entry),
		TEST(what_is_not_told_apart_is_counted_by_gate_reason_and_mode),
		TEST(a_flow_that_has_an_entry_keeps_it),
		TEST(a_flood_leaves_the_other_gate_its_share),
		TEST(half_of_the_ring_is_for_those_who_have_a_share),
		TEST(a_share_is_whole_again_in_the_next_window),
		TEST(what_a_share_pays_for_is_not_taken_out_of_the_pot),
		TEST(the_pot_fills_up_with_time_and_never_more_than_full),
		TEST(a_taking_makes_room_for_entries),
		TEST(counts_survive_their_reader),
		TEST(flows_are_counted_by_reason_when_they_get_an_entry),
		TEST(the_first_of_a_burst_wake_the_reader_and_no_others),
		TEST(an_unread_flood_does_not_keep_others_from_waking_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
