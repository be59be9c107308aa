/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What user space tells the kernel side: the gate of a cgroup, its services and the value of the
 * LPM tries. Everything here is ABI between bpf/ and user/: a change means a new KVG_ABI.
 */
#ifndef KVG_POLICY_H
#define KVG_POLICY_H

#include <linux/types.h>

/* Version of the layouts in include/; part of every pinned set, compared before it is used; tests make others. */
#ifndef KVG_ABI
#define KVG_ABI 3
#endif

/*
 * Distinct (protocol, port) pairs of one policy: a bit each in struct kvg_grant. A real profile has
 * four (tcp/443, tcp/80, udp/53, tcp/53); 16 leaves room for extras and keeps the scan in the packet
 * path short. One more is a compile error that names the limit.
 */
#define KVG_SERVICES_MAX 16

/* Gates of one set. */
#define KVG_GATES_MAX 4096

/* Policies side by side in one set; slot 0 is "no policy" and stays empty for ever. */
#define KVG_SLOTS_MAX 1024

/* Prefixes of one family in one policy; the kernel refuses the next one and compile says so before. */
#define KVG_PREFIXES_MAX 1048576

/* X(enumerator, label): the word in configuration, policies and records. */
#define KVG_MODES(X)          \
	X(ENFORCE, "enforce") \
	X(AUDIT, "audit")

#define KVG_INBOUNDS(X)   \
	X(ALLOW, "allow") \
	X(DENY, "deny")

enum kvg_mode {
#define X(name, label) KVG_MODE_##name,
	KVG_MODES(X)
#undef X
		KVG_MODE_COUNT
};

enum kvg_inbound {
#define X(name, label) KVG_INBOUND_##name,
	KVG_INBOUNDS(X)
#undef X
		KVG_INBOUND_COUNT
};

/**
 * struct kvg_service - a (protocol, port) pair, written tcp/443
 * @port:     destination port, network order
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @pad:      zero
 */
struct kvg_service {
	__be16 port;
	__u8 protocol;
	__u8 pad;
};
_Static_assert(sizeof(struct kvg_service) == 4, "kvg_service is ABI");

/**
 * struct kvg_gate - value of the cgroup's storage: which policy its flows are judged by
 * @cgroup_id:      cgroup v2 id of the cgroup the programs are attached to
 * @policy_id:      first 8 bytes of the policy's digest, in memory order
 * @slot:           index of its tries, 1..KVG_SLOTS_MAX-1; 0 refuses everything (no_policy)
 * @generation:     counts the policies this gate has had, from 1
 * @mode:           enum kvg_mode
 * @inbound:        enum kvg_inbound
 * @services_count: entries of @services in use
 * @pad:            zero
 * @services:       the bit i of struct kvg_grant stands for services[i]
 *
 * The kernel hands out a fresh storage as zeroes, so a gate that was never configured refuses. An
 * update by bpf(2) swaps the whole value at once (cgroup_storage_update_elem(), xchg + RCU): no
 * program run ever sees half of one policy and half of another.
 */
struct kvg_gate {
	__u64 cgroup_id;
	__u64 policy_id;
	__u32 slot;
	__u32 generation;
	__u8 mode;
	__u8 inbound;
	__u8 services_count;
	__u8 pad[5];
	struct kvg_service services[KVG_SERVICES_MAX];
};
_Static_assert(sizeof(struct kvg_gate) == 96, "kvg_gate is ABI");

#define KVG_PROFILE_LEN 64   /* bytes, NUL included; longer names are refused in the config */
#define KVG_CGROUP_LEN  1024 /* bytes, NUL included; longer paths are shown cut */

/**
 * struct kvg_gate_info - what a gate is called; nothing is judged by it
 * @abi:     KVG_ABI of the kvgate that made it
 * @run_pid: the `kvgate run` that will remove it; 0 for a gate that outlives its command
 * @digest:  of the policy in force
 * @profile: its name
 * @cgroup:  path below the cgroup v2 root when it was gated, "/" first
 *
 * All before @cgroup is the same in every KVG_ABI: what follows is another's business.
 */
struct kvg_gate_info {
	__u32 abi;
	__u32 run_pid;
	__u8 digest[32];
	char profile[KVG_PROFILE_LEN];
	char cgroup[KVG_CGROUP_LEN];
};
_Static_assert(sizeof(struct kvg_gate_info) == 1128, "kvg_gate_info is ABI");

/** struct kvg_grant - value of the tries: bit set of the gate's services that a prefix may receive */
struct kvg_grant {
	__u32 services;
};
_Static_assert(sizeof(struct kvg_grant) == 4, "kvg_grant is ABI");

/* Keys of the tries: prefix length in bits, host order, then the address in network order. */
struct kvg_lpm4_key {
	__u32 prefixlen;
	__be32 addr;
};
_Static_assert(sizeof(struct kvg_lpm4_key) == 8, "kvg_lpm4_key is ABI");

struct kvg_lpm6_key {
	__u32 prefixlen;
	__u8 addr[16];
};
_Static_assert(sizeof(struct kvg_lpm6_key) == 20, "kvg_lpm6_key is ABI");

#endif
