/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an input holds: who sent what to whom, each conversation's direction once, and what could not be
 * read. Readers fill it; clients.h says whose packets are a client's, judge.h what a gate does with them.
 */
#ifndef KVG_SIMULATE_TRAFFIC_H
#define KVG_SIMULATE_TRAFFIC_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "kvg_flow.h"

/*
 * Directions of conversations of one input, of about 250 bytes each. A capture of a client has some
 * thousands; what a scan of a whole network leaves behind is cut here, and that is said.
 */
#define KVG_SEEN_MAX 1000000

#define KVG_SEEN_PROCESS_LEN 32 /* bytes, NUL included; longer names are cut */

/**
 * enum kvg_sent - what the input itself says of who sent it
 * @KVG_SENT_UNKNOWN: nothing
 * @KVG_SENT_OUT:     the machine that the input is of
 * @KVG_SENT_IN:      somebody else, to it
 */
enum kvg_sent { KVG_SENT_UNKNOWN, KVG_SENT_OUT, KVG_SENT_IN };

/* Signs of who opened a TCP connection. */
#define KVG_SIGN_OPENS   1U /* its source asks for it */
#define KVG_SIGN_ANSWERS 2U /* its source was asked */
#define KVG_SIGN_LISTENS 4U /* its source's port takes connections; there is no destination */

/**
 * struct kvg_seen_key - one direction of a conversation
 * @flow:  as the packet hook makes it; loopback only where the input says so
 * @saddr: source, network order; IPv4 as ::ffff:a.b.c.d
 * @sport: source port, network order
 * @sent:  enum kvg_sent
 * @pad:   zero, for it is compared
 */
struct kvg_seen_key {
	struct kvg_flow flow;
	__u8 saddr[16];
	__be16 sport;
	__u8 sent;
	__u8 pad[5];
};

/**
 * struct kvg_seen - what was seen of it
 * @key:     what it is
 * @signs:   KVG_SIGN_*
 * @packets: 0 if the input does not say
 * @bytes:   the same
 * @process: who, where the input says so; else empty
 */
struct kvg_seen {
	struct kvg_seen_key key;
	__u32 signs;
	__u64 packets;
	__u64 bytes;
	char process[KVG_SEEN_PROCESS_LEN];
};

/**
 * struct kvg_traffic - all of an input
 * @seen:       search tree of struct kvg_seen, traffic.c's own
 * @count:      how many
 * @listening:  ports (host order) that take connections, by bit
 * @records:    packets, lines or tuples that were understood
 * @unreadable: those that were not
 * @foreign:    frames that hold no IP, sockets that are no TCP or UDP
 * @denied:     flows that others refuse already; nothing breaks there
 * @cut:        the input ends before its end
 * @fault:      the first thing that could not be read, or where it was cut
 */
struct kvg_traffic {
	void *seen;
	size_t count;
	__u8 listening[65536 / 8];
	__u64 records;
	__u64 unreadable;
	__u64 foreign;
	__u64 denied;
	bool cut;
	struct kvg_diag fault;
};

/** kvg_traffic_done() - free what it holds; fine on a zeroed one */
void kvg_traffic_done(struct kvg_traffic *traffic);

/** kvg_traffic_add() - one more record; Return: 0, -E2BIG above KVG_SEEN_MAX, -ENOMEM */
int kvg_traffic_add(struct kvg_traffic *traffic, const struct kvg_seen *seen);

/**
 * kvg_traffic_find() - what was seen from there to there
 * @traffic: where
 * @key:     of one end
 * @back:    the other way: what its destination sent to its source, whatever the input said of who sent it
 *
 * Return: it, or NULL
 */
const struct kvg_seen *kvg_traffic_find(const struct kvg_traffic *traffic,
					const struct kvg_seen_key *key, bool back);

/** kvg_traffic_listens() - was this port (network order) seen to take connections? */
bool kvg_traffic_listens(const struct kvg_traffic *traffic, __be16 port);

/** kvg_traffic_walk() - hand out everything, in one order whatever the input's was */
void kvg_traffic_walk(const struct kvg_traffic *traffic,
		      void (*each)(void *data, const struct kvg_seen *seen), void *data);

/** kvg_traffic_unreadable() - one record could not be read: why, as printf(3); @line 0 for none */
void kvg_traffic_unreadable(struct kvg_traffic *traffic, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** kvg_traffic_cut() - the input ends here, too early: why, as printf(3) */
void kvg_traffic_cut(struct kvg_traffic *traffic, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
