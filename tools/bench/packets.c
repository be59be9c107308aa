// SPDX-License-Identifier: BSD-2-Clause
/*
 * packets [NAME=PIN...]: what one packet costs in a test run (BPF_PROG_TEST_RUN), case by case as it is
 * told: reads the name of a case from stdin, writes its nanoseconds to stdout; `list` lists them all, each
 * with the case that it is compared with. A NAME is somebody else's program on a cgroup, by its pin.
 *
 * Processor time of this thread, so that it says the same on a busy machine. A verdict that is not the
 * one which the case is about ends it.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../tests/bpf/frames.h"
#include "../../tests/bpf/kernel.h"
#include "../../tests/bpf/packet.h"
#include "base/cleanup.h"
#include "gate/intake.h"
#include "policy/policy.h"
#include "rotate.h"

#include "tools/bench/rotate.skel.h"

#define REPEAT      100000
#define OTHERS_MAX  8
#define CASE_LEN    64
#define SIZES_COUNT 6
#define OUTSIDE4    "203.0.113.9"
#define OUTSIDE6    "2001:db9::1"
#define PASSED_TC   (-1) /* TC_ACT_UNSPEC */
#define REFUSED_TC  2    /* TC_ACT_SHOT */

static const int sizes[SIZES_COUNT] = {1, 10, 100, 1000, 10000, 100000};

enum layer { LAYER_CGROUP, LAYER_TC, LAYER_COUNT };
enum kind { KIND_LIVING, KIND_FIRST, KIND_UDP, KIND_REFUSED, KIND_REFUSED_MANY, KIND_COUNT };

static const char *const layers[LAYER_COUNT] = {"cgroup", "tc"};
static const char *const kinds[KIND_COUNT] = {"living", "first", "udp", "refused", "refused-many"};

/* struct other - a program that is loaded already */
struct other {
	char name[CASE_LEN];
	int program;
};

/* struct measured - a case: what runs, on which packet */
struct measured {
	enum layer layer;
	enum kind kind;
	bool ipv6;
	int size; /* index */
};

struct bench {
	struct kvg_kernel *kernel;
	struct kvg_frames *frames;
	struct kvg_rotate_bpf *rotate;
	struct kvg_intake *intake;
	struct kvg_gate gates[SIZES_COUNT];
	struct kvg_policy *policies[SIZES_COUNT];
	int empty_tc;
	int empty_cgroup;
	struct other others[OTHERS_MAX];
	int others_count;
	unsigned char frame[ETH_HLEN + sizeof(((struct kvg_packet_bytes *)0)->bytes)];
	size_t frame_size;
};

static void insist(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "packets: %s: %s\n", what, strerror(-r));
	exit(1);
}

/* --- policies -------------------------------------------------------------------------------- */

/* Always the same numbers: another run has the same prefixes. */
static __u32 next_random(void)
{
	static __u64 state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 32;
}

/* The one at @i of @count, /28 to /32, spread over 10.0.0.0/8; or /56 to /64 over 2001:db8::/32. */
static void make_prefix(bool ipv6, int i, int count, struct kvg_prefix *ret)
{
	__u64 room = (ipv6 ? 1ULL << 32 : 1ULL << 24) / count;
	__u32 at = i * room + next_random() % (room / 2);

	*ret = (struct kvg_prefix){.family = ipv6 ? AF_INET6 : AF_INET};
	if (ipv6) {
		ret->bits = 56 + next_random() % 9;
		at = htonl(at & ~0U << (64 - ret->bits));
		memcpy(ret->addr, "\x20\x01\x0d\xb8", 4);
		memcpy(ret->addr + 4, &at, sizeof(at));
	} else {
		ret->bits = 28 + next_random() % 5;
		at = htonl((10U << 24 | at) & ~0U << (32 - ret->bits));
		memcpy(ret->addr, &at, sizeof(at));
	}
}

/* @count prefixes of either family; two services, as the least of real profiles has. */
static struct kvg_policy *make_policy(int count)
{
	struct kvg_permit *permits = calloc(count, 4 * sizeof(*permits));
	const struct kvg_service services[] = {
		{.protocol = IPPROTO_TCP, .port = htons(443)},
		{.protocol = IPPROTO_UDP, .port = htons(443)},
	};
	struct kvg_policy *policy = NULL;

