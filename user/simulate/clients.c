// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where the input does not say who sent what, the client is guessed, for each family by its own:
 *
 *	- the one address that takes part in every TCP connection: a capture on the client itself;
 *	- of two that do, the one that opens connections, or else whose ports are higher;
 *	- if there is none, everybody who opens connections: a capture on a router;
 *	- without TCP the same by UDP, of which only ports tell who asks.
 */
#include "simulate/clients.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"

const char *kvg_clients_how_words(enum kvg_clients_how how)
{
	static const char *const words[] = {
#define X(name, words) words,
		KVG_CLIENTS_HOWS(X)
#undef X
	};

	return how < KVG_ARRAY_SIZE(words) ? words[how] : "unknown";
}

static struct kvg_prefix to_prefix(__u8 family, const __u8 address[16])
{
	bool ipv4 = family == AF_INET;
	struct kvg_prefix ret = {.family = family, .bits = ipv4 ? 32 : 128};

	memcpy(ret.addr, address + (ipv4 ? 12 : 0), ipv4 ? 4 : 16);
	return ret;
}

int kvg_clients_add(struct kvg_clients *clients, const char *text, struct kvg_diag *reterr_diag)
{
	struct kvg_prefix prefix;
	int r;

	if (clients->count == KVG_CLIENTS_MAX)
		return kvg_diag_set(reterr_diag, -E2BIG, "more than %d clients: name a prefix",
				    KVG_CLIENTS_MAX);
	r = strchr(text, '/') ? kvg_prefix_parse(text, &prefix, reterr_diag)
			      : kvg_prefix_parse_address(text, &prefix, reterr_diag);
	if (r < 0)
		return r;
	clients->items[clients->count++] = prefix;
	return 0;
}

static bool holds(const struct kvg_clients *clients, const struct kvg_prefix *address)
{
	for (size_t i = 0; i < clients->count; i++) {
		if (kvg_prefix_holds(&clients->items[i], address))
			return true;
	}
	return false;
}

/* struct guess - of one family and protocol, while the traffic is walked through */
struct guess {
	struct kvg_clients *clients;
	__u8 family;
	__u16 protocol;
	bool begun;
	__u8 ends[2][16]; /* those that took part in everything so far */
	bool present[2];  /* ... and still do */
	size_t opens[2];  /* how often each opened one */
	size_t higher[2]; /* ... or sent from the higher port */
	bool too_many;
};

static bool concerns(const struct guess *guess, const struct kvg_seen *seen)
{
	const struct kvg_flow *flow = &seen->key.flow;
	bool multicast = flow->family == AF_INET ? flow->daddr[12] >= 224 : flow->daddr[0] == 0xff;

	return flow->family == guess->family && flow->protocol == guess->protocol && !flow->fault &&
	       !flow->loopback && !multicast;
}

static void look_for_presence(void *data, const struct kvg_seen *seen)
{
	const __u8 *from = seen->key.saddr;
	const __u8 *to = seen->key.flow.daddr;
	struct guess *guess = data;

	if (!concerns(guess, seen))
		return;
	if (!guess->begun) {
		memcpy(guess->ends[0], from, 16);
		memcpy(guess->ends[1], to, 16);
		guess->present[0] = guess->present[1] = guess->begun = true;
	}
	for (int i = 0; i < 2; i++) {
		bool sends = memcmp(guess->ends[i], from, 16) == 0;
		bool opens = sends ? seen->signs & KVG_SIGN_OPENS : seen->signs & KVG_SIGN_ANSWERS;
		bool higher = ntohs(seen->key.sport) > ntohs(seen->key.flow.dport);

		guess->present[i] &= sends || memcmp(guess->ends[i], to, 16) == 0;
		guess->opens[i] += opens;
		guess->higher[i] += sends == higher && seen->key.sport != seen->key.flow.dport;
	}
}

static void add_guessed(struct guess *guess, const __u8 address[16], enum kvg_clients_how how)
{
	struct kvg_clients *clients = guess->clients;
	struct kvg_prefix prefix = to_prefix(guess->family, address);

	if (holds(clients, &prefix))
		return;
	if (clients->count == KVG_CLIENTS_MAX) {
		guess->too_many = true;
		return;
	}
	clients->items[clients->count++] = prefix;
	clients->how = how;
}

