/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the lookup share: lookup_ask.c asks, lookup_hosts.c knows hosts and their addresses,
 * lookup_file.c remembers them. Times are of CLOCK_BOOTTIME; the wall clock is only in the file.
 */
#ifndef KVG_AGENT_LOOKUP_STATE_H
#define KVG_AGENT_LOOKUP_STATE_H

#include <ares.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "agent/lookup.h"
#include "ranges/prefix.h"

#define KVG_LOOKUP_ADDRESSES_MAX 64 /* of one host */
#define KVG_LOOKUP_TTL_MIN_S     30
#define KVG_LOOKUP_TTL_MAX_S     3600
#define KVG_LOOKUP_RETRY_MIN_S   30
#define KVG_LOOKUP_RETRY_MAX_S   600
#define KVG_LOOKUP_S             INT64_C(1000000) /* microseconds */
#define KVG_LOOKUP_NEVER         INT64_MAX

/**
 * struct kvg_lookup_address - of a host
 * @prefix:  /32 or /128
 * @seen_us: when an answer had it last; below zero if that was before the machine started
 * @ttl_s:   seconds that this answer was good for
 * @left:    the newest answer does not have it
 */
struct kvg_lookup_address {
	struct kvg_prefix prefix;
	int64_t seen_us;
	unsigned int ttl_s;
	bool left;
};

/**
 * struct kvg_lookup_query - one kind of address of a host
 * @ask:      on its way; NULL if none is
 * @due_us:   when to ask next
 * @failures: in a row; answers without an address count, too
 * @status:   of c-ares, of the last answer
 * @over:     the last answer had more addresses than are kept
 */
struct kvg_lookup_query {
	struct kvg_lookup_ask *ask;
	int64_t due_us;
	unsigned int failures;
	int status;
	bool over;
};

/**
 * struct kvg_lookup_host - a name, and what is known of it
 * @wanted:  by a profile; it is not asked for otherwise
 * @queries: of IPv4, of IPv6
 * @problem: a sentence; empty if all is well
 */
struct kvg_lookup_host {
	char *name;
	bool wanted;
	struct kvg_lookup_address addresses[KVG_LOOKUP_ADDRESSES_MAX];
	size_t addresses_count;
	struct kvg_lookup_query queries[2];
	char problem[512];
};

/** struct kvg_lookup_ask - one that c-ares holds; @host is NULL if it was forgotten meanwhile */
struct kvg_lookup_ask {
	struct kvg_lookup *lookup;
	struct kvg_lookup_host *host;
	int family;
};

/** struct kvg_lookup_hosts - each a piece of memory of its own: asks point to them */
struct kvg_lookup_hosts {
	struct kvg_lookup_host **list;
	size_t count;
};

/** struct kvg_lookup_answer - the addresses of one family, at most KVG_LOOKUP_ADDRESSES_MAX */
struct kvg_lookup_answer {
	int family;
	struct kvg_prefix addresses[KVG_LOOKUP_ADDRESSES_MAX];
	size_t count;
	bool over;
	unsigned int ttl_s;
};

/** struct kvg_lookup_socket - one of c-ares, in the loop */
struct kvg_lookup_socket {
	ares_socket_t fd;
	sd_event_source *source;
};

/**
 * struct kvg_lookup - all of it
 * @path:         of names.json
 * @servers:      NULL for those of resolv.conf
 * @in_flight:    asks that c-ares holds
 * @stale:        an ask failed: resolv.conf is read again before the next one
 * @dirty:        not all is in names.json
 * @is_changed:   the addresses of a host are not what @changed told of
 * @saved_us:     when names.json was written last
 * @read_problem: why names.json counted as empty; empty if it did not
 * @save_problem: why it could not be written; empty if it could
 */
struct kvg_lookup {
	sd_event *event;
	sd_event_source *timer;
	ares_channel channel;
	bool library;
	struct kvg_lookup_socket *sockets;
	size_t sockets_count;
	char *path;
	char *servers;
	int64_t grace_us;
	struct kvg_lookup_hosts hosts;
	size_t in_flight;
	bool stale;
	bool dirty;
	bool is_changed;
	int64_t saved_us;
	void (*changed)(void *data);
	void *data;
	char read_problem[512];
	char save_problem[512];
};

/** kvg_lookup_hosts_find() - the host of this name, or NULL */
struct kvg_lookup_host *kvg_lookup_hosts_find(const struct kvg_lookup_hosts *hosts,
					      const char *name);

/** kvg_lookup_hosts_add() - find it or make it, due at once; NULL if there is no memory */
struct kvg_lookup_host *kvg_lookup_hosts_add(struct kvg_lookup_hosts *hosts, const char *name);

/** kvg_lookup_hosts_forget_unwanted() - asks of them find no host any more; how many there were */
size_t kvg_lookup_hosts_forget_unwanted(struct kvg_lookup_hosts *hosts);

/** kvg_lookup_hosts_done() - free what it holds */
void kvg_lookup_hosts_done(struct kvg_lookup_hosts *hosts);

/** kvg_lookup_host_take() - an answer came; Return: has the host addresses that it had not? */
bool kvg_lookup_host_take(struct kvg_lookup_host *host, const struct kvg_lookup_answer *answer,
			  int64_t now_us);

/** kvg_lookup_host_expire() - drop those that left and whose grace is over; Return: were there any? */
bool kvg_lookup_host_expire(struct kvg_lookup_host *host, int64_t now_us, int64_t grace_us);

/** kvg_lookup_host_next() - when to ask, or to drop an address, next; KVG_LOOKUP_NEVER if never */
int64_t kvg_lookup_host_next(const struct kvg_lookup_host *host, int64_t grace_us);

/** kvg_lookup_host_describe() - write @host->problem anew */
void kvg_lookup_host_describe(struct kvg_lookup_host *host);

/** kvg_lookup_delay_s() - seconds until it is asked again; @ttl_s is of no matter after @failures */
unsigned int kvg_lookup_delay_s(unsigned int ttl_s, unsigned int failures);

/** kvg_lookup_open_channel() - to the name servers; Return: a status of c-ares */
int kvg_lookup_open_channel(struct kvg_lookup *lookup, ares_channel *ret);

/** kvg_lookup_on_timer() - something is due: for sd_event_add_time() */
int kvg_lookup_on_timer(sd_event_source *source, uint64_t usec, void *userdata);

/** kvg_lookup_schedule() - set the timer to what is due first */
void kvg_lookup_schedule(struct kvg_lookup *lookup);

/** kvg_lookup_now_us() - of the loop */
int64_t kvg_lookup_now_us(const struct kvg_lookup *lookup);

/** kvg_lookup_read() - names.json into @lookup->hosts; a broken one is a problem; 0, or -ENOMEM */
int kvg_lookup_read(struct kvg_lookup *lookup);

/** kvg_lookup_save() - write names.json; what goes wrong is a problem, and tried again later */
void kvg_lookup_save(struct kvg_lookup *lookup);

#endif