	if (!permits)
		return NULL;
	for (int i = 0; i < 4 * count; i++) {
		permits[i].service = services[i % 2];
		permits[i].from = "bench";
		if (i % 2)
			permits[i].prefix = permits[i - 1].prefix;
		else
			make_prefix(i % 4, i / 4, count, &permits[i].prefix);
	}
	if (kvg_policy_new("bench", KVG_CLOUD_PUBLIC, &policy) == 0 &&
	    kvg_policy_set_permits(policy, permits, 4UL * count, NULL) < 0)
		policy = kvg_policy_free(policy);
	free(permits);
	return policy;
}

static void fill(struct bench *bench, int size)
{
	if (bench->policies[size])
		return;
	bench->policies[size] = make_policy(sizes[size]);
	insist(bench->policies[size] ? 0 : -ENOMEM, "policy");
	insist(kvg_kernel_fill(bench->kernel, bench->policies[size], &bench->gates[size]), "fill");
}

/* --- packets --------------------------------------------------------------------------------- */

static bool is_rotating(enum kind kind)
{
	return kind == KIND_FIRST || kind == KIND_UDP || kind == KIND_REFUSED_MANY;
}

static bool is_refused(enum kind kind)
{
	return kind == KIND_REFUSED || kind == KIND_REFUSED_MANY;
}

/* Any of the policy's rules of that family, or an address that none holds. */
static void pick_destination(const struct bench *bench, const struct measured *measured,
			     __u8 ret[16])
{
	const struct kvg_policy *policy = bench->policies[measured->size];
	int family = measured->ipv6 ? AF_INET6 : AF_INET;
	const struct kvg_rule *rule;
	__u16 low;

	memset(ret, 0, 16);
	ret[10] = ret[11] = 0xff;
	if (is_refused(measured->kind)) {
		low = next_random() % KVG_ROTATE_COUNT;
		inet_pton(family, measured->ipv6 ? OUTSIDE6 : OUTSIDE4,
			  measured->ipv6 ? ret : ret + 12);
		memcpy(ret + 14, &low, sizeof(low));
		return;
	}
	do
		rule = &policy->rules[next_random() % policy->rules_count];
	while (rule->prefix.family != family);
	if (measured->ipv6)
		memcpy(ret, rule->prefix.addr, 16);
	else
		memcpy(ret + 12, rule->prefix.addr, 4);
}

/* Of a living connection: an ACK with data, and not the SYN that makes one. */
static void make_living(struct kvg_packet_bytes *packet)
{
	size_t at = packet->bytes[0] >> 4 == 4 ? sizeof(struct iphdr) : 40;
	struct tcphdr *tcp = (struct tcphdr *)(packet->bytes + at);

	tcp->syn = 0;
	tcp->ack = 1;
	kvg_packet_add_zeros(packet, 32);
}

static void make_frame(struct bench *bench, const struct measured *measured)
{
	int family = measured->ipv6 ? AF_INET6 : AF_INET;
	struct kvg_packet_bytes packet;
	char text[INET6_ADDRSTRLEN];
	struct ethhdr *ethernet;
	__u8 to[16];

	pick_destination(bench, measured, to);
	inet_ntop(family, measured->ipv6 ? to : to + 12, text, sizeof(text));
	if (measured->kind == KIND_UDP)
		kvg_packet_udp(&packet, text, 443);
	else
		kvg_packet_tcp(&packet, text, 443);
	if (measured->kind == KIND_LIVING)
		make_living(&packet);

	ethernet = (struct ethhdr *)bench->frame;
	ethernet->h_proto = htons(measured->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	memcpy(bench->frame + ETH_HLEN, packet.bytes, packet.size);
	bench->frame_size = ETH_HLEN + packet.size;
	for (int i = 0; is_rotating(measured->kind) && i < KVG_ROTATE_COUNT; i++)
		pick_destination(bench, measured, (__u8 *)bench->rotate->bss->kvg_rotate_to[i]);
}

/* --- cases ----------------------------------------------------------------------------------- */

static double thread_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static double run(struct bench *bench, int program, int expected)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bench->frame,
		    .data_size_in = bench->frame_size, .repeat = REPEAT);
	double start = thread_ns();

	insist(bpf_prog_test_run_opts(program, &options), "test run");
	start = thread_ns() - start;
	if ((int)options.retval != expected) {
		fprintf(stderr, "packets: the verdict is %d, not %d\n", (int)options.retval,
			expected);
		exit(1);
	}
	return start / REPEAT;
}

