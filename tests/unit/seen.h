/* SPDX-License-Identifier: BSD-2-Clause */
/* What an input holds, in words, for the tests of its readers. */
#ifndef KVG_TESTS_SEEN_H
#define KVG_TESTS_SEEN_H

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/words.h"
#include "simulate/input.h"

/** struct input - one that was read */
struct input {
	struct kvg_traffic traffic;
	enum kvg_input_format format;
	struct kvg_diag diag;
	int r;
};

/** input_done() - for KVG_CLEANUP */
static inline void input_done(struct input *input)
{
	kvg_traffic_done(&input->traffic);
}

/** input_read() - @size bytes of a format; fresh, done by the caller */
static inline void input_read(struct input *ret, enum kvg_input_format format, const void *data,
			      size_t size)
{
	memset(ret, 0, sizeof(*ret));
	ret->format = format;
	ret->r = kvg_input_read_bytes(data, size, &ret->format, &ret->traffic, &ret->diag);
}

/** struct seen_text - where seen_line() writes to */
struct seen_text {
	char *at;
	size_t left;
};

static inline const char *seen_address(__u8 family, const __u8 address[16],
				       char ret[INET6_ADDRSTRLEN])
{
	if (family == AF_INET)
		return inet_ntop(AF_INET, address + 12, ret, INET6_ADDRSTRLEN);
	return family ? inet_ntop(AF_INET6, address, ret, INET6_ADDRSTRLEN) : "?";
}

static inline void seen_line(void *data, const struct kvg_seen *seen)
{
	static const char *const sent[] = {"", " out", " in"};
	const struct kvg_flow *flow = &seen->key.flow;
	struct seen_text *text = data;
	char from[INET6_ADDRSTRLEN];
	char to[INET6_ADDRSTRLEN];
	int n = snprintf(
		text->at, text->left, "%s %u > %s %u %s%s%s%s%s%s%s%s%s x%llu; ",
		seen_address(flow->family, seen->key.saddr, from), ntohs(seen->key.sport),
		seen_address(flow->family, flow->daddr, to), ntohs(flow->dport),
		kvg_protocol_word(flow->protocol) ? kvg_protocol_word(flow->protocol) : "?",
		sent[seen->key.sent], seen->signs & KVG_SIGN_OPENS ? " opens" : "",
		seen->signs & KVG_SIGN_ANSWERS ? " answers" : "", flow->loopback ? " loopback" : "",
		flow->fault ? " " : "", flow->fault ? kvg_reason_word(flow->fault) : "",
		seen->process[0] ? " by " : "", seen->process[0] ? seen->process : "",
		(unsigned long long)seen->packets);

	if (n > 0 && (size_t)n < text->left) {
		text->at += n;
		text->left -= (size_t)n;
	}
}

/** assert_seen() - the input was read, and this is all that it holds */
#define assert_seen(input, expected)                                             \
	do {                                                                     \
		char seen_buffer[4096] = "";                                     \
		struct seen_text seen_text = {seen_buffer, sizeof(seen_buffer)}; \
                                                                                 \
		if ((input)->r < 0)                                              \
			fail_msg("refused: %s", (input)->diag.msg);              \
		kvg_traffic_walk(&(input)->traffic, seen_line, &seen_text);      \
		assert_string_equal(seen_buffer, expected);                      \
	} while (0)

/** assert_sound() - nothing in it was unreadable */
#define assert_sound(input)                                          \
	do {                                                         \
		assert_string_equal((input)->traffic.fault.msg, ""); \
		assert_int_equal((input)->traffic.unreadable, 0);    \
		assert_false((input)->traffic.cut);                  \
	} while (0)

#define INPUT KVG_CLEANUP(input_done) struct input

/** READ() - a string, as of input_read() */
#define READ(input, format, text) input_read(input, format, text, strlen(text))

#endif
