// SPDX-License-Identifier: BSD-2-Clause
/* What the ingress hook hears of name servers, and that nothing is ever dropped for it. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "gate/answers.h"
#include "kernel.h"
#include "kvg_answer.h"
#include "kvg_event.h"

#include "bpf/dns.skel.h" /* needs kvg_event.h and kvg_policy.h */

#define RESOLVER4 "192.0.2.53"
#define RESOLVER6 "2001:db8::53"
#define STRANGER4 "203.0.113.53"
#define STRANGER6 "2001:db8:ffff::53"
#define DNS       53
#define REPEATS   1000000

/* struct fixture - the program, and what it told last */
struct fixture {
	struct kvg_kernel *kernel;
	struct kvg_dns_bpf *skel;
	struct kvg_answers *answers;
	size_t told;
	struct kvg_answer last;
	unsigned char message[KVG_ANSWER_MAX];
	unsigned char frame[ETH_HLEN + 2048];
	size_t size; /* of the frame */
};

static void keep(void *data, const struct kvg_answer *answer)
{
	struct fixture *fixture = data;

	fixture->told++;
	fixture->last = *answer;
	assert_true(answer->size <= sizeof(fixture->message));
	memcpy(fixture->message, answer->message, answer->size);
}

static int load(struct fixture *fixture)
{
	struct kvg_dns_bpf *skel = kvg_dns_bpf__open();
	int r;

	fixture->skel = skel;
	if (!skel)
		return -errno;
	skel->rodata->kvg_cfg_test = true;
	skel->rodata->kvg_cfg_test_at = kvg_kernel_extra_bytes(fixture->kernel);
	if (kvg_kernel_extra_bytes(fixture->kernel)) {
		bpf_program__set_type(skel->progs.kvg_ingress, BPF_PROG_TYPE_SCHED_CLS);
		bpf_program__set_expected_attach_type(skel->progs.kvg_ingress, 0);
	}
	r = kvg_set_share(kvg_kernel_set(fixture->kernel), skel->obj);
	return r < 0 ? r : kvg_dns_bpf__load(skel);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct kvg_answers_handler handler = {.answer = keep, .data = fixture};
	const struct kvg_kernel_sizes sizes = {0};
	struct kvg_text_policy text = {};
	int r;

	*state = fixture;
	r = kvg_kernel_open(&sizes, &fixture->kernel);
	if (r == 0)
		r = load(fixture);
	if (r < 0) {
		print_error("the programs cannot be loaded: %s\n", strerror(-r));
		return r;
	}
	kvg_text_policy_add(&text, "192.0.2.0/24", "tcp/443 udp/53");
	kvg_text_policy_add(&text, "198.51.100.0/24", "tcp/443");
	kvg_text_policy_add(&text, RESOLVER6 "/128", "udp/53");
	r = kvg_kernel_fill(fixture->kernel, &text.policy, &fixture->skel->bss->kvg_test_gate);
	return r < 0 ? r
		     : kvg_answers_open(kvg_kernel_set(fixture->kernel), &handler,
					&fixture->answers);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kvg_answers_close(fixture->answers);
	kvg_dns_bpf__destroy(fixture->skel);
	kvg_kernel_close(fixture->kernel);
	free(fixture);
	return 0;
}

/* From @from's @port, with @size bytes that count up. */
static void make(struct fixture *fixture, const char *from, __u16 port, size_t size)
{
	struct ethhdr *ethernet = (struct ethhdr *)fixture->frame;
	unsigned char *packet = fixture->frame + ETH_HLEN;
	bool ipv6 = strchr(from, ':');
	size_t header = ipv6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr);
	struct udphdr *udp = (struct udphdr *)(packet + header);

	memset(fixture->frame, 0, sizeof(fixture->frame));
	ethernet->h_proto = htons(ETH_P_802_EX1);
	if (ipv6) {
		packet[0] = 0x60;
		((struct ip6_hdr *)packet)->ip6_nxt = IPPROTO_UDP;
		inet_pton(AF_INET6, from, &((struct ip6_hdr *)packet)->ip6_src);
	} else {
		packet[0] = 0x45;
		((struct iphdr *)packet)->protocol = IPPROTO_UDP;
		inet_pton(AF_INET, from, &((struct iphdr *)packet)->saddr);
	}
	udp->source = htons(port);
	for (size_t i = 0; i < size; i++)
		((unsigned char *)(udp + 1))[i] = (unsigned char)i;
	fixture->size = ETH_HLEN + header + sizeof(*udp) + size;
}

