// SPDX-License-Identifier: BSD-2-Clause
/*
 * Programs on an interface: ours goes first and displaces nobody, by a link or by a filter, and what is
 * in front of it is noticed. kvg_tc_check() alone knows the order, so it is held to what frames show.
 */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "base/cleanup.h"
#include "gate/own.h"
#include "gate/tc.h"
#include "wire.h"

#define TCX_INGRESS 46
#define BEFORE      (1U << 3)
#define PASS        TC_ACT_UNSPEC
#define NOT_FIRST   5 /* priority of others' filters */

/* struct fixture - the interface, a program of ours, one of somebody else's, and what holds them */
struct fixture {
	struct kvg_tc_place place;
	struct kvg_counting ours;
	struct kvg_counting theirs;
	int our_link;
	int their_link;
	__u32 also_own; /* a program that counts as kvgate's */
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	libbpf_set_print(NULL);
	fixture->our_link = fixture->their_link = -1;
	fixture->place.ifindex = kvg_wire_make();
	if (!fixture->place.ifindex)
		return -1;
	return kvg_counting_open("ours", false, PASS, &fixture->ours) < 0 ||
			       kvg_counting_open("theirs", false, PASS, &fixture->theirs) < 0
		       ? -1
		       : 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kvg_closep(&fixture->our_link);
	kvg_closep(&fixture->their_link);
	kvg_counting_done(&fixture->ours);
	kvg_counting_done(&fixture->theirs);
	free(fixture);
	return 0;
}

static bool is_own(void *data, __u32 id)
{
	const struct fixture *fixture = data;

	return id && id == fixture->also_own;
}

static int check(struct fixture *fixture, __u32 id)
{
	struct kvg_diag diag = {0};
	int r = kvg_tc_check(&fixture->place, id, is_own, fixture, &diag);

	if (r < 0 && !diag.msg[0])
		fail_msg("%s, and nobody says why", strerror(-r));
	return r;
}

static int check_ours(struct fixture *fixture)
{
	return check(fixture, kvg_own_program_id(fixture->ours.program));
}

static void attach_link(struct fixture *fixture)
{
	int r;

	fixture->place.hook = KVG_PORT_HOOK_TCX;
	r = kvg_tc_attach_link(&fixture->place, fixture->ours.program, &fixture->our_link);
	if (r == -EOPNOTSUPP) {
		print_message("SKIP: this kernel has no tcx (Linux 6.6)\n");
		skip();
	}
	assert_int_equal(r, 0);
}

static void attach_filter(struct fixture *fixture)
{
	bool made = false;

	fixture->place.hook = KVG_PORT_HOOK_CLSACT;
	assert_int_equal(kvg_tc_make_qdisc(fixture->place.ifindex, &made), 0);
	assert_int_equal(check(fixture, 0), 0);
	assert_int_equal(kvg_tc_attach_filter(&fixture->place, fixture->ours.program), 0);
}

static void attach_their_link(struct fixture *fixture, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);

	fixture->their_link = bpf_link_create(fixture->theirs.program, (int)fixture->place.ifindex,
					      TCX_INGRESS, &options);
	assert_true(fixture->their_link >= 0);
}

static void attach_their_filter(struct fixture *fixture, __u32 priority)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)fixture->place.ifindex,
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = fixture->theirs.program, .priority = priority);

	bpf_tc_hook_create(&hook);
	assert_int_equal(bpf_tc_attach(&hook, &options), 0);
}

static void assert_seen(const struct fixture *fixture, __u64 ours, __u64 theirs)
{
	assert_int_equal(kvg_counting_read(&fixture->ours), ours);
	assert_int_equal(kvg_counting_read(&fixture->theirs), theirs);
}

static void send_one(void)
{
	assert_int_equal(kvg_wire_send(), 0);
}

