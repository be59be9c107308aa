// SPDX-License-Identifier: BSD-2-Clause
#include "policy/address.h"

#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"

/* The first row that holds the address counts. */
static const struct {
	struct kvg_prefix prefix;
	enum kvg_address_kind kind;
} kinds[] = {
	{{AF_INET, 8, {127}}, KVG_ADDRESS_LOOPBACK},
	{{AF_INET, 8, {0}}, KVG_ADDRESS_UNSPECIFIED},
	{{AF_INET, 8, {10}}, KVG_ADDRESS_PRIVATE},
	{{AF_INET, 12, {172, 16}}, KVG_ADDRESS_PRIVATE},
	{{AF_INET, 16, {192, 168}}, KVG_ADDRESS_PRIVATE},
	{{AF_INET, 10, {100, 64}}, KVG_ADDRESS_PRIVATE}, /* carrier-grade NAT */
	{{AF_INET, 16, {169, 254}}, KVG_ADDRESS_LINK_LOCAL},
	{{AF_INET, 24, {192, 0, 0}}, KVG_ADDRESS_RESERVED},
	{{AF_INET, 15, {198, 18}}, KVG_ADDRESS_RESERVED}, /* benchmarks */
	/* Azure's own on every machine: its port 80 and 32526 hand out credentials. */
	{{AF_INET, 32, {168, 63, 129, 16}}, KVG_ADDRESS_PLATFORM},
	{{AF_INET, 4, {224}}, KVG_ADDRESS_MULTICAST},
	{{AF_INET, 4, {240}}, KVG_ADDRESS_RESERVED}, /* and the broadcast address */
	{{AF_INET6, 128, {[15] = 1}}, KVG_ADDRESS_LOOPBACK},
	{{AF_INET6, 128, {0}}, KVG_ADDRESS_UNSPECIFIED},
	{{AF_INET6, 96, {[10] = 0xff, [11] = 0xff}}, KVG_ADDRESS_MAPPED},
	{{AF_INET6, 96, {0}}, KVG_ADDRESS_MAPPED}, /* "IPv4-compatible", obsolete */
	{{AF_INET6, 96, {0, 0x64, 0xff, 0x9b}}, KVG_ADDRESS_MAPPED}, /* NAT64 */
	{{AF_INET6, 48, {0, 0x64, 0xff, 0x9b, 0, 1}}, KVG_ADDRESS_MAPPED},
	{{AF_INET6, 16, {0x20, 0x02}}, KVG_ADDRESS_MAPPED}, /* 6to4 */
	{{AF_INET6, 7, {0xfc}}, KVG_ADDRESS_PRIVATE},
	{{AF_INET6, 10, {0xfe, 0x80}}, KVG_ADDRESS_LINK_LOCAL},
	{{AF_INET6, 10, {0xfe, 0xc0}}, KVG_ADDRESS_PRIVATE}, /* site-local, obsolete */
	{{AF_INET6, 8, {0xff}}, KVG_ADDRESS_MULTICAST},
};

static const char *const words[] = {
#define X(name, word) [KVG_ADDRESS_##name] = word,
	KVG_ADDRESS_KINDS(X)
#undef X
};

enum kvg_address_kind kvg_address_classify(const struct kvg_prefix *address)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(kinds); i++) {
		if (kvg_prefix_holds(&kinds[i].prefix, address))
			return kinds[i].kind;
	}
	return KVG_ADDRESS_GLOBAL;
}

const char *kvg_address_format(const struct kvg_prefix *address, char ret[KVG_PREFIX_STRLEN])
{
	kvg_prefix_format(address, ret);
	ret[strcspn(ret, "/")] = '\0';
	return ret;
}

const char *kvg_address_kind_word(enum kvg_address_kind kind)
{
	return (unsigned int)kind < KVG_ADDRESS_COUNT ? words[kind] : "unknown";
}

unsigned int kvg_address_common_bits(const struct kvg_prefix *a, const struct kvg_prefix *b)
{
	unsigned int limit = a->bits < b->bits ? a->bits : b->bits;
	unsigned int bits = 0;

	while (bits + 8 <= limit && a->addr[bits / 8] == b->addr[bits / 8])
		bits += 8;
	while (bits < limit && kvg_address_bit(a, bits) == kvg_address_bit(b, bits))
		bits++;
	return bits;
}

struct kvg_prefix kvg_address_truncate(const struct kvg_prefix *prefix, unsigned int bits)
{
	struct kvg_prefix cut = {.family = prefix->family, .bits = (__u8)bits};

	memcpy(cut.addr, prefix->addr, (bits + 7) / 8);
	if (bits % 8)
		cut.addr[bits / 8] &= (__u8)(0xff00U >> bits % 8);
	return cut;
}
