/* SPDX-License-Identifier: BSD-2-Clause */
/* An IP prefix in canonical form (no host bits), its order and its text. */
#ifndef KVG_RANGES_PREFIX_H
#define KVG_RANGES_PREFIX_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

#define KVG_PREFIX_STRLEN 50 /* longest IPv6 text, "/128" and NUL */

/**
 * struct kvg_prefix - an IPv4 or IPv6 prefix
 * @family: AF_INET or AF_INET6
 * @bits:   prefix length, 0..32 or 0..128
 * @addr:   network order; IPv4 in the first four bytes, the rest zero
 */
struct kvg_prefix {
	__u8 family;
	__u8 bits;
	__u8 addr[16];
};

/**
 * kvg_prefix_parse() - read "192.0.2.0/24" or "2001:db8::/32"
 * @text:        NUL-terminated; no white space, the "/" is required, no leading zeros in IPv4 numbers
 *               and in the length
 * @ret:         the prefix; untouched on failure
 * @reterr_diag: why not, naming @text
 *
 * Refused: host bits, IPv4-mapped IPv6 (::ffff:0:0/96 and what lies in or over it), zone ids.
 *
 * Return: 0, or -EINVAL
 */
int kvg_prefix_parse(const char *text, struct kvg_prefix *ret, struct kvg_diag *reterr_diag);

/** kvg_prefix_parse_bytes() - as kvg_prefix_parse(), of @size bytes and without a word; 0 or -EINVAL */
int kvg_prefix_parse_bytes(const char *text, size_t size, struct kvg_prefix *ret);

/** kvg_prefix_parse_address() - read an address, not IPv4-mapped, as /32 or /128; 0 or -EINVAL */
int kvg_prefix_parse_address(const char *text, struct kvg_prefix *ret,
			     struct kvg_diag *reterr_diag);

/** kvg_prefix_format() - canonical text (RFC 5952 for IPv6) into @ret, which is also returned */
const char *kvg_prefix_format(const struct kvg_prefix *prefix, char ret[KVG_PREFIX_STRLEN]);

/** kvg_prefix_compare() - IPv4 first, then by address, then the shorter first; <0, 0 or >0 */
int kvg_prefix_compare(const struct kvg_prefix *a, const struct kvg_prefix *b);

/** kvg_prefix_holds() - does @outer hold all of @inner (equal ones too)? */
bool kvg_prefix_holds(const struct kvg_prefix *outer, const struct kvg_prefix *inner);

/** kvg_prefix_parent() - the prefix one bit shorter that holds @prefix; @prefix->bits must not be 0 */
struct kvg_prefix kvg_prefix_parent(const struct kvg_prefix *prefix);

/** kvg_prefix_is_publishable() - as wide as a published document may say: IPv4 /8.., IPv6 /16.. */
bool kvg_prefix_is_publishable(const struct kvg_prefix *prefix);

#endif