static void a_link_runs_before_one_that_was_there(void **state)
{
	struct fixture *fixture = *state;

	kvg_counting_done(&fixture->ours);
	assert_int_equal(kvg_counting_open("ours", false, TC_ACT_SHOT, &fixture->ours), 0);
	attach_link(fixture);
	kvg_closep(&fixture->our_link);
	attach_their_link(fixture, 0);
	attach_link(fixture);

	send_one();
	assert_seen(fixture, 1, 0);
	assert_int_equal(check_ours(fixture), 0);
}

static void what_a_link_lets_pass_goes_on_to_the_next(void **state)
{
	struct fixture *fixture = *state;

	attach_link(fixture);
	attach_their_link(fixture, 0);
	attach_their_filter(fixture, NOT_FIRST);
	send_one();
	assert_seen(fixture, 1, 2);
	assert_int_equal(check_ours(fixture), 0);
}

static void a_link_in_front_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	attach_link(fixture);
	attach_their_link(fixture, BEFORE);
	assert_int_equal(check_ours(fixture), -EBUSY);
	fixture->also_own = kvg_own_program_id(fixture->theirs.program);
	assert_int_equal(check_ours(fixture), 0);
}

static void a_link_that_is_gone_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	attach_link(fixture);
	assert_int_equal(bpf_link_detach(fixture->our_link), 0);
	assert_int_equal(check_ours(fixture), -ENOENT);
}

static void a_filter_runs_before_one_of_a_higher_number(void **state)
{
	struct fixture *fixture = *state;

	kvg_counting_done(&fixture->ours);
	assert_int_equal(kvg_counting_open("ours", false, TC_ACT_SHOT, &fixture->ours), 0);
	attach_their_filter(fixture, NOT_FIRST);
	attach_filter(fixture);
	send_one();
	assert_seen(fixture, 1, 0);
	assert_int_equal(check_ours(fixture), 0);
}

static void what_a_filter_lets_pass_goes_on_to_the_next(void **state)
{
	struct fixture *fixture = *state;

	attach_filter(fixture);
	attach_their_filter(fixture, NOT_FIRST);
	send_one();
	assert_seen(fixture, 1, 1);
	assert_int_equal(check_ours(fixture), 0);
}

static void a_filter_of_the_lowest_number_is_in_the_way(void **state)
{
	struct fixture *fixture = *state;

	fixture->place.hook = KVG_PORT_HOOK_CLSACT;
	attach_their_filter(fixture, 1);
	assert_int_equal(check(fixture, 0), -EBUSY);
	fixture->also_own = kvg_own_program_id(fixture->theirs.program);
	assert_int_equal(check(fixture, 0), 0);
}

static void a_filter_of_another_kind_is_in_the_way_too(void **state)
{
	struct fixture *fixture = *state;

	fixture->place.hook = KVG_PORT_HOOK_CLSACT;
	if (kvg_wire_run("tc qdisc add dev kvgnear clsact && tc filter add dev kvgnear ingress "
			 "prio 1 protocol all u32 match u32 0 0 2>/dev/null") < 0) {
		print_message("SKIP: this kernel has no u32 filters\n");
		skip();
	}
	assert_int_equal(check(fixture, 0), -EBUSY);
}

/* The newest of one number runs first. */
static void a_later_filter_of_the_same_number_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	attach_filter(fixture);
	attach_their_filter(fixture, 1);
	assert_int_equal(check_ours(fixture), -EBUSY);
	fixture->also_own = kvg_own_program_id(fixture->theirs.program);
	assert_int_equal(check_ours(fixture), 0);
}

static void a_link_in_front_of_a_filter_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	attach_link(fixture);
	kvg_closep(&fixture->our_link);
	fixture->our_link = -1;
	attach_filter(fixture);
	attach_their_link(fixture, 0);
	assert_int_equal(check_ours(fixture), -EBUSY);
}

static void a_filter_that_is_gone_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	attach_filter(fixture);
	assert_int_equal(kvg_wire_run("tc filter del dev kvgnear ingress"), 0);
	assert_int_equal(check_ours(fixture), -ENOENT);
}

