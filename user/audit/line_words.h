/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line that was read back, in words for a terminal. Names come from those who were refused: whatever
 * is not printable ASCII becomes '?', so that no name is a command to the terminal.
 */
#ifndef KVG_AUDIT_LINE_WORDS_H
#define KVG_AUDIT_LINE_WORDS_H

#include <jansson.h>
#include <stdio.h>

#define KVG_LINE_WORD_LEN 256 /* what is longer is cut: a domain has 253 bytes */

/** struct kvg_line_words - the columns of a line; "" where it does not say */
struct kvg_line_words {
	char time[24];
	char verdict[16];
	long long count;
	char flow[KVG_LINE_WORD_LEN];
	char domain[KVG_LINE_WORD_LEN];
	char reason[KVG_LINE_WORD_LEN];
	char process[64];
	char gate[KVG_LINE_WORD_LEN];
	char profile[64];
	char nearest[KVG_LINE_WORD_LEN];
};

/** kvg_line_words_read() - "2026-11-24T09:00:00Z", "refused", 3, "tcp 203.0.113.9:443", ... */
void kvg_line_words_read(const json_t *line, struct kvg_line_words *ret);

/**
 * kvg_line_words_flow() - "tcp 203.0.113.9:443", "packet socket", "more destinations than are told apart"
 * @line: a record
 * @ret:  not made printable
 * @size: of @ret
 */
void kvg_line_words_flow(const json_t *line, char *ret, size_t size);

/** kvg_line_words_nearest() - "20.190.128.0/18 of AzureActiveDirectory"; "" if it does not say */
void kvg_line_words_nearest(const json_t *line, char *ret, size_t size);

/** kvg_line_words_clean() - at most @size - 1 bytes of @text, printable; NULL is "" */
void kvg_line_words_clean(const char *text, char *ret, size_t size);

#endif
