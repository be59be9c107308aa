/* SPDX-License-Identifier: BSD-2-Clause */
/* What a client was seen to ask for, out of its record: each flow once, with how often. */
#ifndef KVG_LEARN_EVIDENCE_H
#define KVG_LEARN_EVIDENCE_H

#include <jansson.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "kvg_policy.h"
#include "ranges/prefix.h"

/* A client of a vault has a few dozen; a scan is no evidence of a need. */
#define KVG_EVIDENCE_FLOWS_MAX 10000

/**
 * struct kvg_evidence_flow - a destination that was asked for
 * @address: a /32 or /128
 * @service: protocol and port
 * @count:   how often
 * @refused: some of it was refused, and not only noted
 * @name:    that the client had looked up for it; NULL if none is known; owned
 * @process: that asked first; NULL if unknown; owned
 */
struct kvg_evidence_flow {
	struct kvg_prefix address;
	struct kvg_service service;
	__u64 count;
	bool refused;
	char *name;
	char *process;
};

/** struct kvg_evidence_other - what no profile can let through: by its reason; owned */
struct kvg_evidence_other {
	char *reason;
	__u64 count;
};

/**
 * struct kvg_evidence - all of it
 * @flows:        sorted by address, protocol and port after kvg_evidence_sort()
 * @flows_count:  how many
 * @others:       refused for other reasons than where they went
 * @others_count: how many
 * @left_out:     flows beyond KVG_EVIDENCE_FLOWS_MAX, by count
 * @records:      lines that were taken
 */
struct kvg_evidence {
	struct kvg_evidence_flow *flows;
	size_t flows_count;
	size_t flows_allocated;
	struct kvg_evidence_other *others;
	size_t others_count;
	__u64 left_out;
	__u64 records;
	bool sorted;
};

/**
 * kvg_evidence_add() - take a line of the record
 * @evidence: zeroed before its first use
 * @line:     as of kvg_lines_read(); lines that are no refusals are passed over
 *
 * Return: 0, or -ENOMEM
 */
int kvg_evidence_add(struct kvg_evidence *evidence, const json_t *line);

/** kvg_evidence_sort() - put repeats together; more can be added afterwards */
void kvg_evidence_sort(struct kvg_evidence *evidence);

/** kvg_evidence_done() - free what it holds; fine on a zeroed one */
void kvg_evidence_done(struct kvg_evidence *evidence);

#endif