static void a_qdisc_goes_only_when_nobody_uses_it(void **state)
{
	struct fixture *fixture = *state;
	bool made = false;

	attach_filter(fixture);
	attach_their_filter(fixture, NOT_FIRST);
	assert_int_equal(kvg_tc_detach_filter(&fixture->place), 0);
	assert_int_equal(kvg_tc_detach_filter(&fixture->place), 0);
	assert_int_equal(kvg_tc_remove_qdisc(fixture->place.ifindex), 0);
	send_one();
	assert_seen(fixture, 0, 1);

	assert_int_equal(kvg_wire_run("tc filter del dev kvgnear ingress"), 0);
	assert_int_equal(kvg_tc_remove_qdisc(fixture->place.ifindex), 0);
	assert_int_equal(kvg_tc_make_qdisc(fixture->place.ifindex, &made), 0);
	assert_true(made);
}

static void a_qdisc_that_was_there_is_not_ours(void **state)
{
	struct fixture *fixture = *state;
	bool made = true;

	assert_int_equal(kvg_wire_run("tc qdisc add dev kvgnear clsact"), 0);
	assert_int_equal(kvg_tc_make_qdisc(fixture->place.ifindex, &made), 0);
	assert_false(made);
}

/* It would take filters for packets that go out as filters for those that come in. */
static void the_old_ingress_qdisc_is_refused(void **state)
{
	struct fixture *fixture = *state;
	bool made = true;

	assert_int_equal(kvg_wire_run("tc qdisc add dev kvgnear ingress"), 0);
	assert_int_equal(kvg_tc_make_qdisc(fixture->place.ifindex, &made), -EEXIST);
}

static void an_xdp_program_is_in_front_of_all(void **state)
{
	KVG_CLEANUP(kvg_counting_done) struct kvg_counting xdp = KVG_COUNTING_NONE;
	struct fixture *fixture = *state;

	attach_filter(fixture);
	assert_int_equal(kvg_counting_open("xdp", true, XDP_PASS, &xdp), 0);
	assert_int_equal(bpf_xdp_attach((int)fixture->place.ifindex, xdp.program, 0, NULL), 0);
	assert_int_equal(check_ours(fixture), -EBUSY);
	assert_int_equal(check(fixture, 0), -EBUSY);
}

static void an_interface_that_is_gone_needs_no_detaching(void **state)
{
	struct fixture *fixture = *state;

	attach_filter(fixture);
	assert_int_equal(kvg_wire_run("ip link del kvgfar"), 0);
	assert_int_equal(kvg_tc_detach_filter(&fixture->place), 0);
	assert_true(kvg_tc_attach_link(&fixture->place, fixture->ours.program, &fixture->our_link) <
		    0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int enter(void **state)
{
	(void)state;
	return kvg_wire_enter();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_link_runs_before_one_that_was_there),
		TEST(what_a_link_lets_pass_goes_on_to_the_next),
		TEST(a_link_in_front_is_noticed),
		TEST(a_link_that_is_gone_is_noticed),
		TEST(a_filter_runs_before_one_of_a_higher_number),
		TEST(what_a_filter_lets_pass_goes_on_to_the_next),
		TEST(a_filter_of_the_lowest_number_is_in_the_way),
		TEST(a_filter_of_another_kind_is_in_the_way_too),
		TEST(a_later_filter_of_the_same_number_is_noticed),
		TEST(a_link_in_front_of_a_filter_is_noticed),
		TEST(a_filter_that_is_gone_is_noticed),
		TEST(a_qdisc_goes_only_when_nobody_uses_it),
		TEST(a_qdisc_that_was_there_is_not_ours),
		TEST(the_old_ingress_qdisc_is_refused),
		TEST(an_xdp_program_is_in_front_of_all),
		TEST(an_interface_that_is_gone_needs_no_detaching),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
