// SPDX-License-Identifier: BSD-2-Clause
/*
 * ss(8): [Netid] [State] Recv-Q Send-Q Local:Port Peer:Port [Process]. Netid is there if more than one kind
 * of socket was asked for, State if not one state was. Indented lines (-i, -m) go on about a socket.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "simulate/readers.h"
#include "simulate/text.h"

#define WORDS_MAX 8

struct columns {
	struct kvg_word words[WORDS_MAX];
	size_t count;
	size_t at;
};

static const struct kvg_word *peek(const struct columns *columns)
{
	static const struct kvg_word none = {"", 0};

	return columns->at < columns->count ? &columns->words[columns->at] : &none;
}

static bool takes(struct columns *columns, const char *word)
{
	if (!kvg_word_is(peek(columns), word))
		return false;
	columns->at++;
	return true;
}

static const struct state {
	const char *word;
	__u32 signs;
} states[] = {
	{"ESTAB", 0},
	{"SYN-SENT", KVG_SIGN_OPENS},
	{"SYN-RECV", KVG_SIGN_ANSWERS},
	{"FIN-WAIT-1", 0},
	{"FIN-WAIT-2", 0},
	{"TIME-WAIT", 0},
	{"UNCONN", 0},
	{"CLOSE-WAIT", 0},
	{"LAST-ACK", 0},
	{"LISTEN", KVG_SIGN_LISTENS},
	{"CLOSING", 0},
};

static bool take_state(struct columns *columns, __u32 *ret_signs)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(states); i++) {
		if (takes(columns, states[i].word)) {
			*ret_signs = states[i].signs;
			return true;
		}
	}
	return false;
}

/* "192.0.2.1:443", "[2001:db8::1]:443", "*:*" */
static bool split_end(const struct kvg_word *word, struct kvg_word *ret_address,
		      struct kvg_word *ret_port)
{
	const char *colon = memrchr(word->at, ':', word->size);

	if (!colon)
		return false;
	*ret_address = (struct kvg_word){word->at, (size_t)(colon - word->at)};
	*ret_port = (struct kvg_word){colon + 1, (size_t)(word->at + word->size - colon - 1)};
	if (ret_address->size >= 2 && ret_address->at[0] == '[' && colon[-1] == ']') {
		ret_address->at++;
		ret_address->size -= 2;
	}
	return true;
}

/* users:(("curl",pid=4242,fd=5)) */
static void read_process(const struct kvg_word *word, char ret[KVG_SEEN_PROCESS_LEN])
{
	const char *start = memchr(word->at, '"', word->size);
	const char *end;
	size_t size;

	if (!start)
		return;
	start++;
	end = memchr(start, '"', (size_t)(word->at + word->size - start));
	if (!end)
		return;
	size = (size_t)(end - start);
	if (size >= KVG_SEEN_PROCESS_LEN)
		size = KVG_SEEN_PROCESS_LEN - 1;
	memcpy(ret, start, size);
}

/* 1: a socket with a peer, or that listens; 0: it has no peer; -EINVAL: no line of ss -n */
static int read_ends(const struct kvg_word *local, const struct kvg_word *peer,
		     struct kvg_seen *ret)
{
	struct kvg_word from, from_port, to, to_port;

	if (!split_end(local, &from, &from_port) || !split_end(peer, &to, &to_port))
		return -EINVAL;
	if (ret->signs & KVG_SIGN_LISTENS)
		return kvg_text_port(&from_port, &ret->key.sport) < 0 ? -EINVAL : 1;
	if (kvg_word_is(&to_port, "*"))
		return 0;
	if (kvg_text_ends(&from, &to, &ret->key) < 0 ||
	    kvg_text_port(&from_port, &ret->key.sport) < 0 ||
	    kvg_text_port(&to_port, &ret->key.flow.dport) < 0)
		return -EINVAL;
	return 1;
}

static int read_queues(struct columns *columns)
{
	__u64 number;

	for (int i = 0; i < 2; i++) {
		if (kvg_text_number(peek(columns), UINT64_MAX, &number) < 0)
			return -EINVAL;
		columns->at++;
	}
	return columns->count - columns->at < 2 ? -EINVAL : 0;
}

/* As read_ends(). */
static int read_socket(struct columns *columns, struct kvg_seen *ret)
{
	bool has_state;
	int r;

	*ret = (struct kvg_seen){.key = {.sent = KVG_SENT_OUT, .flow.protocol = IPPROTO_TCP}};
	if (takes(columns, "udp"))
		ret->key.flow.protocol = IPPROTO_UDP;
	else
		takes(columns, "tcp");
	has_state = take_state(columns, &ret->signs);
	if (read_queues(columns) < 0) {
		/* Another kind of socket, which has a kind of state and numbers, too. */
		if (has_state || columns->count < 5 || columns->at)
			return -EINVAL;
		columns->at = 1;
		return take_state(columns, &ret->signs) && read_queues(columns) == 0 ? 0 : -EINVAL;
	}

	r = read_ends(&columns->words[columns->at], &columns->words[columns->at + 1], ret);
	for (columns->at += 2; columns->at < columns->count && !ret->process[0]; columns->at++)
		read_process(peek(columns), ret->process);
	return r;
}

static bool is_heading(const struct columns *columns)
{
	return kvg_word_is(peek(columns), "Netid") || kvg_word_is(peek(columns), "State") ||
	       kvg_word_is(peek(columns), "Recv-Q");
}

int kvg_ss_read(const char *data, size_t size, struct kvg_traffic *traffic)
{
	struct kvg_word rest = {data, size};
	struct kvg_word line;
	bool ended;
	int r = 0;

	for (unsigned int number = 1; r >= 0 && kvg_text_line(&rest, &line, &ended); number++) {
		struct columns columns = {.at = 0};
		struct kvg_seen seen;

		columns.count = kvg_text_split(&line, ' ', columns.words, WORDS_MAX);
		if (!columns.count || line.at[0] == '\t' || is_heading(&columns))
			continue;
		r = read_socket(&columns, &seen);
		if (r > 0)
			r = kvg_traffic_add(traffic, &seen);
		else if (r == 0)
			traffic->foreign++;
		else if (ended)
			kvg_traffic_unreadable(traffic, number,
					       "'%.*s' is no line of 'ss -tnp'; -n is needed",
					       KVG_WORD(line));
		else
			kvg_traffic_cut(traffic, number, "the last line is cut: '%.*s'",
					KVG_WORD(line));
		if (r == -EINVAL)
			r = 0;
	}
	return r;
}
