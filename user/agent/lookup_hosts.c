// SPDX-License-Identifier: BSD-2-Clause
/*
 * An address that has left the answer stays until the grace is over, counted from when the last answer
 * that had it ran out: a client may have asked just before. Where a host has too many addresses, those
 * of the newest answer come first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/lookup_state.h"

struct kvg_lookup_host *kvg_lookup_hosts_find(const struct kvg_lookup_hosts *hosts,
					      const char *name)
{
	for (size_t i = 0; i < hosts->count; i++) {
		if (strcmp(hosts->list[i]->name, name) == 0)
			return hosts->list[i];
	}
	return NULL;
}

static void free_host(struct kvg_lookup_host *host)
{
	for (int i = 0; i < 2; i++) {
		if (host->queries[i].ask)
			host->queries[i].ask->host = NULL;
	}
	free(host->name);
	free(host);
}

struct kvg_lookup_host *kvg_lookup_hosts_add(struct kvg_lookup_hosts *hosts, const char *name)
{
	struct kvg_lookup_host *host = kvg_lookup_hosts_find(hosts, name);
	struct kvg_lookup_host **list;

	if (host)
		return host;
	list = reallocarray(hosts->list, hosts->count + 1, sizeof(struct kvg_lookup_host *));
	if (!list)
		return NULL;
	hosts->list = list;

	host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	host->name = strdup(name);
	if (!host->name) {
		free(host);
		return NULL;
	}
	hosts->list[hosts->count++] = host;
	return host;
}

size_t kvg_lookup_hosts_forget_unwanted(struct kvg_lookup_hosts *hosts)
{
	size_t kept = 0, forgotten;

	for (size_t i = 0; i < hosts->count; i++) {
		if (hosts->list[i]->wanted)
			hosts->list[kept++] = hosts->list[i];
		else
			free_host(hosts->list[i]);
	}
	forgotten = hosts->count - kept;
	hosts->count = kept;
	return forgotten;
}

void kvg_lookup_hosts_done(struct kvg_lookup_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		free_host(hosts->list[i]);
	free(hosts->list);
	*hosts = (struct kvg_lookup_hosts){};
}

/* --- addresses of one host --------------------------------------------------------------------------- */

static int64_t ran_out_us(const struct kvg_lookup_address *address)
{
	return address->seen_us + address->ttl_s * KVG_LOOKUP_S;
}

static struct kvg_lookup_address *find_address(struct kvg_lookup_host *host,
					       const struct kvg_prefix *prefix)
{
	for (size_t i = 0; i < host->addresses_count; i++) {
		if (kvg_prefix_compare(&host->addresses[i].prefix, prefix) == 0)
			return &host->addresses[i];
	}
	return NULL;
}

bool kvg_lookup_has(const struct kvg_lookup *lookup, const char *host,
		    const struct kvg_prefix *address)
{
	struct kvg_lookup_host *known = kvg_lookup_hosts_find(&lookup->hosts, host);

	return known && find_address(known, address);
}

/* A free place, or that of the one that ran out first among those that left. */
static struct kvg_lookup_address *find_place(struct kvg_lookup_host *host)
{
	struct kvg_lookup_address *first = NULL;

	if (host->addresses_count < KVG_LOOKUP_ADDRESSES_MAX)
		return &host->addresses[host->addresses_count++];
	for (size_t i = 0; i < host->addresses_count; i++) {
		struct kvg_lookup_address *address = &host->addresses[i];

		if (address->left && (!first || ran_out_us(address) < ran_out_us(first)))
			first = address;
	}
	return first;
}

