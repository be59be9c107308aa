/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs of bpf/cgroup.bpf.c in the kernel, for test runs: nothing is attached and nothing pinned.
 * The gate is a struct in memory that tests write to, so a flip costs nothing.
 */
#ifndef KVG_TESTS_BPF_KERNEL_H
#define KVG_TESTS_BPF_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "gate/set.h"
#include "kvg_event.h"
#include "kvg_policy.h"
#include "policy/policy.h"

#define KVG_KERNEL_CGROUP_ID 4711 /* what the gate of kvg_kernel_fill() says it is on */

struct kvg_kernel;

/**
 * struct kvg_kernel_sizes - what shall be smaller than it is in earnest; 0: as it is
 * @ring_bytes: a power of two, at least a page
 * @tallies:    refused flows counted apart
 * @as_tc:      the packet hook is a tc program, whether or not this kernel needs that to show it packets
 */
struct kvg_kernel_sizes {
	__u32 ring_bytes;
	__u32 tallies;
	bool as_tc;
};

/**
 * struct kvg_verdict - what the packet hook said
 * @passed: the packet goes out
 * @reason: the one reason that was counted
 */
struct kvg_verdict {
	bool passed;
	enum kvg_reason reason;
};

/** kvg_verdict_reason() - which one counter has moved, by one, since they were zero; else -EPROTO */
int kvg_verdict_reason(const struct kvg_counters *counters, enum kvg_reason *ret);

/** kvg_kernel_open() - load the programs; Return: 0, -EPERM without privileges, or another errno */
int kvg_kernel_open(const struct kvg_kernel_sizes *sizes, struct kvg_kernel **ret);

/** kvg_kernel_close() - forget them; NULL is fine; Return: NULL */
struct kvg_kernel *kvg_kernel_close(struct kvg_kernel *kernel);

/** kvg_kernel_closep() - for KVG_CLEANUP */
void kvg_kernel_closep(struct kvg_kernel **kernel);

/** kvg_kernel_set() - its maps, for user/gate/; owned by @kernel */
struct kvg_set *kvg_kernel_set(const struct kvg_kernel *kernel);

/** kvg_kernel_gate() - the gate that the programs judge by: write to it at will */
struct kvg_gate *kvg_kernel_gate(const struct kvg_kernel *kernel);

/** kvg_kernel_program() - descriptor of the packet hook */
int kvg_kernel_program(const struct kvg_kernel *kernel);

/** kvg_kernel_counters() - of the last packet alone */
const struct kvg_counters *kvg_kernel_counters(const struct kvg_kernel *kernel);

/** kvg_kernel_share() - what the gate has used of its share; that of a test run stays for the next */
struct kvg_share *kvg_kernel_share(const struct kvg_kernel *kernel);

/** kvg_kernel_names_process() - does this kernel tell the packet hook who is sending? */
bool kvg_kernel_names_process(const struct kvg_kernel *kernel);

/** kvg_kernel_extra_bytes() - what records say of a packet's length more than from its IP header on */
__u32 kvg_kernel_extra_bytes(const struct kvg_kernel *kernel);

/**
 * kvg_kernel_fill() - put a policy into a fresh slot, without looking at it from any gate
 * @kernel:   where
 * @policy:   its rules may be any: unsorted, or narrower inside than outside
 * @ret_gate: the gate that has this policy in force, to be put into kvg_kernel_gate()
 *
 * Return: 0, or a negative errno
 */
int kvg_kernel_fill(struct kvg_kernel *kernel, const struct kvg_policy *policy,
		    struct kvg_gate *ret_gate);

/** kvg_kernel_clear() - take the policy of a gate out again; Return: 0, or a negative errno */
int kvg_kernel_clear(struct kvg_kernel *kernel, const struct kvg_gate *gate);

#define KVG_KERNEL_PACKET_MAX 2048 /* bytes */

/**
 * kvg_kernel_run() - hand one packet to the egress hook
 * @kernel: which
 * @packet: from the IP header on
 * @size:   bytes, KVG_KERNEL_PACKET_MAX at most
 * @ret:    the verdict
 *
 * Return: 0; -EINVAL if this kernel runs no empty packets (6.1); -EPROTO if not exactly one reason was
 * counted; or another negative errno
 */
int kvg_kernel_run(struct kvg_kernel *kernel, const void *packet, size_t size,
		   struct kvg_verdict *ret);

#define KVG_TEXT_RULES_MAX 64

/** struct kvg_text_policy - a policy that a test writes down; no promise of struct kvg_policy is kept */
struct kvg_text_policy {
	struct kvg_policy policy;
	struct kvg_rule rules[KVG_TEXT_RULES_MAX];
};

/** kvg_text_policy_add() - a rule: "192.0.2.0/24", "tcp/443 udp/53"; Return: 0, -EINVAL or -E2BIG */
int kvg_text_policy_add(struct kvg_text_policy *text, const char *prefix, const char *services);

#endif
