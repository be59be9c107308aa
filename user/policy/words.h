/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of what kernel and user side share, from the tables of include/: in configuration,
 * policies, records, metrics and text. A number beyond a table is "unknown", never a crash: it may
 * come from another version's kernel side.
 */
#ifndef KVG_POLICY_WORDS_H
#define KVG_POLICY_WORDS_H

#include "kvg_event.h"
#include "kvg_policy.h"

/* X(enumerator, label): when a record's file is forced onto the disk; interval: once a second. */
#define KVG_FSYNCS(X)           \
	X(NONE, "none")         \
	X(INTERVAL, "interval") \
	X(LINE, "line")

enum kvg_fsync {
#define X(name, label) KVG_FSYNC_##name,
	KVG_FSYNCS(X)
#undef X
		KVG_FSYNC_COUNT
};

/** kvg_mode_word() - "enforce" or "audit" */
const char *kvg_mode_word(unsigned int mode);

/** kvg_inbound_word() - "allow" or "deny" */
const char *kvg_inbound_word(unsigned int inbound);

/** kvg_reason_word() - of enum kvg_reason: "destination", ... */
const char *kvg_reason_word(unsigned int reason);

/** kvg_reason_meaning() - what completes "refused, because ..." */
const char *kvg_reason_meaning(unsigned int reason);

/** kvg_hook_word() - of enum kvg_hook: "connect4", ... */
const char *kvg_hook_word(unsigned int hook);

/** kvg_folded_word() - of enum kvg_folded: "destinations"; "" where everything is told apart */
const char *kvg_folded_word(unsigned int folded);

/** kvg_protocol_word() - IANA's keyword in lower case; NULL if it is none that we know */
const char *kvg_protocol_word(unsigned int protocol);

/** kvg_family_word() - of a family of sockets: "ipv4", "packet", ...; NULL if it is none that we know */
const char *kvg_family_word(unsigned int family);

/** kvg_mode_parse(), kvg_inbound_parse() - of the words; Return: 0, or -EINVAL */
int kvg_mode_parse(const char *word, enum kvg_mode *ret);
int kvg_inbound_parse(const char *word, enum kvg_inbound *ret);

/** kvg_fsync_parse() - of the words above; Return: 0, or -EINVAL */
int kvg_fsync_parse(const char *word, enum kvg_fsync *ret);

/** kvg_size_parse() - "0", or bytes, or a number and k, M or G (powers of 1024); 0, or -EINVAL */
int kvg_size_parse(const char *text, __u64 *ret);

/** kvg_count_parse() - decimal digits, up to @max; 0, or -EINVAL */
int kvg_count_parse(const char *text, unsigned int max, unsigned int *ret);

#endif
