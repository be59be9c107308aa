/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each gate refused most often, remembered for `status` after the counts were taken. Bounded: of each
 * gate the most frequent flows, of the rest the sum. One gate's flood pushes out nothing of another's.
 */
#ifndef KVG_AUDIT_TOP_H
#define KVG_AUDIT_TOP_H

#include <arpa/inet.h>
#include <linux/types.h>
#include <stddef.h>

#include "audit/record.h"

/* More than `status` shows, so that what is frequent survives a scan of all ports. */
#define KVG_TOP_FLOWS 48

/* Gates remembered, those first that were refused something last; 10 MB if all have all their flows. */
#define KVG_TOP_GATES 1024

#define KVG_TOP_FLOW_STRLEN (INET6_ADDRSTRLEN + 32)

/** struct kvg_top_flow - @comm is no string if all of it is used; @domain is owned, or NULL */
struct kvg_top_flow {
	struct kvg_refusal refusal;
	__u64 count;
	__u64 last_ns;
	char comm[KVG_COMM_LEN];
	char *domain;
};

/** struct kvg_top_gate - @others: refusals of flows that are not, or no more, among @flows */
struct kvg_top_gate {
	__u64 cgroup_id;
	__u64 touched;
	__u64 others;
	size_t count;
	struct kvg_top_flow flows[KVG_TOP_FLOWS];
};

struct kvg_top;

/** kvg_top_open() - empty, for kvg_top_close(); Return: 0 or -ENOMEM */
int kvg_top_open(struct kvg_top **ret);

/** kvg_top_add() - a line; without memory it is forgotten */
void kvg_top_add(struct kvg_top *top, const struct kvg_record *record);

/** kvg_top_list() - of every gate, until the next kvg_top_add(); the flows in no order; how many gates */
size_t kvg_top_list(const struct kvg_top *top, struct kvg_top_gate *const **ret);

/** kvg_top_format_flow() - "tcp 203.0.113.9:443", or only the protocol where there was no destination */
const char *kvg_top_format_flow(const struct kvg_refusal *refusal, char ret[KVG_TOP_FLOW_STRLEN]);

/** kvg_top_close() - free it; NULL is fine; Return: NULL */
struct kvg_top *kvg_top_close(struct kvg_top *top);

/** kvg_top_closep() - for KVG_CLEANUP */
void kvg_top_closep(struct kvg_top **top);

#endif
