// SPDX-License-Identifier: BSD-2-Clause
#include "simulate/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "simulate/packet.h"

bool kvg_word_is(const struct kvg_word *word, const char *text)
{
	return word->size == strlen(text) && memcmp(word->at, text, word->size) == 0;
}

bool kvg_text_line(struct kvg_word *rest, struct kvg_word *ret, bool *ret_ended)
{
	const char *end;

	if (!rest->size)
		return false;
	end = memchr(rest->at, '\n', rest->size);
	*ret_ended = end != NULL;
	*ret = (struct kvg_word){rest->at, end ? (size_t)(end - rest->at) : rest->size};
	rest->at += ret->size + (end ? 1 : 0);
	rest->size -= ret->size + (end ? 1 : 0);
	if (ret->size && ret->at[ret->size - 1] == '\r')
		ret->size--;
	return true;
}

static bool separates(char c, char separator)
{
	return separator == ' ' ? c == ' ' || c == '\t' : c == separator;
}

size_t kvg_text_split(const struct kvg_word *line, char separator, struct kvg_word *ret, size_t max)
{
	const char *end = line->at + line->size;
	const char *at = line->at;
	size_t count = 0;

	while (count < max) {
		const char *start;

		while (separator == ' ' && at < end && separates(*at, ' '))
			at++;
		if (at == end && (separator == ' ' || !line->size))
			break;
		start = at;
		while (at < end && !separates(*at, separator))
			at++;
		ret[count++] = (struct kvg_word){start, (size_t)(at - start)};
		if (at == end)
			break;
		at++;
	}
	return count;
}

int kvg_text_number(const struct kvg_word *word, __u64 max, __u64 *ret)
{
	__u64 number = 0;

	if (!word->size)
		return -EINVAL;
	for (size_t i = 0; i < word->size; i++) {
		unsigned int digit = (unsigned char)word->at[i] - '0';

		if (digit > 9 || number > (max - digit) / 10)
			return -EINVAL;
		number = number * 10 + digit;
	}
	*ret = number;
	return 0;
}

int kvg_text_port(const struct kvg_word *word, __be16 *ret)
{
	__u64 port;

	if (kvg_text_number(word, 65535, &port) < 0)
		return -EINVAL;
	*ret = htons((__u16)port);
	return 0;
}

int kvg_text_address(const struct kvg_word *word, __u8 ret[16], __u8 *ret_family)
{
	const char *zone = memchr(word->at, '%', word->size);
	size_t size = zone ? (size_t)(zone - word->at) : word->size;
	static const __u8 mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];
	__u8 ipv4[4];

	if (size >= sizeof(text) || memchr(word->at, '\0', size))
		return -EINVAL;
	memcpy(text, word->at, size);
	text[size] = '\0';

	if (inet_pton(AF_INET, text, ipv4) == 1) {
		kvg_packet_map4(ipv4, ret);
		*ret_family = AF_INET;
		return 0;
	}
	if (inet_pton(AF_INET6, text, ret) != 1)
		return -EINVAL;
	*ret_family = memcmp(ret, mapped, sizeof(mapped)) == 0 ? AF_INET : AF_INET6;
	return 0;
}

int kvg_text_ends(const struct kvg_word *from, const struct kvg_word *to, struct kvg_seen_key *ret)
{
	__u8 family;

	if (kvg_text_address(from, ret->saddr, &family) < 0 ||
	    kvg_text_address(to, ret->flow.daddr, &ret->flow.family) < 0 ||
	    family != ret->flow.family)
		return -EINVAL;
	ret->flow.loopback = kvg_packet_is_inside(ret);
	return 0;
}

void kvg_text_turn(struct kvg_seen_key *key)
{
	__u8 address[16];
	__be16 port = key->sport;

	memcpy(address, key->saddr, sizeof(address));
	memcpy(key->saddr, key->flow.daddr, sizeof(address));
	memcpy(key->flow.daddr, address, sizeof(address));
	key->sport = key->flow.dport;
	key->flow.dport = port;
}
