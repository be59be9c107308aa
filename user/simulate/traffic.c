// SPDX-License-Identifier: BSD-2-Clause
#include "simulate/traffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By destination before source: what belongs together in a report is found together. */
static int compare(const void *a, const void *b)
{
	const struct kvg_seen *left = a;
	const struct kvg_seen *right = b;

	return memcmp(&left->key, &right->key, sizeof(left->key));
}

void kvg_traffic_done(struct kvg_traffic *traffic)
{
	tdestroy(traffic->seen, free);
	traffic->seen = NULL;
	traffic->count = 0;
}

static struct kvg_seen *find_or_add(struct kvg_traffic *traffic, const struct kvg_seen_key *key)
{
	struct kvg_seen wanted = {.key = *key};
	struct kvg_seen **node = tfind(&wanted, &traffic->seen, compare);
	struct kvg_seen *fresh;

	if (node)
		return *node;
	if (traffic->count >= KVG_SEEN_MAX) {
		errno = E2BIG;
		return NULL;
	}

	errno = ENOMEM;
	fresh = malloc(sizeof(*fresh));
	if (!fresh)
		return NULL;
	*fresh = wanted;
	if (!tsearch(fresh, &traffic->seen, compare)) {
		free(fresh);
		return NULL;
	}
	traffic->count++;
	return fresh;
}

static void note_listener(struct kvg_traffic *traffic, __be16 port)
{
	traffic->listening[ntohs(port) / 8] |= 1U << ntohs(port) % 8;
}

int kvg_traffic_add(struct kvg_traffic *traffic, const struct kvg_seen *seen)
{
	struct kvg_seen *known;

	traffic->records++;
	if (seen->signs & KVG_SIGN_LISTENS) {
		note_listener(traffic, seen->key.sport);
		return 0;
	}

	known = find_or_add(traffic, &seen->key);
	if (!known)
		return -errno;
	known->signs |= seen->signs;
	known->packets += seen->packets;
	known->bytes += seen->bytes;
	if (!known->process[0])
		memcpy(known->process, seen->process, sizeof(known->process));
	return 0;
}

const struct kvg_seen *kvg_traffic_find(const struct kvg_traffic *traffic,
					const struct kvg_seen_key *key, bool back)
{
	struct kvg_seen wanted = {.key = *key};
	struct kvg_seen **node;

	if (back) {
		memcpy(wanted.key.flow.daddr, key->saddr, sizeof(key->saddr));
		memcpy(wanted.key.saddr, key->flow.daddr, sizeof(key->saddr));
		wanted.key.flow.dport = key->sport;
		wanted.key.sport = key->flow.dport;
	}

	for (int sent = KVG_SENT_UNKNOWN; sent <= KVG_SENT_IN; sent++) {
		if (back)
			wanted.key.sent = sent;
		node = tfind(&wanted, &traffic->seen, compare);
		if (node || !back)
			return node ? *node : NULL;
	}
	return NULL;
}

bool kvg_traffic_listens(const struct kvg_traffic *traffic, __be16 port)
{
	return traffic->listening[ntohs(port) / 8] >> ntohs(port) % 8 & 1;
}

struct walk {
	void (*each)(void *data, const struct kvg_seen *seen);
	void *data;
};

static void visit(const void *node, VISIT when, void *data)
{
	struct walk *walk = data;

	if (when == postorder || when == leaf) /* tsearch(3): "postorder" is the in-order visit */
		walk->each(walk->data, *(struct kvg_seen *const *)node);
}

void kvg_traffic_walk(const struct kvg_traffic *traffic,
		      void (*each)(void *data, const struct kvg_seen *seen), void *data)
{
	struct walk walk = {each, data};

	twalk_r(traffic->seen, visit, &walk);
}

static void keep_fault(struct kvg_traffic *traffic, unsigned int line, const char *format,
		       va_list arguments)
{
	char text[sizeof(traffic->fault.msg)];

	if (traffic->fault.msg[0])
		return;
	vsnprintf(text, sizeof(text), format, arguments);
	kvg_diag_set_at(&traffic->fault, 0, line, 0, "%s", text);
}

void kvg_traffic_unreadable(struct kvg_traffic *traffic, unsigned int line, const char *format, ...)
{
	va_list arguments;

	traffic->unreadable++;
	va_start(arguments, format);
	keep_fault(traffic, line, format, arguments);
	va_end(arguments);
}

void kvg_traffic_cut(struct kvg_traffic *traffic, unsigned int line, const char *format, ...)
{
	va_list arguments;

	/* Where it ends matters more than what was wrong on the way. */
	traffic->cut = true;
	traffic->fault.msg[0] = '\0';
	va_start(arguments, format);
	keep_fault(traffic, line, format, arguments);
	va_end(arguments);
}
