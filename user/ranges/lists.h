/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way for the long part of a document. Of the 4.2 MB of service tags 3 MB are lists of
 * prefixes, and jansson takes 50 ms to turn them into 100,000 strings that are needed for nothing but
 * to be parsed as prefixes. So the lists of sound prefixes are taken out of the text, and a number
 * stands for each; jansson reads what remains and judges it.
 *
 * This is allowed only where it cannot change what the document says: it is one of service tags; no
 * "\" is in it, so that a key has one spelling; every "addressPrefixes" in it is followed by ":" and
 * such a list; a number stands where the list stood, apart from its neighbours. Anything else, and
 * any fault whatever, and the text is read again the plain way, which alone says what is wrong.
 */
#ifndef KVG_RANGES_LISTS_H
#define KVG_RANGES_LISTS_H

#include <stddef.h>

#include "ranges/prefix.h"

/**
 * struct kvg_list - where one list's prefixes are
 * @first: index of the first among all prefixes
 * @count: how many
 */
struct kvg_list {
	size_t first;
	size_t count;
};

/**
 * struct kvg_lists - what was taken out of a text
 * @text:           what remains of it; the integer i stands for lists[i]
 * @size:           bytes of @text
 * @prefixes:       of all lists, in the order of the text; each is publishable
 * @prefixes_count: how many
 * @prefixes_room:  for how many @prefixes has room
 * @lists:          in the order of the text
 * @lists_count:    how many
 * @lists_room:     for how many @lists has room
 */
struct kvg_lists {
	char *text;
	size_t size;
	struct kvg_prefix *prefixes;
	size_t prefixes_count;
	size_t prefixes_room;
	struct kvg_list *lists;
	size_t lists_count;
	size_t lists_room;
};

/**
 * kvg_lists_take() - take the lists of prefixes out of a text
 * @lists: zeroed; kvg_lists_done() frees what it holds, after a failure too
 * @text:  a document
 * @size:  its bytes
 *
 * Return: 0, or a negative errno: the plain way must be gone
 */
int kvg_lists_take(struct kvg_lists *lists, const char *text, size_t size);

/** kvg_lists_done() - free what it holds; for KVG_CLEANUP */
void kvg_lists_done(struct kvg_lists *lists);

#endif
