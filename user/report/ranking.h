/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often each of many things was refused, in bounded memory. Where there are more of them than rows,
 * the rarer half is put together, time and again: sums stay exact, what is frequent is found, and the
 * count of a row that came back is at least as shown.
 */
#ifndef KVG_REPORT_RANKING_H
#define KVG_REPORT_RANKING_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Rows of one ranking: 10 to 15 MB with usual names, and any destination above 1/8192 of all is one of them. */
#define KVG_RANKING_ROWS_MAX 16384

/* Bytes of a text that are kept; longer ones are cut. Paths of cgroups are rarely half of it. */
#define KVG_RANKING_TEXT_LEN 512

/* What a row says besides its count; which of them mean something is up to the ranking. */
enum kvg_ranking_text {
	KVG_RANKING_NAME,
	KVG_RANKING_REASON,
	KVG_RANKING_DOMAIN,
	KVG_RANKING_NEAREST,
	KVG_RANKING_PROCESS,
	KVG_RANKING_GATE,
	KVG_RANKING_TEXTS,
};

/** struct kvg_ranking_count - refused, and what audit mode would have refused but let through */
struct kvg_ranking_count {
	__u64 refused;
	__u64 would;
};

/** struct kvg_ranking_row - one thing; @texts are owned, of the last line that had one, or NULL */
struct kvg_ranking_row {
	char *key;
	struct kvg_ranking_count count;
	__s64 first_us;
	__s64 last_us;
	char *texts[KVG_RANKING_TEXTS];
};

/**
 * struct kvg_ranking - zeroed, it is empty
 * @rows:        owned, in no order until kvg_ranking_sort()
 * @count:       how many
 * @rows_max:    at most so many; 0 for KVG_RANKING_ROWS_MAX
 * @others:      what is not told apart
 * @others_rows: how many rows that was, those that came back more than once
 */
struct kvg_ranking {
	struct kvg_ranking_row **rows;
	size_t count;
	size_t allocated;
	size_t rows_max;
	void *tree;
	struct kvg_ranking_count others;
	size_t others_rows;
};

/** struct kvg_ranking_entry - what one line brings; what of @texts is NULL, it does not say */
struct kvg_ranking_entry {
	const char *key;
	struct kvg_ranking_count count;
	__s64 time_us;
	const char *texts[KVG_RANKING_TEXTS];
};

/** kvg_ranking_add() - one line; 0 or -ENOMEM: then it is among the others */
int kvg_ranking_add(struct kvg_ranking *ranking, const struct kvg_ranking_entry *entry);

/** kvg_ranking_sort() - the most frequent first, equal ones by their key */
void kvg_ranking_sort(struct kvg_ranking *ranking);

/** kvg_ranking_done() - free what it holds */
void kvg_ranking_done(struct kvg_ranking *ranking);

/** kvg_ranking_sum() - both kinds */
static inline __u64 kvg_ranking_sum(const struct kvg_ranking_count *count)
{
	return count->refused + count->would;
}

/** kvg_ranking_increase() - @to grows by @by */
static inline void kvg_ranking_increase(struct kvg_ranking_count *to,
					const struct kvg_ranking_count *by)
{
	to->refused += by->refused;
	to->would += by->would;
}

#endif