static __u32 run_program(struct fixture *fixture, int program, __u32 repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = fixture->frame,
		    .data_size_in = fixture->size, .repeat = repeat);

	assert_int_equal(bpf_prog_test_run_opts(program, &options), 0);
	assert_int_equal(options.retval, 1);
	return options.duration;
}

/* It passes; Return: how many answers were told for it. */
static size_t hear(struct fixture *fixture)
{
	size_t before = fixture->told;

	run_program(fixture, bpf_program__fd(fixture->skel->progs.kvg_ingress), 1);
	kvg_answers_read(fixture->answers);
	return fixture->told - before;
}

static size_t hear_from(struct fixture *fixture, const char *from, __u16 port, size_t size)
{
	make(fixture, from, port, size);
	return hear(fixture);
}

static void answers_of_the_policys_resolvers_are_told(void **state)
{
	static const __u8 mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 53};
	struct fixture *fixture = *state;
	struct in6_addr ipv6;

	assert_int_equal(hear_from(fixture, RESOLVER4, DNS, 100), 1);
	assert_int_equal(fixture->last.cgroup_id, KVG_KERNEL_CGROUP_ID);
	assert_memory_equal(fixture->last.server, mapped, sizeof(mapped));
	assert_int_equal(fixture->last.size, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(fixture->message[i], i);

	assert_int_equal(hear_from(fixture, RESOLVER6, DNS, 80), 1);
	inet_pton(AF_INET6, RESOLVER6, &ipv6);
	assert_memory_equal(fixture->last.server, &ipv6, sizeof(ipv6));
}

static void messages_of_any_length_up_to_a_frame_are_told_whole(void **state)
{
	static const size_t sizes[] = {12, 13, 511, 512, 513, 1232, KVG_ANSWER_MAX};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < KVG_ARRAY_SIZE(sizes); i++) {
		assert_int_equal(hear_from(fixture, RESOLVER4, DNS, sizes[i]), 1);
		assert_int_equal(fixture->last.size, sizes[i]);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(fixture->message[at], at & 0xff);
	}
}

static void what_is_too_short_or_too_long_passes_untold(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(hear_from(fixture, RESOLVER4, DNS, 0), 0);
	assert_int_equal(hear_from(fixture, RESOLVER4, DNS, 11), 0);
	assert_int_equal(hear_from(fixture, RESOLVER4, DNS, KVG_ANSWER_MAX + 1), 0);
}

static void whom_the_policy_does_not_let_ask_is_not_heard(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(hear_from(fixture, STRANGER4, DNS, 100), 0);
	assert_int_equal(hear_from(fixture, STRANGER6, DNS, 100), 0);
	assert_int_equal(hear_from(fixture, "198.51.100.53", DNS, 100), 0); /* tcp/443 only */
	assert_int_equal(hear_from(fixture, RESOLVER4, 5353, 100), 0);
}

static void without_a_policy_nobody_is_heard(void **state)
{
	struct fixture *fixture = *state;

	fixture->skel->bss->kvg_test_gate.slot = 0;
	assert_int_equal(hear_from(fixture, RESOLVER4, DNS, 100), 0);
}

