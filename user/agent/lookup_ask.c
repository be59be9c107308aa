// SPDX-License-Identifier: BSD-2-Clause
/*
 * IPv4 and IPv6 are asked for on their own: each has a time to live of its own, and where one fails, the
 * answer of the other counts. Search domains and aliases are no part of it: a name is the whole name.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "agent/lookup_state.h"
#include "base/cleanup.h"

/* That an address was seen once more is written this often. */
#define SAVE_US (300 * KVG_LOOKUP_S)

static void settle(struct kvg_lookup *lookup);

int64_t kvg_lookup_now_us(const struct kvg_lookup *lookup)
{
	uint64_t now;

	return sd_event_now(lookup->event, CLOCK_BOOTTIME, &now) < 0 ? 0 : (int64_t)now;
}

/* --- sockets of c-ares, in the loop ------------------------------------------------------------------ */

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	const uint32_t broken = EPOLLERR | EPOLLHUP;
	struct kvg_lookup *lookup = userdata;

	(void)source;
	ares_process_fd(lookup->channel, revents & (EPOLLIN | broken) ? fd : ARES_SOCKET_BAD,
			revents & (EPOLLOUT | broken) ? fd : ARES_SOCKET_BAD);
	settle(lookup);
	return 0;
}

static struct kvg_lookup_socket *find_socket(struct kvg_lookup *lookup, ares_socket_t fd)
{
	for (size_t i = 0; i < lookup->sockets_count; i++) {
		if (lookup->sockets[i].fd == fd)
			return &lookup->sockets[i];
	}
	return NULL;
}

static void add_socket(struct kvg_lookup *lookup, ares_socket_t fd, uint32_t events)
{
	struct kvg_lookup_socket *longer;
	sd_event_source *source;

	longer = reallocarray(lookup->sockets, lookup->sockets_count + 1, sizeof(*longer));
	if (!longer)
		return;
	lookup->sockets = longer;
	if (sd_event_add_io(lookup->event, &source, fd, events, on_io, lookup) < 0)
		return;
	lookup->sockets[lookup->sockets_count++] = (struct kvg_lookup_socket){fd, source};
}

/* A socket that cannot be watched is one that does not answer: c-ares tries again, or gives up. */
static void on_socket(void *data, ares_socket_t fd, int readable, int writable)
{
	struct kvg_lookup *lookup = data;
	struct kvg_lookup_socket *socket = find_socket(lookup, fd);
	uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);

	if (!socket && events) {
		add_socket(lookup, fd, events);
	} else if (socket && events) {
		sd_event_source_set_io_events(socket->source, events);
	} else if (socket) {
		sd_event_source_disable_unref(socket->source);
		*socket = lookup->sockets[--lookup->sockets_count];
	}
}

/* --- answers ----------------------------------------------------------------------------------------- */

static void free_answer(struct ares_addrinfo **answer)
{
	if (*answer)
		ares_freeaddrinfo(*answer);
}

/* IPv4 inside IPv6 is no address of a server. */
static bool read_address(const struct sockaddr *from, int family, struct kvg_prefix *ret)
{
	*ret = (struct kvg_prefix){.family = (__u8)family};
	if (from->sa_family != family)
		return false;
	if (family == AF_INET) {
		ret->bits = 32;
		memcpy(ret->addr, &((const struct sockaddr_in *)from)->sin_addr, 4);
		return true;
	}
	ret->bits = 128;
	memcpy(ret->addr, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
	return !IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)from)->sin6_addr);
}

static unsigned int shorter(unsigned int ttl_s, int other)
{
	if (other < 0)
		return 0;
	return (unsigned int)other < ttl_s ? (unsigned int)other : ttl_s;
}

/* It is good as long as all records on the way are. */
static void read_answer(const struct ares_addrinfo *from, struct kvg_lookup_answer *ret)
{
	unsigned int ttl_s = KVG_LOOKUP_TTL_MAX_S;

	for (const struct ares_addrinfo_cname *i = from->cnames; i; i = i->next)
		ttl_s = shorter(ttl_s, i->ttl);
	for (const struct ares_addrinfo_node *i = from->nodes; i; i = i->ai_next) {
		struct kvg_prefix address;

		if (!read_address(i->ai_addr, ret->family, &address))
			continue;
		ttl_s = shorter(ttl_s, i->ai_ttl);
		if (ret->count < KVG_LOOKUP_ADDRESSES_MAX)
			ret->addresses[ret->count++] = address;
		else
			ret->over = true;
	}
	ret->ttl_s = kvg_lookup_delay_s(ttl_s, 0);
}

/* That a name has no address is an answer; that nobody answers is none. */
static void take(struct kvg_lookup *lookup, const struct kvg_lookup_ask *ask, int status,
		 const struct ares_addrinfo *result)
{
	struct kvg_lookup_query *query = &ask->host->queries[ask->family == AF_INET6];
	struct kvg_lookup_answer answer = {.family = ask->family};
	int64_t now = kvg_lookup_now_us(lookup);

	if (status == ARES_SUCCESS && result)
		read_answer(result, &answer);
	if (status == ARES_SUCCESS && !answer.count)
		status = ARES_ENODATA;

	query->ask = NULL;
	query->status = status;
	query->failures = status == ARES_SUCCESS ? 0 : query->failures + 1;
	query->due_us = now + kvg_lookup_delay_s(answer.ttl_s, query->failures) * KVG_LOOKUP_S;
	if (status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND) {
		if (kvg_lookup_host_take(ask->host, &answer, now))
			lookup->is_changed = true;
		lookup->dirty = true;
	} else {
		lookup->stale = true;
	}
}