static void look_for_openers(void *data, const struct kvg_seen *seen)
{
	struct guess *guess = data;

	if (concerns(guess, seen) && seen->signs & KVG_SIGN_OPENS)
		add_guessed(guess, seen->key.saddr, KVG_CLIENTS_OPENS);
}

static void choose(struct guess *guess, const struct kvg_traffic *traffic)
{
	const size_t *opens = guess->opens;
	const size_t *higher = guess->higher;

	if (!guess->present[0] && !guess->present[1])
		kvg_traffic_walk(traffic, look_for_openers, guess);
	else if (guess->present[0] != guess->present[1])
		add_guessed(guess, guess->ends[guess->present[1]], KVG_CLIENTS_PRESENT);
	else if (!opens[0] != !opens[1])
		add_guessed(guess, guess->ends[!opens[0]], KVG_CLIENTS_OPENS);
	else if (!opens[0] && higher[0] != higher[1])
		add_guessed(guess, guess->ends[higher[1] > higher[0]], KVG_CLIENTS_PORTS);
}

static bool is_forwarded(const struct kvg_traffic *traffic, const struct kvg_seen_key *key)
{
	struct kvg_seen_key in = *key;

	in.sent = KVG_SENT_IN;
	return !key->flow.loopback && kvg_traffic_find(traffic, &in, false);
}

/* By the machine that the input is of, and not only passed on. */
static bool is_own(const struct kvg_traffic *traffic, const struct kvg_seen_key *key)
{
	return key->sent == KVG_SENT_OUT && !is_forwarded(traffic, key);
}

struct own {
	const struct kvg_traffic *traffic;
	bool found;
};

static void look_for_own(void *data, const struct kvg_seen *seen)
{
	struct own *own = data;

	own->found |= is_own(own->traffic, &seen->key);
}

int kvg_clients_guess(const struct kvg_traffic *traffic, struct kvg_clients *ret,
		      struct kvg_diag *reterr_diag)
{
	static const __u8 families[] = {AF_INET, AF_INET6};
	struct own own = {.traffic = traffic};
	bool too_many = false;

	*ret = (struct kvg_clients){.how = KVG_CLIENTS_SENT};
	kvg_traffic_walk(traffic, look_for_own, &own);
	if (own.found)
		return 0;

	for (size_t i = 0; i < KVG_ARRAY_SIZE(families); i++) {
		struct guess guess = {
			.clients = ret, .family = families[i], .protocol = IPPROTO_TCP};

		kvg_traffic_walk(traffic, look_for_presence, &guess);
		if (!guess.begun) {
			guess.protocol = IPPROTO_UDP;
			kvg_traffic_walk(traffic, look_for_presence, &guess);
		}
		if (guess.begun)
			choose(&guess, traffic);
		too_many |= guess.too_many;
	}
	if (too_many)
		return kvg_diag_set(reterr_diag, -ENODATA,
				    "more than %d addresses open connections: say with --client "
				    "which of them is to be behind the gate",
				    KVG_CLIENTS_MAX);
	if (!ret->count)
		return kvg_diag_set(reterr_diag, -ENODATA,
				    "it cannot be told who the client is: name it with --client");
	return 0;
}

/* On its way through several interfaces one packet is captured more than once. */
static bool is_repeated(const struct kvg_traffic *traffic, const struct kvg_seen_key *key)
{
	struct kvg_seen_key other = *key;

	for (other.sent = 0; other.sent < key->sent; other.sent++) {
		if (kvg_traffic_find(traffic, &other, false))
			return true;
	}
	return false;
}

bool kvg_clients_sent(const struct kvg_clients *clients, const struct kvg_traffic *traffic,
		      const struct kvg_seen *seen)
{
	struct kvg_prefix source = to_prefix(seen->key.flow.family, seen->key.saddr);

	if (clients->how == KVG_CLIENTS_SENT)
		return is_own(traffic, &seen->key);
	return seen->key.flow.family && holds(clients, &source) &&
	       !is_repeated(traffic, &seen->key);
}
