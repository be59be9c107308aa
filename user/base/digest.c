// SPDX-License-Identifier: BSD-2-Clause
#include "base/digest.h"

#include <errno.h>
#include <string.h>

#include <nettle/sha2.h>

_Static_assert(KVG_DIGEST_BYTES == SHA256_DIGEST_SIZE, "the digest is SHA-256");

static const char hex_digits[] = "0123456789abcdef";

void kvg_digest(const void *data, size_t size, unsigned char ret[KVG_DIGEST_BYTES])
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, size, data);
	sha256_digest(&context, KVG_DIGEST_BYTES, ret);
}

void kvg_digest_format(const unsigned char digest[KVG_DIGEST_BYTES], char ret[KVG_DIGEST_HEX_LEN])
{
	for (size_t i = 0; i < KVG_DIGEST_BYTES; i++) {
		ret[2 * i] = hex_digits[digest[i] >> 4];
		ret[2 * i + 1] = hex_digits[digest[i] & 0xf];
	}
	ret[KVG_DIGEST_HEX_LEN - 1] = '\0';
}

int kvg_digest_parse(const char *hex, unsigned char ret[KVG_DIGEST_BYTES])
{
	unsigned char digest[KVG_DIGEST_BYTES];

	if (strlen(hex) != KVG_DIGEST_HEX_LEN - 1)
		return -EINVAL;

	for (size_t i = 0; i < KVG_DIGEST_BYTES; i++) {
		const char *high = strchr(hex_digits, hex[2 * i]);
		const char *low = strchr(hex_digits, hex[2 * i + 1]);

		if (!high || !low)
			return -EINVAL;
		digest[i] = (unsigned char)((high - hex_digits) << 4 | (low - hex_digits));
	}

	memcpy(ret, digest, sizeof(digest));
	return 0;
}