static void on_answer(void *data, int status, int timeouts, struct ares_addrinfo *result)
{
	KVG_CLEANUP(free_answer) struct ares_addrinfo *answer = result;
	KVG_CLEANUP(kvg_freep) struct kvg_lookup_ask *ask = data;

	(void)timeouts;
	ask->lookup->in_flight--;
	if (!ask->host)
		return;
	if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
		ask->host->queries[ask->family == AF_INET6].ask = NULL;
	else
		take(ask->lookup, ask, status, answer);
}

/* --- asking ------------------------------------------------------------------------------------------ */

/* The system's way is what compile --resolve goes, with its hosts file; servers that were named are all. */
int kvg_lookup_open_channel(struct kvg_lookup *lookup, ares_channel *ret)
{
	char dns_only[] = "b";
	struct ares_options options = {
		.flags = ARES_FLAG_NOALIASES,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = lookup,
		.ndomains = 0,
		.lookups = dns_only,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS;
	ares_channel channel;
	int status;

	if (lookup->servers)
		mask |= ARES_OPT_LOOKUPS;
	status = ares_init_options(&channel, &options, mask);
	if (status != ARES_SUCCESS)
		return status;
	if (lookup->servers)
		status = ares_set_servers_ports_csv(channel, lookup->servers);
	if (status != ARES_SUCCESS)
		ares_destroy(channel);
	else
		*ret = channel;
	return status;
}

/* The machine may have other name servers by now. */
static void renew_channel(struct kvg_lookup *lookup)
{
	ares_channel fresh;

	if (!lookup->stale || lookup->in_flight || lookup->servers)
		return;
	if (kvg_lookup_open_channel(lookup, &fresh) != ARES_SUCCESS)
		return;
	ares_destroy(lookup->channel);
	lookup->channel = fresh;
	lookup->stale = false;
}

static void ask_for(struct kvg_lookup *lookup, struct kvg_lookup_host *host, int family)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = ARES_AI_NOSORT,
	};
	struct kvg_lookup_query *query = &host->queries[family == AF_INET6];

	query->ask = malloc(sizeof(*query->ask));
	if (!query->ask) {
		query->due_us = kvg_lookup_now_us(lookup) + KVG_LOOKUP_RETRY_MIN_S * KVG_LOOKUP_S;
		return;
	}
	*query->ask = (struct kvg_lookup_ask){lookup, host, family};
	lookup->in_flight++;
	ares_getaddrinfo(lookup->channel, host->name, NULL, &hints, on_answer, query->ask);
}

static void ask_due(struct kvg_lookup *lookup)
{
	int64_t now = kvg_lookup_now_us(lookup);

	renew_channel(lookup);
	for (size_t i = 0; i < lookup->hosts.count; i++) {
		struct kvg_lookup_host *host = lookup->hosts.list[i];

		for (int j = 0; j < 2 && host->wanted; j++) {
			if (!host->queries[j].ask && host->queries[j].due_us <= now)
				ask_for(lookup, host, j ? AF_INET6 : AF_INET);
		}
	}
}

void kvg_lookup_schedule(struct kvg_lookup *lookup)
{
	int64_t next = KVG_LOOKUP_NEVER;
	struct timeval timeout;

	if (ares_timeout(lookup->channel, NULL, &timeout))
		next = kvg_lookup_now_us(lookup) + timeout.tv_sec * KVG_LOOKUP_S + timeout.tv_usec;
	for (size_t i = 0; i < lookup->hosts.count; i++) {
		int64_t due = kvg_lookup_host_next(lookup->hosts.list[i], lookup->grace_us);

		if (due < next)
			next = due;
	}
	sd_event_source_set_time(lookup->timer, next > 0 ? (uint64_t)next : 0);
	sd_event_source_set_enabled(lookup->timer,
				    next == KVG_LOOKUP_NEVER ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

/* The last thing that is done: whoever is told may close the lookup. */
static void settle(struct kvg_lookup *lookup)
{
	int64_t now = kvg_lookup_now_us(lookup);
	bool is_changed;

	for (size_t i = 0; i < lookup->hosts.count; i++) {
		if (kvg_lookup_host_expire(lookup->hosts.list[i], now, lookup->grace_us))
			lookup->is_changed = true;
		kvg_lookup_host_describe(lookup->hosts.list[i]);
	}
	is_changed = lookup->is_changed;
	lookup->is_changed = false;
	if (is_changed || (lookup->dirty && now >= lookup->saved_us + SAVE_US))
		kvg_lookup_save(lookup);
	kvg_lookup_schedule(lookup);
	if (is_changed)
		lookup->changed(lookup->data);
}

int kvg_lookup_on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kvg_lookup *lookup = userdata;

	(void)source;
	(void)usec;
	ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	ask_due(lookup);
	settle(lookup);
	return 0;
}