static void what_is_no_plain_datagram_passes_untold(void **state)
{
	struct fixture *fixture = *state;
	unsigned char *packet = fixture->frame + ETH_HLEN;

	make(fixture, RESOLVER4, DNS, 100);
	((struct iphdr *)packet)->protocol = IPPROTO_TCP;
	assert_int_equal(hear(fixture), 0);

	make(fixture, RESOLVER4, DNS, 100);
	((struct iphdr *)packet)->frag_off = htons(0x2000);
	assert_int_equal(hear(fixture), 0);

	make(fixture, RESOLVER4, DNS, 100);
	packet[0] = 0x46; /* with options */
	assert_int_equal(hear(fixture), 0);

	make(fixture, RESOLVER6, DNS, 100);
	((struct ip6_hdr *)packet)->ip6_nxt = IPPROTO_FRAGMENT;
	assert_int_equal(hear(fixture), 0);

	make(fixture, RESOLVER4, DNS, 100);
	packet[0] = 0x75;
	assert_int_equal(hear(fixture), 0);

	make(fixture, RESOLVER4, DNS, 100);
	fixture->size = ETH_HLEN + sizeof(struct iphdr) + 4;
	assert_int_equal(hear(fixture), 0);
}

static void a_flood_of_answers_is_told_in_part_and_passes_whole(void **state)
{
	struct fixture *fixture = *state;

	/* The second may end while it runs: then there are two parts. */
	make(fixture, RESOLVER4, DNS, 100);
	run_program(fixture, bpf_program__fd(fixture->skel->progs.kvg_ingress), 10000);
	kvg_answers_read(fixture->answers);
	assert_in_range(fixture->told, KVG_ANSWERS_PER_WINDOW, 2 * KVG_ANSWERS_PER_WINDOW);
}

static void one_gates_flood_leaves_room_for_others(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_gate *gate = &fixture->skel->bss->kvg_test_gate;
	int program = bpf_program__fd(fixture->skel->progs.kvg_ingress);

	make(fixture, RESOLVER4, DNS, KVG_ANSWER_MAX);
	for (gate->cgroup_id = 1; gate->cgroup_id <= 20; gate->cgroup_id++)
		run_program(fixture, program, 100);
	run_program(fixture, program, 1);
	kvg_answers_read(fixture->answers);
	assert_int_equal(fixture->last.cgroup_id, 21);
}

static int empty_program(bool as_tc)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = as_tc ? 0 : BPF_CGROUP_INET_INGRESS);

	return bpf_prog_load(as_tc ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_CGROUP_SKB,
			     "kvg_empty", "Dual BSD/GPL", insns, KVG_ARRAY_SIZE(insns), &options);
}

static __u32 best_of(struct fixture *fixture, int program)
{
	__u32 best = ~0U;

	for (int i = 0; i < 7; i++) {
		__u32 ns = run_program(fixture, program, REPEATS);

		best = ns < best ? ns : best;
	}
	return best;
}

/* Prints what it costs; a limit that a busy machine keeps, too. */
static void other_packets_cost_next_to_nothing(void **state)
{
	struct fixture *fixture = *state;
	int ours = bpf_program__fd(fixture->skel->progs.kvg_ingress);
	KVG_CLEANUP(kvg_closep)
	int empty = empty_program(kvg_kernel_extra_bytes(fixture->kernel));
	__u32 floor, tcp, udp, dns;

	assert_true(empty >= 0);
	make(fixture, RESOLVER4, DNS, 1000);
	floor = best_of(fixture, empty);
	dns = best_of(fixture, ours);
	make(fixture, RESOLVER4, 443, 1000);
	udp = best_of(fixture, ours);
	((struct iphdr *)(fixture->frame + ETH_HLEN))->protocol = IPPROTO_TCP;
	tcp = best_of(fixture, ours);
	print_message("empty %u ns; TCP +%d, other UDP +%d, answers beyond the limit +%d\n", floor,
		      (int)(tcp - floor), (int)(udp - floor), (int)(dns - floor));
	assert_true((int)(tcp - floor) < 25);
	assert_true((int)(udp - floor) < 25);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(answers_of_the_policys_resolvers_are_told),
		EACH(messages_of_any_length_up_to_a_frame_are_told_whole),
		EACH(what_is_too_short_or_too_long_passes_untold),
		EACH(whom_the_policy_does_not_let_ask_is_not_heard),
		EACH(without_a_policy_nobody_is_heard),
		EACH(what_is_no_plain_datagram_passes_untold),
		EACH(a_flood_of_answers_is_told_in_part_and_passes_whole),
		EACH(one_gates_flood_leaves_room_for_others),
		EACH(other_packets_cost_next_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
