// SPDX-License-Identifier: BSD-2-Clause
#include "policy/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

static const char *const mode_words[] = {
#define X(name, label) label,
	KVG_MODES(X)
#undef X
};

static const char *const inbound_words[] = {
#define X(name, label) label,
	KVG_INBOUNDS(X)
#undef X
};

static const char *const fsync_words[] = {
#define X(name, label) label,
	KVG_FSYNCS(X)
#undef X
};

static const char *const reason_words[] = {
#define X(name, label, meaning) label,
	KVG_REASONS(X)
#undef X
};

static const char *const reason_meanings[] = {
#define X(name, label, meaning) meaning,
	KVG_REASONS(X)
#undef X
};

static const char *const hook_words[] = {
#define X(name, label) label,
	KVG_HOOKS(X)
#undef X
};

static const char *const folded_words[] = {
#define X(name, label) label,
	KVG_FOLDEDS(X)
#undef X
};

/* IANA's keywords, lower case: the words of network.transport. 255 is IPPROTO_RAW of Linux. */
static const struct {
	__u16 number;
	const char *name;
} protocols[] = {
	{1, "icmp"},       {2, "igmp"},   {4, "ipv4"},      {6, "tcp"},   {17, "udp"},
	{33, "dccp"},      {41, "ipv6"},  {47, "gre"},      {50, "esp"},  {51, "ah"},
	{58, "ipv6-icmp"}, {132, "sctp"}, {136, "udplite"}, {255, "raw"}, {262, "mptcp"},
};

/* Of <sys/socket.h>, without AF_: those that somebody may try to leave by. */
static const struct {
	unsigned int number;
	const char *name;
} families[] = {
	{AF_INET, "ipv4"},
	{AF_INET6, "ipv6"},
	{AF_UNIX, "unix"},
	{AF_NETLINK, "netlink"},
	{AF_PACKET, "packet"},
	{AF_XDP, "xdp"},
	{AF_VSOCK, "vsock"},
	{AF_BLUETOOTH, "bluetooth"},
	{AF_CAN, "can"},
	{AF_TIPC, "tipc"},
	{AF_RDS, "rds"},
	{AF_SMC, "smc"},
	{AF_KCM, "kcm"},
	{AF_KEY, "key"},
	{AF_PPPOX, "pppox"},
	{AF_LLC, "llc"},
	{AF_X25, "x25"},
	{AF_AX25, "ax25"},
	{AF_APPLETALK, "appletalk"},
	{AF_RXRPC, "rxrpc"},
	{AF_PHONET, "phonet"},
	{AF_IEEE802154, "ieee802154"},
	{AF_QIPCRTR, "qipcrtr"},
	{AF_NFC, "nfc"},
	{AF_ALG, "alg"},
	{AF_IB, "ib"},
	{AF_CAIF, "caif"},
};

#define WORD(words, number) ((number) < KVG_ARRAY_SIZE(words) ? (words)[number] : "unknown")

const char *kvg_mode_word(unsigned int mode)
{
	return WORD(mode_words, mode);
}

const char *kvg_inbound_word(unsigned int inbound)
{
	return WORD(inbound_words, inbound);
}

const char *kvg_reason_word(unsigned int reason)
{
	return WORD(reason_words, reason);
}

const char *kvg_reason_meaning(unsigned int reason)
{
	return WORD(reason_meanings, reason);
}

const char *kvg_hook_word(unsigned int hook)
{
	return WORD(hook_words, hook);
}

const char *kvg_folded_word(unsigned int folded)
{
	return WORD(folded_words, folded);
}

const char *kvg_protocol_word(unsigned int protocol)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(protocols); i++) {
		if (protocols[i].number == protocol)
			return protocols[i].name;
	}
	return NULL;
}

const char *kvg_family_word(unsigned int family)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(families); i++) {
		if (families[i].number == family)
			return families[i].name;
	}
	return NULL;
}

static int find(const char *const *words, int count, const char *word)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
	}
	return -EINVAL;
}

int kvg_mode_parse(const char *word, enum kvg_mode *ret)
{
	int found = find(mode_words, KVG_MODE_COUNT, word);

	if (found < 0)
		return found;
	*ret = found;
	return 0;
}

int kvg_inbound_parse(const char *word, enum kvg_inbound *ret)
{
	int found = find(inbound_words, KVG_INBOUND_COUNT, word);

	if (found < 0)
		return found;
	*ret = found;
	return 0;
}

int kvg_fsync_parse(const char *word, enum kvg_fsync *ret)
{
	int found = find(fsync_words, KVG_FSYNC_COUNT, word);

	if (found < 0)
		return found;
	*ret = found;
	return 0;
}

int kvg_size_parse(const char *text, __u64 *ret)
{
	static const char units[] = "kMG";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;
	const char *found = *unit ? strchr(units, *unit) : NULL;

	if (digits == 0 || digits > 9 || (*unit && (!found || unit[1])))
		return -EINVAL;
	*ret = strtoull(text, NULL, 10) << (found ? 10 * (found - units + 1) : 0);
	return 0;
}

int kvg_count_parse(const char *text, unsigned int max, unsigned int *ret)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long number;

	if (digits == 0 || digits > 9 || text[digits])
		return -EINVAL;
	number = strtoul(text, NULL, 10);
	if (number > max)
		return -EINVAL;
	*ret = (unsigned int)number;
	return 0;
}
