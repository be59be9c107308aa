// SPDX-License-Identifier: BSD-2-Clause
#include "kernel.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/intake.h"
#include "gate/probe.h"
#include "gate/slots.h"
#include "packet.h"
#include "policy/profile.h"

#include "bpf/cgroup.skel.h" /* needs kvg_event.h and kvg_policy.h */

struct kvg_kernel {
	struct kvg_cgroup_bpf *skel;
	struct kvg_set *set;
	int egress; /* the skeleton's */
	unsigned char frame[ETH_HLEN + KVG_KERNEL_PACKET_MAX];
};

/*
 * The same instructions as a program that test runs show the packet to on every kernel. The helpers that
 * the two may call are the same but for those on the current process.
 */
static void make_tc_program(struct kvg_cgroup_bpf *skel)
{
	bpf_program__set_type(skel->progs.kvg_egress, BPF_PROG_TYPE_SCHED_CLS);
	bpf_program__set_expected_attach_type(skel->progs.kvg_egress, 0);
	skel->rodata->kvg_cfg_test_at = ETH_HLEN;
	skel->rodata->kvg_cfg_packet_pid = false;
	skel->rodata->kvg_cfg_packet_comm = false;
}

static int load(struct kvg_kernel *kernel, const struct kvg_kernel_sizes *sizes, bool as_tc)
{
	struct kvg_cgroup_bpf *skel = kvg_cgroup_bpf__open();
	int r;

	kernel->skel = skel;
	if (!skel)
		return -errno;
	skel->rodata->kvg_cfg_test = true;
	skel->rodata->kvg_cfg_packet_pid = kvg_probe_packet_pid();
	skel->rodata->kvg_cfg_packet_comm = kvg_probe_packet_comm();
	if (sizes->ring_bytes)
		bpf_map__set_max_entries(skel->maps.kvg_ring, sizes->ring_bytes);
	if (as_tc)
		make_tc_program(skel);
	r = kvg_cgroup_bpf__load(skel);
	kernel->egress = bpf_program__fd(skel->progs.kvg_egress);
	return r;
}

/* A packet that is in good order must not be malformed, whatever else there is against it. */
static int try_packet(struct kvg_kernel *kernel, bool *ret_seen)
{
	struct kvg_packet_bytes packet;
	struct kvg_verdict verdict;
	int r;

	kvg_packet_tcp(&packet, "192.0.2.1", 443);
	kvg_kernel_gate(kernel)->slot = 1;
	r = kvg_kernel_run(kernel, packet.bytes, packet.size, &verdict);
	kvg_kernel_gate(kernel)->slot = 0;
	*ret_seen = verdict.reason != KVG_REASON_MALFORMED;
	return r;
}

/* Whichever way the kernel shows packets to the programs; found once. */
static int load_seeing(struct kvg_kernel *kernel, const struct kvg_kernel_sizes *sizes)
{
	static bool known, seen;
	int r;

	if (known || sizes->as_tc)
		return load(kernel, sizes, sizes->as_tc || !seen);

	r = load(kernel, sizes, false);
	if (r == 0)
		r = try_packet(kernel, &seen);
	if (r < 0)
		return r;
	known = true;

	/* Again in any case: the packet is in the record now. */
	kvg_cgroup_bpf__destroy(kernel->skel);
	return load(kernel, sizes, !seen);
}

/* A table of counts as the product makes it, or one that is full sooner. */
static int put_tallies(struct kvg_set *set, const struct kvg_kernel_sizes *sizes)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	KVG_CLEANUP(kvg_closep) int table = -1;
	__u32 zero = 0;

	if (!sizes->tallies)
		return kvg_intake_count(set);
	table = bpf_map_create(BPF_MAP_TYPE_HASH, "kvg_tally", sizeof(struct kvg_refusal),
			       sizeof(struct kvg_tally), sizes->tallies, &options);
	if (table < 0)
		return -errno;
	return bpf_map_update_elem(kvg_set_map(set, KVG_MAP_TALLIES), &zero, &table, BPF_ANY) < 0
		       ? -errno
		       : 0;
}

int kvg_kernel_open(const struct kvg_kernel_sizes *sizes, struct kvg_kernel **ret)
{
	KVG_CLEANUP(kvg_kernel_closep) struct kvg_kernel *kernel = calloc(1, sizeof(*kernel));
	struct ethhdr *ethernet;
	int r;

	if (!kernel)
		return -ENOMEM;

	/* With an IP ethertype some kernels refuse to run a packet that is shorter than its header. */
	ethernet = (struct ethhdr *)kernel->frame;
	ethernet->h_proto = htons(ETH_P_802_EX1);

	r = load_seeing(kernel, sizes);
	if (r < 0)
		return r;
	r = kvg_set_adopt(kernel->skel->obj, &kernel->set);
	if (r == 0)
		r = put_tallies(kernel->set, sizes);
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(kernel);
	return 0;
}

