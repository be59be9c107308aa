/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies in the kernel. A policy's tries are built beside the old ones, read back, and only then
 * put into a slot that no gate names; putting a gate in force is user/gate/gate.c's business.
 */
#ifndef KVG_GATE_SLOTS_H
#define KVG_GATE_SLOTS_H

#include <linux/types.h>
#include <stdbool.h>

#include "base/diag.h"
#include "gate/set.h"
#include "policy/policy.h"

/**
 * kvg_slots_fill() - put a policy into a free slot
 * @set:         whose slots
 * @policy:      what to put there
 * @ret:         the slot, 1..KVG_SLOTS_MAX-1
 * @reterr_diag: what the kernel refused
 *
 * Leaves threads behind that end after an RCU grace period, some 10 ms. On failure nothing is left in the
 * kernel.
 *
 * Return: 0, -ENOSPC no slot is free, -EIO the kernel's tries do not read back as written, ...
 */
int kvg_slots_fill(struct kvg_set *set, const struct kvg_policy *policy, __u32 *ret,
		   struct kvg_diag *reterr_diag);

/**
 * kvg_slots_clear() - empty a slot that no gate names any more
 * @set:  whose slots
 * @slot: which
 *
 * Waits for a grace period first, so that no packet that was already being judged by the slot finds
 * it empty.
 *
 * Return: 0, or a negative errno
 */
int kvg_slots_clear(struct kvg_set *set, __u32 slot);

/** kvg_slots_is_named() - does a gate name the slot? Also if that cannot be read. */
bool kvg_slots_is_named(const struct kvg_set *set, __u32 slot);

/**
 * struct kvg_slot - what a slot holds, IPv4 first
 * @ids:     of the tries, which are never changed and never used again
 * @entries: how many prefixes have room; they were made for no more than they hold
 * @frozen:  no system call can write to them
 */
struct kvg_slot {
	__u32 ids[2];
	__u32 entries[2];
	bool frozen;
};

/** kvg_slots_read_ids() - of a slot's tries; Return: 0, -ENOENT it is not filled, ... */
int kvg_slots_read_ids(const struct kvg_set *set, __u32 slot, __u32 ret[2]);

/** kvg_slots_look() - at a slot, but not at its prefixes; Return: 0, -ENOENT it is not filled, ... */
int kvg_slots_look(const struct kvg_set *set, __u32 slot, struct kvg_slot *ret);

/**
 * kvg_slots_check() - does a slot hold these rules?
 * @set:   whose slots
 * @slot:  which
 * @rules: only its rules count, which may be some of a policy's
 *
 * Return: 0, -EIO one of them is not there or grants something else, or another negative errno
 */
int kvg_slots_check(const struct kvg_set *set, __u32 slot, const struct kvg_policy *rules);

/**
 * kvg_slots_find_unused() - slots that hold a policy which no gate names
 * @set: whose slots; under kvg_set_lock()
 * @ret: KVG_SLOTS_MAX of them: is it one?
 *
 * Return: how many, or a negative errno
 */
int kvg_slots_find_unused(const struct kvg_set *set, bool *ret);

/** kvg_slots_wait() - until every packet is judged that is being judged now; 0 or a negative errno */
int kvg_slots_wait(struct kvg_set *set);

/** kvg_slots_drop() - as kvg_slots_clear(), after kvg_slots_wait(): does not wait; 0 or a negative errno */
int kvg_slots_drop(struct kvg_set *set, __u32 slot);

/**
 * kvg_slots_tidy() - free the policies that no gate names any more
 * @set: whose slots; under kvg_set_lock()
 *
 * After kvg_gate_replace(), when there is time: it waits for a grace period. What it cannot free only
 * costs memory.
 */
void kvg_slots_tidy(struct kvg_set *set);

/**
 * kvg_slots_read() - what the kernel's trie of a slot grants to an address
 * @set:          whose slots
 * @slot:         which
 * @address:      a /32 or /128
 * @ret_services: services of the longest prefix, as bits of the gate that names @slot
 *
 * Return: 1 a prefix holds it, 0 none does, or a negative errno
 */
int kvg_slots_read(struct kvg_set *set, __u32 slot, const struct kvg_prefix *address,
		   __u32 *ret_services);

#endif
