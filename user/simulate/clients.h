/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose packets of an input a gate would see. */
#ifndef KVG_SIMULATE_CLIENTS_H
#define KVG_SIMULATE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "ranges/prefix.h"
#include "simulate/traffic.h"

#define KVG_CLIENTS_MAX 64 /* more than people name, or believe when they are guessed */

/* X(enumerator, how it is known, in words) */
#define KVG_CLIENTS_HOWS(X)                                      \
	X(NAMED, "named")                                        \
	X(SENT, "the input says what was sent")                  \
	X(PRESENT, "guessed: it takes part in every connection") \
	X(OPENS, "guessed: it opens connections")                \
	X(PORTS, "guessed by its ports")

enum kvg_clients_how {
#define X(name, words) KVG_CLIENTS_##name,
	KVG_CLIENTS_HOWS(X)
#undef X
		KVG_CLIENTS_HOW_COUNT
};

/**
 * struct kvg_clients - the clients
 * @how:   of the last of them
 * @items: named: prefixes; guessed: addresses; none if the input says what was sent
 * @count: how many
 */
struct kvg_clients {
	enum kvg_clients_how how;
	struct kvg_prefix items[KVG_CLIENTS_MAX];
	size_t count;
};

/** kvg_clients_how_words() - for messages */
const char *kvg_clients_how_words(enum kvg_clients_how how);

/** kvg_clients_add() - one that somebody names, ADDR or PREFIX; Return: 0, -EINVAL, -E2BIG */
int kvg_clients_add(struct kvg_clients *clients, const char *text, struct kvg_diag *reterr_diag);

/**
 * kvg_clients_guess() - who is it?
 * @traffic:     the input
 * @ret:         the answer
 * @reterr_diag: why it cannot be told
 *
 * Return: 0, or -ENODATA
 */
int kvg_clients_guess(const struct kvg_traffic *traffic, struct kvg_clients *ret,
		      struct kvg_diag *reterr_diag);

/** kvg_clients_sent() - would a gate on the clients have seen it, and is it the first that says so? */
bool kvg_clients_sent(const struct kvg_clients *clients, const struct kvg_traffic *traffic,
		      const struct kvg_seen *seen);

#endif