struct kvg_kernel *kvg_kernel_close(struct kvg_kernel *kernel)
{
	if (!kernel)
		return NULL;
	kvg_set_close(kernel->set);
	kvg_cgroup_bpf__destroy(kernel->skel);
	free(kernel);
	return NULL;
}

void kvg_kernel_closep(struct kvg_kernel **kernel)
{
	*kernel = kvg_kernel_close(*kernel);
}

struct kvg_set *kvg_kernel_set(const struct kvg_kernel *kernel)
{
	return kernel->set;
}

struct kvg_gate *kvg_kernel_gate(const struct kvg_kernel *kernel)
{
	return &kernel->skel->bss->kvg_test_gate;
}

int kvg_kernel_program(const struct kvg_kernel *kernel)
{
	return kernel->egress;
}

const struct kvg_counters *kvg_kernel_counters(const struct kvg_kernel *kernel)
{
	return &kernel->skel->bss->kvg_test_counters;
}

struct kvg_share *kvg_kernel_share(const struct kvg_kernel *kernel)
{
	return &kernel->skel->bss->kvg_test_counters.share;
}

bool kvg_kernel_names_process(const struct kvg_kernel *kernel)
{
	return kernel->skel->rodata->kvg_cfg_packet_pid;
}

__u32 kvg_kernel_extra_bytes(const struct kvg_kernel *kernel)
{
	return kernel->skel->rodata->kvg_cfg_test_at;
}

int kvg_kernel_fill(struct kvg_kernel *kernel, const struct kvg_policy *policy,
		    struct kvg_gate *ret_gate)
{
	__u32 slot = 0;
	int r;

	r = kvg_slots_fill(kernel->set, policy, &slot, NULL);
	if (r < 0)
		return r;
	kvg_policy_gate(policy, KVG_KERNEL_CGROUP_ID, slot, 1, ret_gate);
	return 0;
}

int kvg_kernel_clear(struct kvg_kernel *kernel, const struct kvg_gate *gate)
{
	return kvg_slots_clear(kernel->set, gate->slot);
}

int kvg_verdict_reason(const struct kvg_counters *counters, enum kvg_reason *ret)
{
	__u64 sum = counters->allowed;

	*ret = KVG_REASON_ALLOWED;
	for (int reason = 0; reason < KVG_REASON_COUNT; reason++) {
		sum += counters->refused[reason];
		if (counters->refused[reason])
			*ret = reason;
	}
	return sum == 1 && !counters->refused[KVG_REASON_ALLOWED] ? 0 : -EPROTO;
}

int kvg_kernel_run(struct kvg_kernel *kernel, const void *packet, size_t size,
		   struct kvg_verdict *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = kernel->frame,
		    .data_size_in = ETH_HLEN + size);
	struct kvg_counters *counters = &kernel->skel->bss->kvg_test_counters;
	int r;

	if (size > KVG_KERNEL_PACKET_MAX)
		return -E2BIG;
	memcpy(kernel->frame + ETH_HLEN, packet, size);
	memset(counters, 0, offsetof(struct kvg_counters, share));
	r = bpf_prog_test_run_opts(kernel->egress, &options);
	if (r < 0)
		return r;
	if (options.retval > 1)
		return -EPROTO; /* bits above are not the packet hook's to set */

	ret->passed = options.retval == 1;
	return kvg_verdict_reason(counters, &ret->reason);
}

static int find_service(struct kvg_policy *policy, const struct kvg_service *service, __u32 *ret)
{
	for (size_t i = 0; i < policy->services_count; i++) {
		if (memcmp(&policy->services[i], service, sizeof(*service)) == 0) {
			*ret = 1U << i;
			return 0;
		}
	}
	if (policy->services_count == KVG_SERVICES_MAX)
		return -E2BIG;
	policy->services[policy->services_count] = *service;
	*ret = 1U << policy->services_count++;
	return 0;
}

int kvg_text_policy_add(struct kvg_text_policy *text, const char *prefix, const char *services)
{
	struct kvg_rule *rule = &text->rules[text->policy.rules_count];
	KVG_CLEANUP(kvg_freep) char *copy = strdup(services);
	char *rest = copy;
	char *word;
	int r;

	if (text->policy.rules_count == KVG_TEXT_RULES_MAX)
		return -E2BIG;
	*rule = (struct kvg_rule){0};
	r = kvg_prefix_parse(prefix, &rule->prefix, NULL);
	while (r == 0 && (word = strsep(&rest, " "))) {
		struct kvg_service service;
		__u32 bit = 0;

		r = kvg_service_parse(word, &service, NULL);
		if (r == 0)
			r = find_service(&text->policy, &service, &bit);
		rule->services |= bit;
	}
	text->policy.rules = text->rules;
	text->policy.rules_count++;
	return r;
}
