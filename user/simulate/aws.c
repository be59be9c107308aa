// SPDX-License-Identifier: BSD-2-Clause
/*
 * Flow logs of a VPC: a record per direction and interval. The fields are those of a first line that names
 * them, as in files, or the default ones, as a log service hands them out.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "simulate/readers.h"
#include "simulate/text.h"

#define FIELDS_MAX 64

/* X(enumerator, name, place in the default format from 1, 0 if it is not there) */
#define FIELDS(X)                               \
	X(SOURCE, "srcaddr", 4)                 \
	X(DESTINATION, "dstaddr", 5)            \
	X(SOURCE_PORT, "srcport", 6)            \
	X(DESTINATION_PORT, "dstport", 7)       \
	X(PROTOCOL, "protocol", 8)              \
	X(PACKETS, "packets", 9)                \
	X(BYTES, "bytes", 10)                   \
	X(ACTION, "action", 13)                 \
	X(STATUS, "log-status", 14)             \
	X(PACKET_SOURCE, "pkt-srcaddr", 0)      \
	X(PACKET_DESTINATION, "pkt-dstaddr", 0) \
	X(FLAGS, "tcp-flags", 0)                \
	X(DIRECTION, "flow-direction", 0)

enum field {
#define X(name, word, place) FIELD_##name,
	FIELDS(X)
#undef X
		FIELD_COUNT
};

static const char *const names[] = {
#define X(name, word, place) [FIELD_##name] = word,
	FIELDS(X)
#undef X
};

#define DEFAULT_FIELDS 14

/* struct layout - where each field is, from 1; 0: nowhere */
struct layout {
	size_t places[FIELD_COUNT];
	size_t count;
};

static const struct layout usual = {
	.places =
		{
#define X(name, word, place) [FIELD_##name] = place,
			FIELDS(X)
#undef X
		},
	.count = DEFAULT_FIELDS,
};

/* struct record - a line in words */
struct record {
	const struct layout *layout;
	const struct kvg_word *words;
};

/* NULL if the record does not say: "-" */
static const struct kvg_word *find(const struct record *record, enum field field)
{
	size_t place = record->layout->places[field];

	if (!place || kvg_word_is(&record->words[place - 1], "-"))
		return NULL;
	return &record->words[place - 1];
}

static bool says(const struct record *record, enum field field, const char *word)
{
	const struct kvg_word *found = find(record, field);

	return found && kvg_word_is(found, word);
}

static bool read_heading(const struct kvg_word *words, size_t count, struct layout *ret)
{
	struct layout layout = {.count = count};

	for (size_t i = 0; i < count; i++) {
		for (size_t field = 0; field < FIELD_COUNT; field++) {
			if (kvg_word_is(&words[i], names[field]))
				layout.places[field] = i + 1;
		}
	}
	if (!layout.places[FIELD_SOURCE] && !layout.places[FIELD_PACKET_SOURCE])
		return false;
	*ret = layout;
	return true;
}

/* A field that must be there and say something. */
static int read_number(const struct record *record, enum field field, __u64 max, __u64 *ret)
{
	const struct kvg_word *word = find(record, field);

	return word ? kvg_text_number(word, max, ret) : -EINVAL;
}

/* One that need not. */
static int read_count(const struct record *record, enum field field, __u64 *ret)
{
	*ret = 0;
	return find(record, field) ? read_number(record, field, UINT64_MAX / 2, ret) : 0;
}

/* Behind a load balancer or a NAT gateway the packet has other addresses than the interface. */
static int read_addresses(const struct record *record, struct kvg_seen_key *ret)
{
	const struct kvg_word *from = find(record, FIELD_PACKET_SOURCE);
	const struct kvg_word *to = find(record, FIELD_PACKET_DESTINATION);

	from = from ? from : find(record, FIELD_SOURCE);
	to = to ? to : find(record, FIELD_DESTINATION);
	return from && to ? kvg_text_ends(from, to, ret) : -EINVAL;
}

static int read_signs(const struct record *record, struct kvg_seen *ret)
{
	__u64 flags;

	if (read_count(record, FIELD_FLAGS, &flags) < 0)
		return -EINVAL;
	if (ret->key.flow.protocol == IPPROTO_TCP && flags & 2)
		ret->signs = flags & 16 ? KVG_SIGN_ANSWERS : KVG_SIGN_OPENS;
	if (says(record, FIELD_DIRECTION, "egress"))
		ret->key.sent = KVG_SENT_OUT;
	else if (says(record, FIELD_DIRECTION, "ingress"))
		ret->key.sent = KVG_SENT_IN;
	return 0;
}

static int read_record(const struct record *record, struct kvg_seen *ret)
{
	__u64 protocol, sport, dport;

	*ret = (struct kvg_seen){0};
	if (read_addresses(record, &ret->key) < 0 ||
	    read_number(record, FIELD_PROTOCOL, 255, &protocol) < 0 ||
	    read_number(record, FIELD_SOURCE_PORT, 65535, &sport) < 0 ||
	    read_number(record, FIELD_DESTINATION_PORT, 65535, &dport) < 0 ||
	    read_count(record, FIELD_PACKETS, &ret->packets) < 0 ||
	    read_count(record, FIELD_BYTES, &ret->bytes) < 0)
		return -EINVAL;

	ret->key.flow.protocol = (__u16)protocol;
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) {
		ret->key.sport = htons((__u16)sport);
		ret->key.flow.dport = htons((__u16)dport);
	}
	return read_signs(record, ret);
}

static int read_line(const struct record *record, unsigned int line, struct kvg_traffic *traffic)
{
	struct kvg_seen seen;

	if (says(record, FIELD_STATUS, "NODATA"))
		return 0;
	if (says(record, FIELD_STATUS, "SKIPDATA")) {
		kvg_traffic_unreadable(traffic, line, "the log says that records were left out");
		return 0;
	}
	if (says(record, FIELD_ACTION, "REJECT")) {
		traffic->records++;
		traffic->denied++;
		return 0;
	}
	if (read_record(record, &seen) < 0)
		return -EINVAL;
	return kvg_traffic_add(traffic, &seen);
}

/* The time that `aws logs` puts before a record. */
static size_t count_times(const struct kvg_word *words, size_t count)
{
	return count == DEFAULT_FIELDS + 1 && memchr(words[0].at, 'T', words[0].size) ? 1 : 0;
}

int kvg_aws_read(const char *data, size_t size, struct kvg_traffic *traffic)
{
	struct kvg_word rest = {data, size};
	struct layout layout = usual;
	struct kvg_word line;
	bool ended;
	int r = 0;

	for (unsigned int number = 1; r >= 0 && kvg_text_line(&rest, &line, &ended); number++) {
		struct kvg_word words[FIELDS_MAX];
		size_t count = kvg_text_split(&line, ' ', words, FIELDS_MAX);
		size_t times = count_times(words, count);
		struct record record = {&layout, words + times};

		if (!count || read_heading(words, count, &layout))
			continue;
		r = count - times == layout.count ? read_line(&record, number, traffic) : -EINVAL;
		if (r != -EINVAL)
			continue;
		if (ended)
			kvg_traffic_unreadable(
				traffic, number,
				"'%.*s' is no record of a VPC flow log of %zu fields",
				KVG_WORD(line), layout.count);
		else
			kvg_traffic_cut(traffic, number, "the last line is cut: '%.*s'",
					KVG_WORD(line));
		r = 0;
	}
	return r;
}
