/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of a policy document that still has the form kvg_policy_write() gave it: one rule a line,
 * every blank in its place. A general JSON reader spends ten times as long on them, and a policy is
 * read on the way to the first enforced packet. Whatever differs in the least is left to jansson.
 */
#ifndef KVG_POLICY_POLICY_LINES_H
#define KVG_POLICY_POLICY_LINES_H

#include <stddef.h>

#include "kvg_policy.h"

#define KVG_POLICY_LINE_NAMES_MAX 64 /* a rule with more goes to jansson */

/**
 * struct kvg_policy_lines - a document taken apart
 * @rest:      the document with an empty list of rules; owned
 * @rest_size: bytes
 * @rules:     the lines of the rules; owned, and cut up while they are read
 * @cursor:    where reading goes on
 */
struct kvg_policy_lines {
	char *rest;
	size_t rest_size;
	char *rules;
	char *cursor;
};

/** struct kvg_policy_line - one rule; the strings are in kvg_policy_lines.rules */
struct kvg_policy_line {
	const char *prefix;
	const char *services[KVG_SERVICES_MAX];
	size_t services_count;
	const char *names[KVG_POLICY_LINE_NAMES_MAX];
	size_t names_count;
};

/**
 * kvg_policy_lines_split() - take a document apart
 * @ret: done by the caller, also after a failure; zeroed before
 *
 * Return: 0, -ENOMSG if it has not the form, or -ENOMEM
 */
int kvg_policy_lines_split(const char *data, size_t size, struct kvg_policy_lines *ret);

/** kvg_policy_lines_next() - the next rule; Return: 1, 0 at the end, or -ENOMSG if it has not the form */
int kvg_policy_lines_next(struct kvg_policy_lines *lines, struct kvg_policy_line *ret);

/** kvg_policy_lines_done() - free what it holds */
void kvg_policy_lines_done(struct kvg_policy_lines *lines);

#endif
