/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which name has a client looked up an address by? Remembered apart for each gate: what one gate's client
 * looks up says nothing about another's.
 */
#ifndef KVG_AUDIT_DOMAINS_H
#define KVG_AUDIT_DOMAINS_H

#include <linux/types.h>
#include <stddef.h>

#include "audit/answer.h"

/*
 * Addresses remembered, of a gate and of all: those that were answered longest ago are forgotten first.
 * A vault client looks up some ten names; one that looks up millions pushes out its own. 5 MB at most,
 * should all be the longest names that there are.
 */
#define KVG_DOMAINS_OF_GATE_MAX 256
#define KVG_DOMAINS_MAX         16384

/*
 * Applications hold on to addresses for longer than answers are good for, and retry; after ten minutes
 * nobody can say any more why it is that address.
 */
#define KVG_DOMAINS_TTL_MIN_S 600
#define KVG_DOMAINS_TTL_MAX_S 86400

struct kvg_domains;

/** kvg_domains_open() - nothing is known yet; Return: 0 or -ENOMEM */
int kvg_domains_open(struct kvg_domains **ret);

/**
 * kvg_domains_learn() - a client of a gate was given an answer
 * @domains:   gains its addresses; those that it had by another name have this one now
 * @cgroup_id: the gate
 * @names:     the answer
 * @now_ns:    when it came, CLOCK_BOOTTIME
 *
 * Without memory nothing is learned.
 */
void kvg_domains_learn(struct kvg_domains *domains, __u64 cgroup_id,
		       const struct kvg_answer_names *names, __u64 now_ns);

/**
 * kvg_domains_find() - the name that an address was last looked up by
 * @domains:   is not changed
 * @cgroup_id: by a client of this gate
 * @addr:      network order; IPv4 as ::ffff:a.b.c.d
 * @now_ns:    an answer that has run out by then counts no more
 *
 * Return: holds until the next kvg_domains_learn(); NULL if it was not
 */
const char *kvg_domains_find(const struct kvg_domains *domains, __u64 cgroup_id,
			     const __u8 addr[16], __u64 now_ns);

/** kvg_domains_count() - addresses of all gates */
size_t kvg_domains_count(const struct kvg_domains *domains);

/** kvg_domains_close() - forget them; NULL is fine; Return: NULL */
struct kvg_domains *kvg_domains_close(struct kvg_domains *domains);

/** kvg_domains_closep() - for KVG_CLEANUP */
void kvg_domains_closep(struct kvg_domains **domains);

#endif
