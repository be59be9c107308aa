/* SPDX-License-Identifier: BSD-2-Clause */
/* What a gate would make of an input. */
#ifndef KVG_SIMULATE_JUDGE_H
#define KVG_SIMULATE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/explain.h"
#include "simulate/clients.h"
#include "simulate/traffic.h"

#define KVG_OUTCOME_PROCESSES_LEN 96 /* bytes, NUL included; names that do not fit are left out */

/**
 * struct kvg_outcome_key - flows with the same fate
 * @flow:     for answers on inbound connections without @daddr, and @dport is the client's own port
 * @reason:   enum kvg_reason
 * @inbound:  it answers connections that others open
 */
struct kvg_outcome_key {
	struct kvg_flow flow;
	__u16 reason;
	__u16 inbound;
	__u8 pad[4];
};

/**
 * struct kvg_outcome - how many, and why
 * @rule:      as of struct kvg_explanation; belongs to the policy
 * @nearest:   the same
 * @processes: names, separated by ", "
 */
struct kvg_outcome {
	struct kvg_outcome_key key;
	__u64 flows;
	__u64 packets;
	__u64 bytes;
	const struct kvg_rule *rule;
	const struct kvg_rule *nearest;
	char processes[KVG_OUTCOME_PROCESSES_LEN];
};

/**
 * struct kvg_sum - how many were refused, or allowed
 */
struct kvg_sum {
	__u64 flows;
	__u64 packets;
};

/**
 * struct kvg_judgement - over all inputs
 * @policy:       by which; belongs to the caller
 * @outcomes:     search tree, judge.c's own
 * @count:        how many
 * @allowed:      the sum
 * @refused:      the sum
 * @assumed:      TCP flows of unknown beginning that were taken as answers because of their ports
 * @unattributed: packets so broken that nobody knows whose they are
 * @error:        0, or -ENOMEM
 */
struct kvg_judgement {
	const struct kvg_policy *policy;
	void *outcomes;
	size_t count;
	struct kvg_sum allowed;
	struct kvg_sum refused;
	__u64 assumed;
	__u64 unattributed;
	int error;
};

/** kvg_judgement_done() - free what it holds */
void kvg_judgement_done(struct kvg_judgement *judgement);

/** kvg_judgement_add() - judge what @clients sent; Return: how many flows that were, or -ENOMEM */
long kvg_judgement_add(struct kvg_judgement *judgement, const struct kvg_traffic *traffic,
		       const struct kvg_clients *clients);

/** kvg_judgement_list() - refused ones first, most flows first; freed by the caller; NULL without memory */
const struct kvg_outcome **kvg_judgement_list(const struct kvg_judgement *judgement);

/**
 * kvg_judge_claim() - what the client's socket would say of a flow
 * @traffic:     tells who opened the connection
 * @seen:        of the client
 * @ret_assumed: only the ports said so
 *
 * Return: KVG_CLAIM_REPLY for answers on connections that others opened, else KVG_CLAIM_NONE
 */
enum kvg_claim kvg_judge_claim(const struct kvg_traffic *traffic, const struct kvg_seen *seen,
			       bool *ret_assumed);

#endif