static double run_rotating(struct bench *bench, int program, int expected)
{
	int array = bpf_map__fd(bench->rotate->maps.kvg_rotate_program);
	__u32 zero = 0;

	insist(bpf_map_update_elem(array, &zero, &program, BPF_ANY) < 0 ? -errno : 0, "hand on");
	return run(bench, bpf_program__fd(bench->rotate->progs.kvg_rotate), expected);
}

static double measure(struct bench *bench, const struct measured *measured)
{
	bool tc = measured->layer == LAYER_TC, refused = is_refused(measured->kind);
	int program = tc ? kvg_frames_program(bench->frames) : kvg_kernel_program(bench->kernel);
	int expected = tc ? (refused ? REFUSED_TC : PASSED_TC) : !refused;

	fill(bench, measured->size);
	make_frame(bench, measured);
	*kvg_kernel_gate(bench->kernel) = bench->gates[measured->size];
	if (tc)
		insist(kvg_frames_gate(bench->frames, &bench->gates[measured->size], false),
		       "gate");
	if (refused)
		insist(kvg_intake_take(bench->intake), "take the record");
	return is_rotating(measured->kind) ? run_rotating(bench, program, expected)
					   : run(bench, program, expected);
}

/* All sizes for IPv4 on the cgroup; elsewhere the ends and what is usual; refusals don't look at it. */
static bool is_listed(const struct measured *measured)
{
	bool plain = measured->layer == LAYER_CGROUP && !measured->ipv6;
	int size = sizes[measured->size];

	if (is_refused(measured->kind))
		return size == 1000;
	if (measured->kind == KIND_UDP)
		return size == 1000 || (plain && size == 100000);
	return plain || size == 1 || size == 1000 || size == 100000;
}

static void name_case(const struct measured *measured, char ret[CASE_LEN])
{
	snprintf(ret, CASE_LEN, "%s IPv%d %s %d", layers[measured->layer], measured->ipv6 ? 6 : 4,
		 kinds[measured->kind], sizes[measured->size]);
}

/* The case at @i of all that could be; false: it is past the last one */
static bool number_case(int i, struct measured *ret)
{
	*ret = (struct measured){
		.size = i % SIZES_COUNT,
		.kind = i / SIZES_COUNT % KIND_COUNT,
		.ipv6 = i / SIZES_COUNT / KIND_COUNT % 2,
		.layer = i / SIZES_COUNT / KIND_COUNT / 2,
	};
	return ret->layer < LAYER_COUNT;
}

static void list(const struct bench *bench)
{
	struct measured measured;
	char name[CASE_LEN];

	printf("empty\t\nempty, rotating\t\nempty, of a cgroup\t\n");
	for (int i = 0; i < bench->others_count; i++)
		printf("%s\tempty, of a cgroup\n", bench->others[i].name);
	for (int i = 0; number_case(i, &measured); i++) {
		if (!is_listed(&measured))
			continue;
		name_case(&measured, name);
		printf("%s\t%s\n", name, is_rotating(measured.kind) ? "empty, rotating" : "empty");
	}
	puts(".");
}

/* On the packet of a living connection to a destination of theirs: see peers/systemd. */
static double measure_other(struct bench *bench, int program)
{
	const struct measured living = {.kind = KIND_LIVING};
	struct kvg_packet_bytes packet;

	fill(bench, living.size);
	make_frame(bench, &living);
	kvg_packet_tcp(&packet, "198.18.0.0", 443);
	make_living(&packet);
	memcpy(bench->frame + ETH_HLEN, packet.bytes, packet.size);
	return run(bench, program, 1);
}

