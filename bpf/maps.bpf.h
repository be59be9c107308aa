/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps of one set: who writes, who reads, what happens when one is full. */
#ifndef KVG_MAPS_BPF_H
#define KVG_MAPS_BPF_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "kvg_answer.h"
#include "kvg_event.h"
#include "kvg_policy.h"

/*
 * The gate of the cgroup that a program is attached to, keyed by that cgroup's id alone: the same
 * entry for every hook. user/gate/gate.c writes, every hook reads. The kernel makes the entry, as
 * zeroes, when the first program is attached; it cannot be full.
 */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, struct kvg_gate);
} kvg_gates SEC(".maps");

/* Counters of the gate, per CPU. Every hook writes, user/gate/status.c reads. Cannot be full. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, struct kvg_counters);
} kvg_counts SEC(".maps");

/*
 * Compiled policies: slot -> LPM trie. user/gate/slots.c builds a trie, reads it back and puts it
 * here before any gate names the slot. An empty slot, or a full trie while it is built, means that
 * the policy is not put in force; the old one stays.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, KVG_SLOTS_MAX);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_LPM_TRIE);
			__uint(key_size, sizeof(struct kvg_lpm4_key));
			__uint(value_size, sizeof(struct kvg_grant));
			__uint(max_entries, 1);
			__uint(map_flags, BPF_F_NO_PREALLOC); /* the kernel insists */
		});
} kvg_tries4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, KVG_SLOTS_MAX);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_LPM_TRIE);
			__uint(key_size, sizeof(struct kvg_lpm6_key));
			__uint(value_size, sizeof(struct kvg_grant));
			__uint(max_entries, 1);
			__uint(map_flags, BPF_F_NO_PREALLOC);
		});
} kvg_tries6 SEC(".maps");

/*
 * Exact counts of refused flows since user/audit/ last took them. Entry 0 is the table in use. Taking
 * means putting an empty one there and reading the old one, which nobody writes to any more when the
 * update returns (it waits for an RCU grace period). A flow has an entry of its own as long as its gate's
 * share, or the pot for all, lasts; what comes beyond them adds up in one entry by gate and reason. Before
 * the first table, and where there is no memory for an entry, each refusal is an event of its own, and
 * what the ring can't take either is in kvg_lost.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__uint(key_size, sizeof(struct kvg_refusal));
			__uint(value_size, sizeof(struct kvg_tally));
			__uint(max_entries, KVG_TALLIES_MAX);
			__uint(map_flags, BPF_F_NO_PREALLOC); /* 7 MB only where somebody scans */
		});
} kvg_tallies SEC(".maps");

/* How full the table in use and the pot are. Who writes what: enum kvg_room_side. Cannot be full. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KVG_ROOM_COUNT);
	__type(key, __u32);
	__type(value, struct kvg_room);
} kvg_room SEC(".maps");

/*
 * First refusals of flows. kvg_record() writes, user/audit/ reads. Half of it is for all, and half for
 * those that have not used their share. Full: the event is counted in kvg_lost, its flow's count stays
 * exact, the verdict is the same. 1 MiB holds 9,800 events.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} kvg_ring SEC(".maps");

/* What the record had no room for. kvg_record() writes, user/audit/ and metrics read. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kvg_lost);
} kvg_lost SEC(".maps");

/*
 * What the gates of the set are called: for people, and for whoever opens the set later. Only
 * user/gate/ reads and writes. More than 4,096 gates: the next attach is refused.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KVG_GATES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct kvg_gate_info);
} kvg_infos SEC(".maps");

/*
 * Socket cookie -> who made it, for the packet hook's records. sock_create writes. The least recently
 * used are forgotten when it is full: their records have no process then, and nothing else changes.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct kvg_owner);
} kvg_owners SEC(".maps");

/*
 * Sockets that others opened towards the client; sockops writes, the packet hook and
 * user/gate/sockets.c read. No memory for one: its answers are refused.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct kvg_mark);
} kvg_marks SEC(".maps");

/*
 * What name servers answered. bpf/dns.bpf.c writes, user/audit/ reads before it writes a line, and each
 * second. Full: records have no names, and nothing else changes. 256 KiB hold 480 answers.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} kvg_answers SEC(".maps");

/* Cgroup id -> how much of the above it has had. bpf/dns.bpf.c makes entries, user/gate/gate.c removes them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KVG_GATES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct kvg_heard);
} kvg_hearing SEC(".maps");

#endif
