/* SPDX-License-Identifier: BSD-2-Clause */
/* What an address is by its number alone (IANA's special-purpose registries). */
#ifndef KVG_POLICY_ADDRESS_H
#define KVG_POLICY_ADDRESS_H

#include <stdbool.h>

#include "ranges/prefix.h"

/* X(enumerator, word) */
#define KVG_ADDRESS_KINDS(X)          \
	X(GLOBAL, "global")           \
	X(UNSPECIFIED, "unspecified") \
	X(LOOPBACK, "loopback")       \
	X(LINK_LOCAL, "link-local")   \
	X(PRIVATE, "private")         \
	X(MAPPED, "IPv4 inside IPv6") \
	X(MULTICAST, "multicast")     \
	X(PLATFORM, "cloud platform") \
	X(RESERVED, "reserved")

enum kvg_address_kind {
#define X(name, word) KVG_ADDRESS_##name,
	KVG_ADDRESS_KINDS(X)
#undef X
		KVG_ADDRESS_COUNT
};

/** kvg_address_classify() - what @address (a /32 or /128) is */
enum kvg_address_kind kvg_address_classify(const struct kvg_prefix *address);

/** kvg_address_format() - @address without its length into @ret, which is also returned */
const char *kvg_address_format(const struct kvg_prefix *address, char ret[KVG_PREFIX_STRLEN]);

/** kvg_address_kind_word() - for messages */
const char *kvg_address_kind_word(enum kvg_address_kind kind);

/** kvg_address_bit() - the bit at @position, 0 is the first on the wire */
static inline unsigned int kvg_address_bit(const struct kvg_prefix *prefix, unsigned int position)
{
	return prefix->addr[position / 8] >> (7 - position % 8) & 1;
}

/** kvg_address_common_bits() - how many leading bits two prefixes of one family share, at most the shorter */
unsigned int kvg_address_common_bits(const struct kvg_prefix *a, const struct kvg_prefix *b);

/** kvg_address_truncate() - the first @bits of @prefix; not more than it has */
struct kvg_prefix kvg_address_truncate(const struct kvg_prefix *prefix, unsigned int bits);

#endif
