// SPDX-License-Identifier: BSD-2-Clause
/*
 * Azure's flow logs. A record holds groups by rule, and each a list of tuples in commas:
 *
 *	NSG  time, source, destination, source port, destination port, T|U, I|O, A|D
 *	     and from version 2 on: B|C|E, packets, bytes, packets back, bytes back
 *	VNet time, source, destination, source port, destination port, protocol, I|O, B|C|E|D, encryption,
 *	     packets, bytes, packets back, bytes back
 *
 * The source is who opened it. Inbound, the client's part is the way back.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "simulate/readers.h"
#include "simulate/text.h"

#define TUPLE_MAX  16
#define NSG_LEAST  8
#define VNET_LEAST 13
#define COUNTS_AT  9 /* in both, where there are any */

struct tuple {
	struct kvg_word words[TUPLE_MAX];
	size_t count;
	bool inbound;
	bool denied;
};

static int read_way(const struct kvg_word *word, struct tuple *ret)
{
	ret->inbound = kvg_word_is(word, "I");
	return ret->inbound || kvg_word_is(word, "O") ? 0 : -EINVAL;
}

static int read_nsg(struct tuple *tuple, struct kvg_seen *ret)
{
	if (tuple->count < NSG_LEAST)
		return -EINVAL;
	tuple->denied = kvg_word_is(&tuple->words[7], "D");
	if (!tuple->denied && !kvg_word_is(&tuple->words[7], "A"))
		return -EINVAL;
	if (kvg_word_is(&tuple->words[5], "T"))
		ret->key.flow.protocol = IPPROTO_TCP;
	else if (kvg_word_is(&tuple->words[5], "U"))
		ret->key.flow.protocol = IPPROTO_UDP;
	else
		return -EINVAL;
	return 0;
}

static int read_vnet(struct tuple *tuple, struct kvg_seen *ret)
{
	const struct kvg_word *state = &tuple->words[7];
	__u64 protocol;

	if (tuple->count < VNET_LEAST || kvg_text_number(&tuple->words[5], 255, &protocol) < 0)
		return -EINVAL;
	tuple->denied = kvg_word_is(state, "D");
	if (!tuple->denied && !kvg_word_is(state, "B") && !kvg_word_is(state, "C") &&
	    !kvg_word_is(state, "E"))
		return -EINVAL;
	ret->key.flow.protocol = (__u16)protocol;
	return 0;
}

/* What the client sent; empty where a flow only begins. */
static int read_counts(const struct tuple *tuple, struct kvg_seen *ret)
{
	size_t at = COUNTS_AT + (tuple->inbound ? 2 : 0);

	if (tuple->count < at + 2)
		return 0;
	if (tuple->words[at].size &&
	    kvg_text_number(&tuple->words[at], UINT64_MAX / 2, &ret->packets) < 0)
		return -EINVAL;
	if (tuple->words[at + 1].size &&
	    kvg_text_number(&tuple->words[at + 1], UINT64_MAX / 2, &ret->bytes) < 0)
		return -EINVAL;
	return 0;
}

static int read_tuple(const struct kvg_word *text, bool vnet, struct tuple *tuple,
		      struct kvg_seen *ret)
{
	*ret = (struct kvg_seen){.key.sent = KVG_SENT_OUT};
	tuple->count = kvg_text_split(text, ',', tuple->words, TUPLE_MAX);
	if ((vnet ? read_vnet(tuple, ret) : read_nsg(tuple, ret)) < 0 ||
	    kvg_text_ends(&tuple->words[1], &tuple->words[2], &ret->key) < 0 ||
	    kvg_text_port(&tuple->words[3], &ret->key.sport) < 0 ||
	    kvg_text_port(&tuple->words[4], &ret->key.flow.dport) < 0 ||
	    read_way(&tuple->words[6], tuple) < 0 || read_counts(tuple, ret) < 0)
		return -EINVAL;

	if (ret->key.flow.protocol == IPPROTO_TCP)
		ret->signs = tuple->inbound ? KVG_SIGN_ANSWERS : KVG_SIGN_OPENS;
	else if (ret->key.flow.protocol != IPPROTO_UDP)
		ret->key.sport = ret->key.flow.dport = 0;
	if (tuple->inbound)
		kvg_text_turn(&ret->key);
	return 0;
}

static int add_tuple(const json_t *text, bool vnet, unsigned int line, struct kvg_traffic *traffic)
{
	struct kvg_word word = {json_string_value(text), json_string_length(text)};
	struct kvg_seen seen;
	struct tuple tuple;

	if (!word.at) {
		kvg_traffic_unreadable(traffic, line, "a flow tuple is no string");
		return 0;
	}
	if (read_tuple(&word, vnet, &tuple, &seen) < 0) {
		kvg_traffic_unreadable(traffic, line, "bad flow tuple '%.*s'", KVG_WORD(word));
		return 0;
	}
	/* Nobody answers what was not let in, nor must a datagram be answered. */
	if (tuple.denied ||
	    (tuple.inbound && !seen.packets && seen.key.flow.protocol != IPPROTO_TCP)) {
		traffic->records++;
		traffic->denied += tuple.denied && !tuple.inbound;
		return 0;
	}
	return kvg_traffic_add(traffic, &seen);
}

static int add_tuples(const json_t *group, bool vnet, unsigned int line,
		      struct kvg_traffic *traffic)
{
	json_t *tuples = json_object_get(group, "flowTuples");
	json_t *tuple;
	size_t i;
	int r = 0;

	if (!json_is_array(tuples))
		kvg_traffic_unreadable(traffic, line, "a group of flows has no \"flowTuples\"");
	json_array_foreach(tuples, i, tuple)
	{
		r = add_tuple(tuple, vnet, line, traffic);
		if (r < 0)
			break;
	}
	return r;
}

/* Both kinds have groups of groups; only the words differ. */
static int add_groups(const json_t *outer, const char *inner, unsigned int line,
		      struct kvg_traffic *traffic)
{
	bool vnet = strcmp(inner, "flowGroups") == 0;
	json_t *group, *part;
	size_t i, j;

	if (!json_is_array(outer))
		kvg_traffic_unreadable(traffic, line, "a record has no \"flows\"");
	json_array_foreach(outer, i, group)
	{
		json_t *parts = json_object_get(group, inner);

		if (!json_is_array(parts))
			kvg_traffic_unreadable(traffic, line, "a rule has no \"%s\"", inner);
		json_array_foreach(parts, j, part)
		{
			int r = add_tuples(part, vnet, line, traffic);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int kvg_nsg_read_record(const json_t *record, unsigned int line, struct kvg_traffic *traffic)
{
	json_t *flows = json_object_get(json_object_get(record, "properties"), "flows");

	return add_groups(flows, "flows", line, traffic);
}

int kvg_vnet_read_record(const json_t *record, unsigned int line, struct kvg_traffic *traffic)
{
	json_t *flows = json_object_get(json_object_get(record, "flowRecords"), "flows");

	return add_groups(flows, "flowGroups", line, traffic);
}