bool kvg_lookup_host_take(struct kvg_lookup_host *host, const struct kvg_lookup_answer *answer,
			  int64_t now_us)
{
	struct kvg_lookup_query *query = &host->queries[answer->family == AF_INET6];
	const struct kvg_prefix *missed[KVG_LOOKUP_ADDRESSES_MAX];
	size_t missed_count = 0;
	bool gained = false;

	for (size_t i = 0; i < host->addresses_count; i++) {
		if (host->addresses[i].prefix.family == answer->family)
			host->addresses[i].left = true;
	}
	query->over = answer->over;
	for (size_t i = 0; i < answer->count; i++) {
		struct kvg_lookup_address *known = find_address(host, &answer->addresses[i]);

		if (!known) {
			missed[missed_count++] = &answer->addresses[i];
			continue;
		}
		known->left = false;
		known->seen_us = now_us;
		known->ttl_s = answer->ttl_s;
	}

	/* All that stay are marked by now: no new one takes the place of one that stays. */
	for (size_t i = 0; i < missed_count; i++) {
		struct kvg_lookup_address *place;

		if (find_address(host, missed[i]))
			continue;
		place = find_place(host);
		if (!place) {
			query->over = true;
			break;
		}
		*place = (struct kvg_lookup_address){
			.prefix = *missed[i], .seen_us = now_us, .ttl_s = answer->ttl_s};
		gained = true;
	}
	return gained;
}

bool kvg_lookup_host_expire(struct kvg_lookup_host *host, int64_t now_us, int64_t grace_us)
{
	size_t kept = 0, count = host->addresses_count;

	for (size_t i = 0; i < count; i++) {
		const struct kvg_lookup_address *address = &host->addresses[i];

		if (!address->left || now_us < ran_out_us(address) + grace_us)
			host->addresses[kept++] = *address;
	}
	host->addresses_count = kept;
	return kept < count;
}

int64_t kvg_lookup_host_next(const struct kvg_lookup_host *host, int64_t grace_us)
{
	int64_t next = KVG_LOOKUP_NEVER;

	for (int i = 0; i < 2; i++) {
		if (host->wanted && !host->queries[i].ask && host->queries[i].due_us < next)
			next = host->queries[i].due_us;
	}
	for (size_t i = 0; i < host->addresses_count; i++) {
		int64_t over = ran_out_us(&host->addresses[i]) + grace_us;

		if (host->addresses[i].left && over < next)
			next = over;
	}
	return next;
}

unsigned int kvg_lookup_delay_s(unsigned int ttl_s, unsigned int failures)
{
	unsigned int delay = KVG_LOOKUP_RETRY_MIN_S;

	if (!failures && ttl_s < KVG_LOOKUP_TTL_MIN_S)
		return KVG_LOOKUP_TTL_MIN_S;
	if (!failures)
		return ttl_s < KVG_LOOKUP_TTL_MAX_S ? ttl_s : KVG_LOOKUP_TTL_MAX_S;
	while (--failures && delay < KVG_LOOKUP_RETRY_MAX_S)
		delay *= 2;
	return delay < KVG_LOOKUP_RETRY_MAX_S ? delay : KVG_LOOKUP_RETRY_MAX_S;
}

/* --- what an operator should know -------------------------------------------------------------------- */

static bool is_answer(int status)
{
	return status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
}

void kvg_lookup_host_describe(struct kvg_lookup_host *host)
{
	const struct kvg_lookup_query *bad = NULL;
	const char *known =
		host->addresses_count ? "what was known of it is kept" : "nothing allows it";
	bool all_empty = true;

	for (int i = 0; i < 2; i++) {
		if (!is_answer(host->queries[i].status))
			bad = &host->queries[i];
		if (host->queries[i].status == ARES_SUCCESS || !host->queries[i].failures)
			all_empty = false;
	}

	host->problem[0] = '\0';
	if (bad)
		snprintf(host->problem, sizeof(host->problem), "'%s' cannot be looked up (%s): %s",
			 host->name, ares_strerror(bad->status), known);
	else if (all_empty)
		snprintf(host->problem, sizeof(host->problem), "'%s' has no address (%s): %s",
			 host->name, ares_strerror(host->queries[0].status),
			 host->addresses_count ? "what it had is kept for the grace period"
					       : "nothing allows it");
	else if (host->queries[0].over || host->queries[1].over)
		snprintf(host->problem, sizeof(host->problem),
			 "'%s' has more than %d addresses: not all of them are allowed", host->name,
			 KVG_LOOKUP_ADDRESSES_MAX);
}
