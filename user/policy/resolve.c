// SPDX-License-Identifier: BSD-2-Clause
#include "policy/resolve.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/address.h"
#include "policy/hosts.h"

static void free_addresses(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
}

static struct kvg_prefix to_prefix(const struct sockaddr *address)
{
	struct kvg_prefix prefix = {.family = (__u8)address->sa_family};

	if (address->sa_family == AF_INET) {
		prefix.bits = 32;
		memcpy(prefix.addr, &((const struct sockaddr_in *)address)->sin_addr, 4);
	} else {
		prefix.bits = 128;
		memcpy(prefix.addr, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
	}
	return prefix;
}

static void free_interfaces(struct ifaddrs **list)
{
	if (*list)
		freeifaddrs(*list);
}

/* One of this machine's? For a container that is another machine, and what it serves there is its own. */
static bool is_own(const struct kvg_prefix *address)
{
	KVG_CLEANUP(free_interfaces) struct ifaddrs *list = NULL;

	/* A machine that cannot tell its addresses is told apart from others by nothing. */
	if (getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		struct kvg_prefix own;

		if (!i->ifa_addr || i->ifa_addr->sa_family != address->family)
			continue;
		own = to_prefix(i->ifa_addr);
		if (kvg_prefix_compare(&own, address) == 0)
			return true;
	}
	return false;
}

int kvg_resolve_add_answer(struct kvg_profile *profile, const struct kvg_policy_host *host,
			   const struct kvg_prefix *address, struct kvg_notes *notes)
{
	enum kvg_address_kind kind = kvg_address_classify(address);
	bool allowed = kind == KVG_ADDRESS_GLOBAL ||
		       (kind == KVG_ADDRESS_PRIVATE && profile->private_names);
	char text[KVG_PREFIX_STRLEN];

	if (!allowed)
		return kvg_notes_add(notes,
				     "'%s' resolves to %s, a %s address, which a name server "
				     "cannot open: give it by --allow if it is right",
				     host->name, kvg_address_format(address, text),
				     kvg_address_kind_word(kind));
	if (is_own(address))
		return kvg_notes_add(notes,
				     "'%s' resolves to %s, an address of this machine, which a "
				     "name server cannot open: give it by --allow if it is right",
				     host->name, kvg_address_format(address, text));
	return kvg_profile_add_resolved(profile, host->name, address, &host->service);
}

static int resolve(struct kvg_profile *profile, const struct kvg_policy_host *host,
		   struct kvg_notes *notes)
{
	static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	KVG_CLEANUP(free_addresses) struct addrinfo *list = NULL;
	int r;

	r = getaddrinfo(host->name, NULL, &hints, &list);
	if (r == EAI_MEMORY)
		return -ENOMEM;
	if (r != 0)
		return kvg_notes_add(notes, "'%s' cannot be resolved (%s): nothing allows it",
				     host->name,
				     r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));

	for (const struct addrinfo *i = list; i; i = i->ai_next) {
		struct kvg_prefix address;

		if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
			continue;
		address = to_prefix(i->ai_addr);
		r = kvg_resolve_add_answer(profile, host, &address, notes);
		if (r < 0)
			return r;
	}
	return 0;
}

int kvg_resolve_hosts(struct kvg_profile *profile, struct kvg_notes *notes)
{
	KVG_CLEANUP(kvg_freep) struct kvg_policy_host *hosts = NULL;
	size_t count;
	int r;

	r = kvg_hosts_list(profile, &hosts, &count);
	for (size_t i = 0; i < count && r == 0; i++) {
		if (!hosts[i].ranged)
			r = resolve(profile, &hosts[i], notes);
	}
	return r;
}
