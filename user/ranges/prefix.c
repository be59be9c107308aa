// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * The widest that a document may publish. In seven years none was wider than IPv4 /13 or IPv6 /35;
 * these bounds leave room for growth, and keep a forged "0.0.0.0/1" from opening the gate.
 */
#define PUBLISHABLE_BITS_MIN_IPV4 8
#define PUBLISHABLE_BITS_MIN_IPV6 16

/* A socket that connects to such an address sends IPv4: a rule on it would never be asked. */
static const struct kvg_prefix ipv4_mapped = {
	.family = AF_INET6,
	.bits = 96,
	.addr = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
};

static bool has_host_bits(const struct kvg_prefix *prefix)
{
	size_t size = prefix->family == AF_INET ? 4 : 16;
	size_t i = prefix->bits / 8;

	if (prefix->bits % 8 && prefix->addr[i++] & (0xff >> prefix->bits % 8))
		return true;

	for (; i < size; i++) {
		if (prefix->addr[i])
			return true;
	}
	return false;
}

static bool touches_ipv4_mapped(const struct kvg_prefix *prefix)
{
	return kvg_prefix_holds(&ipv4_mapped, prefix) || kvg_prefix_holds(prefix, &ipv4_mapped);
}

/* "192.0.2.0"; inet_pton(3) takes three times as long, and a document has 70,000 of them. */
static bool read_ipv4(const char *text, size_t size, __u8 ret[4])
{
	size_t i = 0;

	for (int byte = 0; byte < 4; byte++) {
		unsigned int value = 0;
		size_t begin;

		if (byte > 0 && (i == size || text[i++] != '.'))
			return false;

		begin = i;
		while (i < size && text[i] >= '0' && text[i] <= '9' && value < 256)
			value = 10 * value + (unsigned int)(text[i++] - '0');

		if (i == begin || value > 255 || (text[begin] == '0' && i > begin + 1))
			return false;
		ret[byte] = (__u8)value;
	}
	return i == size;
}

static bool read_ipv6(const char *text, size_t size, __u8 ret[16])
{
	char copy[INET6_ADDRSTRLEN];

	if (size >= sizeof(copy) || memchr(text, '\0', size))
		return false;

	memcpy(copy, text, size);
	copy[size] = '\0';
	return inet_pton(AF_INET6, copy, ret) == 1;
}

/* NULL, or what is wrong, to complete a sentence that begins with the text. */
static const char *read_address(const char *text, size_t size, struct kvg_prefix *ret)
{
	*ret = (struct kvg_prefix){.family = AF_INET, .bits = 32};
	if (read_ipv4(text, size, ret->addr))
		return NULL;

	*ret = (struct kvg_prefix){.family = AF_INET6, .bits = 128};
	if (read_ipv6(text, size, ret->addr))
		return NULL;

	return "is not an IP address";
}

/* @ret holds the whole address, with all of its bits. */
static const char *read_bits(const char *text, size_t size, struct kvg_prefix *ret)
{
	unsigned int bits = 0;

	if (size < 1 || size > 3 || (size > 1 && text[0] == '0'))
		return "has no proper prefix length";

	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return "has no proper prefix length";
		bits = 10 * bits + (unsigned int)(text[i] - '0');
	}

	if (bits > ret->bits)
		return "has a prefix length that is too large";

	ret->bits = (__u8)bits;
	return NULL;
}

static const char *read_prefix(const char *text, size_t size, struct kvg_prefix *ret)
{
	const char *slash = memchr(text, '/', size);
	const char *fault;

	if (!slash)
		return "has no \"/\" and prefix length";

	fault = read_address(text, (size_t)(slash - text), ret);
	if (fault)
		return fault;

	fault = read_bits(slash + 1, (size_t)(text + size - slash - 1), ret);
	if (fault)
		return fault;

	if (has_host_bits(ret))
		return "has host bits";
	if (touches_ipv4_mapped(ret))
		return "takes in IPv4-mapped addresses";
	return NULL;
}

int kvg_prefix_parse(const char *text, struct kvg_prefix *ret, struct kvg_diag *reterr_diag)
{
	struct kvg_prefix prefix;
	const char *fault;

	fault = read_prefix(text, strlen(text), &prefix);
	if (fault)
		return kvg_diag_set(reterr_diag, -EINVAL, "\"%s\" %s", text, fault);

	*ret = prefix;
	return 0;
}

int kvg_prefix_parse_bytes(const char *text, size_t size, struct kvg_prefix *ret)
{
	struct kvg_prefix prefix;

	if (read_prefix(text, size, &prefix))
		return -EINVAL;

	*ret = prefix;
	return 0;
}

int kvg_prefix_parse_address(const char *text, struct kvg_prefix *ret, struct kvg_diag *reterr_diag)
{
	struct kvg_prefix prefix;
	const char *fault;

	fault = read_address(text, strlen(text), &prefix);
	if (!fault && touches_ipv4_mapped(&prefix))
		fault = "is an IPv4-mapped address";
	if (fault)
		return kvg_diag_set(reterr_diag, -EINVAL, "\"%s\" %s", text, fault);

	*ret = prefix;
	return 0;
}

const char *kvg_prefix_format(const struct kvg_prefix *prefix, char ret[KVG_PREFIX_STRLEN])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(prefix->family, prefix->addr, address, sizeof(address));
	snprintf(ret, KVG_PREFIX_STRLEN, "%s/%u", address, prefix->bits);
	return ret;
}

int kvg_prefix_compare(const struct kvg_prefix *a, const struct kvg_prefix *b)
{
	int order;

	if (a->family != b->family)
		return a->family == AF_INET ? -1 : 1;

	order = memcmp(a->addr, b->addr, sizeof(a->addr));
	if (order)
		return order;

	return (int)a->bits - (int)b->bits;
}

bool kvg_prefix_holds(const struct kvg_prefix *outer, const struct kvg_prefix *inner)
{
	size_t whole = outer->bits / 8;
	__u8 rest = (__u8) ~(0xff >> outer->bits % 8);

	if (outer->family != inner->family || outer->bits > inner->bits)
		return false;
	if (memcmp(outer->addr, inner->addr, whole) != 0)
		return false;

	return !rest || !((outer->addr[whole] ^ inner->addr[whole]) & rest);
}

struct kvg_prefix kvg_prefix_parent(const struct kvg_prefix *prefix)
{
	struct kvg_prefix parent = *prefix;

	parent.bits--;
	parent.addr[parent.bits / 8] &= (__u8) ~(0x80 >> parent.bits % 8);
	return parent;
}

bool kvg_prefix_is_publishable(const struct kvg_prefix *prefix)
{
	if (prefix->family == AF_INET)
		return prefix->bits >= PUBLISHABLE_BITS_MIN_IPV4;
	return prefix->bits >= PUBLISHABLE_BITS_MIN_IPV6;
}