static bool answer(struct bench *bench, const char *asked, double *ret)
{
	const struct measured living = {.kind = KIND_LIVING}, first = {.kind = KIND_FIRST};
	struct measured measured;
	char name[CASE_LEN];

	fill(bench, 0);
	make_frame(bench, strcmp(asked, "empty, rotating") == 0 ? &first : &living);
	if (strcmp(asked, "empty") == 0)
		return *ret = run(bench, bench->empty_tc, 1), true;
	if (strcmp(asked, "empty, rotating") == 0)
		return *ret = run_rotating(bench, bench->empty_tc, 1), true;
	if (strcmp(asked, "empty, of a cgroup") == 0)
		return *ret = run(bench, bench->empty_cgroup, 1), true;
	for (int i = 0; i < bench->others_count; i++) {
		if (strcmp(asked, bench->others[i].name) == 0)
			return *ret = measure_other(bench, bench->others[i].program), true;
	}
	for (int i = 0; number_case(i, &measured); i++) {
		name_case(&measured, name);
		if (strcmp(asked, name) == 0)
			return *ret = measure(bench, &measured), true;
	}
	return false;
}

/* --- loading --------------------------------------------------------------------------------- */

static int load_empty(enum bpf_prog_type type, enum bpf_attach_type at)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = at);
	int program = bpf_prog_load(type, "kvg_empty", "Dual BSD/GPL", insns, KVG_ARRAY_SIZE(insns),
				    &options);

	insist(program < 0 ? -errno : 0, "empty program");
	return program;
}

static void ignore_event(void *data, const struct kvg_event *event)
{
	(void)data;
	(void)event;
}

static void ignore_rest(void *data, const struct kvg_refusal *refusal,
			const struct kvg_tally *tally, __u64 count)
{
	(void)data;
	(void)refusal;
	(void)tally;
	(void)count;
}

static void load(struct bench *bench)
{
	const struct kvg_intake_handler handler = {.event = ignore_event, .rest = ignore_rest};
	const struct kvg_kernel_sizes earnest = {.as_tc = true};

	insist(kvg_kernel_open(&earnest, &bench->kernel), "programs");
	insist(kvg_frames_open(bench->kernel, &bench->frames), "program on the interface");
	insist(kvg_intake_open(kvg_kernel_set(bench->kernel), &handler, &bench->intake), "record");
	bench->rotate = kvg_rotate_bpf__open();
	insist(bench->rotate ? 0 : -errno, "rotation");
	bench->rotate->rodata->kvg_cfg_test = true;
	insist(kvg_set_share(kvg_kernel_set(bench->kernel), bench->rotate->obj), "rotation");
	insist(kvg_rotate_bpf__load(bench->rotate), "rotation");
	bench->empty_tc = load_empty(BPF_PROG_TYPE_SCHED_CLS, 0);
	bench->empty_cgroup = load_empty(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS);
}

static void add_other(struct bench *bench, const char *argument)
{
	struct other *other = &bench->others[bench->others_count++];
	const char *equals = strchr(argument, '=');

	if (!equals || equals - argument >= CASE_LEN || bench->others_count > OTHERS_MAX)
		insist(-EINVAL, argument);
	memcpy(other->name, argument, equals - argument);
	other->program = bpf_obj_get(equals + 1);
	insist(other->program < 0 ? -errno : 0, argument);
}

int main(int argc, char **argv)
{
	struct bench bench = {0};
	char line[CASE_LEN];
	double ns;

	libbpf_set_print(NULL);
	load(&bench);
	for (int i = 1; i < argc; i++)
		add_other(&bench, argv[i]);
	setlinebuf(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "list") == 0) {
			list(&bench);
			continue;
		}
		if (!answer(&bench, line, &ns)) {
			fprintf(stderr, "packets: no case '%s'\n", line);
			return 1;
		}
		printf("%.2f\n", ns);
	}
	for (int i = 0; i < SIZES_COUNT; i++)
		kvg_policy_free(bench.policies[i]);
	kvg_intake_close(bench.intake);
	kvg_rotate_bpf__destroy(bench.rotate);
	kvg_frames_close(bench.frames);
	kvg_kernel_close(bench.kernel);
	return 0;
}
