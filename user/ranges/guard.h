/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a document that was just downloaded may take the place of the one that is there. It is
 * sound by itself already; this asks whether it can be what was wanted.
 */
#ifndef KVG_RANGES_GUARD_H
#define KVG_RANGES_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "ranges/document.h"

/**
 * struct kvg_guard_need - a tag or set that a profile needs
 * @group: its name; owned
 * @who:   what needs it, for messages: "profile 'payments'"; owned
 */
struct kvg_guard_need {
	char *group;
	char *who;
};

/** struct kvg_guard_needs - each group once; zeroed before its first use */
struct kvg_guard_needs {
	struct kvg_guard_need *items;
	size_t count;
};

/**
 * struct kvg_guard - what a new document must be
 * @kind:               which format
 * @cloud:              whose
 * @needs:              must be there and not empty
 * @max_shrink_percent: of the prefixes of a needed group and family, more may not go away
 */
struct kvg_guard {
	enum kvg_document_kind kind;
	enum kvg_cloud cloud;
	const struct kvg_guard_needs *needs;
	unsigned int max_shrink_percent;
};

/** struct kvg_guard_change - of a needed group; [0] IPv4, [1] IPv6 */
struct kvg_guard_change {
	const char *group; /* the need's */
	size_t before[2];
	size_t added[2];   /* prefixes that nothing of the old document covered */
	size_t removed[2]; /* prefixes that nothing of the new document covers */
};

/** kvg_guard_needs_add() - copy; a group that is there already stays as it is; Return: 0, or -ENOMEM */
int kvg_guard_needs_add(struct kvg_guard_needs *needs, const char *group, const char *who);

/** kvg_guard_needs_done() - free what it holds */
void kvg_guard_needs_done(struct kvg_guard_needs *needs);

/**
 * kvg_guard_judge() - may it take the old one's place?
 * @guard:        what it must be
 * @old_document: in use; NULL if there is none
 * @new_document: to be judged
 * @reterr_diag:  why not
 *
 * By dates, if both have them and they can be told apart; else by change numbers. A change number
 * that falls while the date rises is none of its business: that happened.
 *
 * Return: 0 take it, or
 *   -EMEDIUMTYPE another kind, or another cloud's
 *   -ENOENT      a needed group is absent or empty
 *   -ESTALE      older than the one in use
 *   -ERANGE      more of a needed group went away than max_shrink_percent allows
 */
int kvg_guard_judge(const struct kvg_guard *guard, const struct kvg_document *old_document,
		    const struct kvg_document *new_document, struct kvg_diag *reterr_diag);

/** kvg_guard_may_be_accepted() - is it a person's decision? -ESTALE and -ERANGE are; nothing else is */
bool kvg_guard_may_be_accepted(int error);

/**
 * kvg_guard_compare() - what happened to one needed group
 * @group:        its name
 * @old_document: NULL if there is none: all is added
 * @new_document: the other one
 * @ret:          filled
 */
void kvg_guard_compare(const char *group, const struct kvg_document *old_document,
		       const struct kvg_document *new_document, struct kvg_guard_change *ret);

/** kvg_group_covers() - are all addresses of @prefix in prefixes of @group? NULL @group covers nothing */
bool kvg_group_covers(const struct kvg_group *group, const struct kvg_prefix *prefix);

#endif
