// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

int kvg_guard_needs_add(struct kvg_guard_needs *needs, const char *group, const char *who)
{
	struct kvg_guard_need need;
	struct kvg_guard_need *items;

	for (size_t i = 0; i < needs->count; i++) {
		if (strcmp(needs->items[i].group, group) == 0)
			return 0;
	}

	items = reallocarray(needs->items, needs->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	needs->items = items;

	need.group = strdup(group);
	need.who = strdup(who);
	if (!need.group || !need.who) {
		free(need.group);
		free(need.who);
		return -ENOMEM;
	}
	items[needs->count++] = need;
	return 0;
}

void kvg_guard_needs_done(struct kvg_guard_needs *needs)
{
	for (size_t i = 0; i < needs->count; i++) {
		free(needs->items[i].group);
		free(needs->items[i].who);
	}
	free(needs->items);
	*needs = (struct kvg_guard_needs){0};
}

/* Index of the first of the group's prefixes that is not before @prefix. */
static size_t lower_bound(const struct kvg_group *group, const struct kvg_prefix *prefix)
{
	size_t lo = 0;
	size_t hi = group->count;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (kvg_prefix_compare(&group->prefixes[middle], prefix) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

static bool has(const struct kvg_group *group, const struct kvg_prefix *prefix)
{
	size_t at = lower_bound(group, prefix);

	return at < group->count && kvg_prefix_compare(&group->prefixes[at], prefix) == 0;
}

static bool is_within_one(const struct kvg_group *group, const struct kvg_prefix *prefix)
{
	struct kvg_prefix outer = *prefix;

	while (outer.bits > 0) {
		if (has(group, &outer))
			return true;
		outer = kvg_prefix_parent(&outer);
	}
	return has(group, &outer);
}

/* The halves of a prefix; @prefix is no single address. */
static void split(const struct kvg_prefix *prefix, struct kvg_prefix ret[2])
{
	ret[0] = *prefix;
	ret[0].bits++;
	ret[1] = ret[0];
	ret[1].addr[prefix->bits / 8] |= (__u8)(0x80U >> prefix->bits % 8);
}

/* Does @group have all of @prefix in pieces? Only as deep as there are pieces to be found. */
static bool is_in_pieces(const struct kvg_group *group, const struct kvg_prefix *prefix)
{
	size_t at = lower_bound(group, prefix);
	struct kvg_prefix halves[2];

	if (at == group->count || !kvg_prefix_holds(prefix, &group->prefixes[at]))
		return false;
	if (group->prefixes[at].bits == prefix->bits)
		return true;

	split(prefix, halves);
	return is_in_pieces(group, &halves[0]) && is_in_pieces(group, &halves[1]);
}

bool kvg_group_covers(const struct kvg_group *group, const struct kvg_prefix *prefix)
{
	return group && (is_within_one(group, prefix) || is_in_pieces(group, prefix));
}

static const struct kvg_group *find(const struct kvg_document *document, const char *name)
{
	return document ? kvg_document_find(document, name) : NULL;
}

/* How many of @group's prefixes @other does not cover, and how many there are. */
static void count_uncovered(const struct kvg_group *group, const struct kvg_group *other,
			    size_t ret_uncovered[2], size_t ret_all[2])
{
	for (size_t i = 0; group && i < group->count; i++) {
		int family = group->prefixes[i].family == AF_INET6;

		ret_all[family]++;
		if (!kvg_group_covers(other, &group->prefixes[i]))
			ret_uncovered[family]++;
	}
}

void kvg_guard_compare(const char *group, const struct kvg_document *old_document,
		       const struct kvg_document *new_document, struct kvg_guard_change *ret)
{
	const struct kvg_group *before = find(old_document, group);
	const struct kvg_group *after = find(new_document, group);
	size_t ignored[2] = {0};

	*ret = (struct kvg_guard_change){.group = group};
	count_uncovered(before, after, ret->removed, ret->before);
	count_uncovered(after, before, ret->added, ignored);
}

static int judge_identity(const struct kvg_guard *guard, const struct kvg_document *document,
			  struct kvg_diag *diag)
{
	if (document->kind != guard->kind)
		return kvg_diag_set(diag, -EMEDIUMTYPE, "it holds %s, and %s were asked for",
				    kvg_document_kind_word(document->kind),
				    kvg_document_kind_word(guard->kind));
	if (document->cloud != guard->cloud)
		return kvg_diag_set(diag, -EMEDIUMTYPE,
				    "it is of the cloud '%s', and '%s' was asked for",
				    kvg_cloud_word(document->cloud), kvg_cloud_word(guard->cloud));
	return 0;
}

static int judge_needs(const struct kvg_guard *guard, const struct kvg_document *document,
		       struct kvg_diag *diag)
{
	for (size_t i = 0; i < guard->needs->count; i++) {
		const struct kvg_guard_need *need = &guard->needs->items[i];
		const struct kvg_group *group = kvg_document_find(document, need->group);

		if (!group || group->count == 0)
			return kvg_diag_set(diag, -ENOENT, "'%s', which %s needs, is %s",
					    need->group, need->who, group ? "empty" : "absent");
	}
	return 0;
}

static int judge_age(const struct kvg_document *old_document,
		     const struct kvg_document *new_document, struct kvg_diag *diag)
{
	if (new_document->last_day && old_document->first_day &&
	    new_document->last_day < old_document->first_day)
		return kvg_diag_set(diag, -ESTALE, "it is older than '%s', which is in use",
				    old_document->file);
	if (old_document->last_day && new_document->first_day &&
	    old_document->last_day < new_document->first_day)
		return 0;
	if (new_document->change_number < old_document->change_number)
		return kvg_diag_set(diag, -ESTALE,
				    "its change number %lu is below %lu, that of '%s', which is in "
				    "use",
				    new_document->change_number, old_document->change_number,
				    old_document->file);
	return 0;
}

static int judge_shrink(const struct kvg_guard *guard, const struct kvg_document *old_document,
			const struct kvg_document *new_document, struct kvg_diag *diag)
{
	static const char *const families[] = {"IPv4", "IPv6"};

	for (size_t i = 0; i < guard->needs->count; i++) {
		struct kvg_guard_change change;

		kvg_guard_compare(guard->needs->items[i].group, old_document, new_document,
				  &change);
		for (int family = 0; family <= 1; family++) {
			size_t gone = change.removed[family];
			size_t all = change.before[family];

			/* Hundredths are compared whole: 30 % of 10 prefixes are 3 and not 2. */
			if (gone * 100 <= all * guard->max_shrink_percent)
				continue;
			return kvg_diag_set(diag, -ERANGE,
					    "it takes away %zu of the %zu %s prefixes of '%s' (%zu "
					    "%%, and max_shrink is %u %%)",
					    gone, all, families[family], change.group,
					    gone * 100 / all, guard->max_shrink_percent);
		}
	}
	return 0;
}

int kvg_guard_judge(const struct kvg_guard *guard, const struct kvg_document *old_document,
		    const struct kvg_document *new_document, struct kvg_diag *reterr_diag)
{
	int r;

	r = judge_identity(guard, new_document, reterr_diag);
	if (r == 0)
		r = judge_needs(guard, new_document, reterr_diag);
	if (r < 0 || !old_document)
		return r;

	r = judge_age(old_document, new_document, reterr_diag);
	return r < 0 ? r : judge_shrink(guard, old_document, new_document, reterr_diag);
}

bool kvg_guard_may_be_accepted(int error)
{
	return error == -ESTALE || error == -ERANGE;
}
