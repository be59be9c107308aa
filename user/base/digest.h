/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256, by nettle. */
#ifndef KVG_BASE_DIGEST_H
#define KVG_BASE_DIGEST_H

#include <stddef.h>

#define KVG_DIGEST_BYTES   32
#define KVG_DIGEST_HEX_LEN (2 * KVG_DIGEST_BYTES + 1) /* NUL included */

/** kvg_digest() - SHA-256 of @size bytes at @data into @ret */
void kvg_digest(const void *data, size_t size, unsigned char ret[KVG_DIGEST_BYTES]);

/** kvg_digest_format() - @digest in lower-case hex into @ret */
void kvg_digest_format(const unsigned char digest[KVG_DIGEST_BYTES], char ret[KVG_DIGEST_HEX_LEN]);

/** kvg_digest_parse() - 64 hex digits, lower case, into @ret; Return: 0, or -EINVAL */
int kvg_digest_parse(const char *hex, unsigned char ret[KVG_DIGEST_BYTES]);

#endif
