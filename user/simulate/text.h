/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of flows in words: what their readers share. */
#ifndef KVG_SIMULATE_TEXT_H
#define KVG_SIMULATE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "simulate/traffic.h"

/** struct kvg_word - some characters of an input; not NUL-terminated */
struct kvg_word {
	const char *at;
	size_t size;
};

/** KVG_WORD() - for messages: printf("%.*s", KVG_WORD(word)), at most 60 characters of it */
#define KVG_WORD(word) (int)((word).size < 60 ? (word).size : 60), (word).at

/** kvg_word_is() - does it say exactly @text? */
bool kvg_word_is(const struct kvg_word *word, const char *text);

/**
 * kvg_text_line() - take the next line off @rest
 * @rest:      what is left of the input
 * @ret:       the line, without its end
 * @ret_ended: it has an end; false at most for the last one
 *
 * Return: false if there is none left
 */
bool kvg_text_line(struct kvg_word *rest, struct kvg_word *ret, bool *ret_ended);

/** kvg_text_split() - @line at @separator (a space: at any white space); Return: how many words, @max at most */
size_t kvg_text_split(const struct kvg_word *line, char separator, struct kvg_word *ret,
		      size_t max);

/** kvg_text_number() - decimal digits and nothing else, at most @max; 0 or -EINVAL */
int kvg_text_number(const struct kvg_word *word, __u64 max, __u64 *ret);

/** kvg_text_port() - 0 to 65535, into network order; 0 or -EINVAL */
int kvg_text_port(const struct kvg_word *word, __be16 *ret);

/** kvg_text_address() - IPv4 or IPv6, mapped IPv4 becomes IPv4, a zone ("%eth0") is dropped; 0 or -EINVAL */
int kvg_text_address(const struct kvg_word *word, __u8 ret[16], __u8 *ret_family);

/** kvg_text_ends() - both addresses, of one family, and whether it stays on the machine; 0 or -EINVAL */
int kvg_text_ends(const struct kvg_word *from, const struct kvg_word *to, struct kvg_seen_key *ret);

/** kvg_text_turn() - what goes the other way */
void kvg_text_turn(struct kvg_seen_key *key);

#endif
