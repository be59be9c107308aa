// SPDX-License-Identifier: BSD-2-Clause
#include "policy/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/catalogue.h"
#include "policy/regions.h"

void kvg_diff_done(struct kvg_diff *diff)
{
	for (size_t i = 0; i < diff->tags_count; i++)
		free(diff->tags[i].name);
	free(diff->tags);
	free(diff->added);
	free(diff->removed);
	*diff = (struct kvg_diff){0};
}

/* --- rules ------------------------------------------------------------------------------------- */

/* The same bit may stand for different services in two policies. */
static bool has_service(const struct kvg_policy *policy, __u32 services,
			const struct kvg_service *service)
{
	for (size_t i = 0; i < policy->services_count; i++) {
		if (policy->services[i].protocol == service->protocol &&
		    policy->services[i].port == service->port)
			return services & 1U << i;
	}
	return false;
}

static bool same_services(const struct kvg_policy *a, const struct kvg_rule *x,
			  const struct kvg_policy *b, const struct kvg_rule *y)
{
	if (__builtin_popcount(x->services) != __builtin_popcount(y->services))
		return false;
	for (size_t i = 0; i < a->services_count; i++) {
		if (x->services & 1U << i && !has_service(b, y->services, &a->services[i]))
			return false;
	}
	return true;
}

/* Walk both lists, which are sorted alike. */
static int diff_rules(const struct kvg_policy *a, const struct kvg_policy *b, struct kvg_diff *diff)
{
	size_t i = 0;
	size_t j = 0;

	diff->removed = calloc(a->rules_count + 1, sizeof(*diff->removed));
	diff->added = calloc(b->rules_count + 1, sizeof(*diff->added));
	if (!diff->removed || !diff->added)
		return -ENOMEM;

	while (i < a->rules_count || j < b->rules_count) {
		int order = 0;

		if (i == a->rules_count)
			order = 1;
		else if (j == b->rules_count)
			order = -1;
		else
			order = kvg_prefix_compare(&a->rules[i].prefix, &b->rules[j].prefix);

		if (order == 0 && same_services(a, &a->rules[i], b, &b->rules[j])) {
			i++;
			j++;
			continue;
		}
		if (order <= 0)
			diff->removed[diff->removed_count++] = &a->rules[i++];
		if (order >= 0)
			diff->added[diff->added_count++] = &b->rules[j++];
	}
	return 0;
}

/* --- addresses --------------------------------------------------------------------------------- */

struct interval {
	unsigned long long first;
	unsigned long long end; /* one past the last */
};

/* The next outermost IPv4 rule from @at on; moves @at behind what is inside it. */
static bool next_interval(const struct kvg_policy *policy, size_t *at, struct interval *ret)
{
	const struct kvg_rule *rule = &policy->rules[*at];

	if (*at == policy->rules_count || rule->prefix.family != AF_INET)
		return false;

	ret->first = (unsigned long long)rule->prefix.addr[0] << 24 | rule->prefix.addr[1] << 16 |
		     rule->prefix.addr[2] << 8 | rule->prefix.addr[3];
	ret->end = ret->first + (1ULL << (32 - rule->prefix.bits));
	do
		(*at)++;
	while (*at < policy->rules_count &&
	       kvg_prefix_holds(&rule->prefix, &policy->rules[*at].prefix));
	return true;
}

static unsigned long long count_addresses(const struct kvg_policy *policy)
{
	unsigned long long count = 0;
	struct interval interval;
	size_t at = 0;

	while (next_interval(policy, &at, &interval))
		count += interval.end - interval.first;
	return count;
}

static unsigned long long count_common(const struct kvg_policy *a, const struct kvg_policy *b)
{
	unsigned long long count = 0;
	struct interval x;
	struct interval y;
	size_t i = 0;
	size_t j = 0;
	bool more = next_interval(a, &i, &x) && next_interval(b, &j, &y);

	while (more) {
		unsigned long long first = x.first > y.first ? x.first : y.first;
		unsigned long long end = x.end < y.end ? x.end : y.end;

		if (first < end)
			count += end - first;
		more = x.end < y.end ? next_interval(a, &i, &x) : next_interval(b, &j, &y);
	}
	return count;
}

static int diff_common(const struct kvg_policy *a, const struct kvg_policy *b,
		       struct kvg_diff *diff)
{
	unsigned long long common = count_common(a, b);

	diff->same = memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
	diff->lost = count_addresses(a) - common;
	diff->gained = count_addresses(b) - common;
	return diff_rules(a, b, diff);
}

/* --- tags -------------------------------------------------------------------------------------- */

/* The entry of @name; the list stays sorted. NULL if there is no memory. */
static struct kvg_diff_tag *find_tag(struct kvg_diff *diff, const char *name)
{
	struct kvg_diff_tag *tags;
	size_t at = 0;
	char *copy;

	while (at < diff->tags_count && strcmp(diff->tags[at].name, name) < 0)
		at++;
	if (at < diff->tags_count && strcmp(diff->tags[at].name, name) == 0)
		return &diff->tags[at];

	tags = reallocarray(diff->tags, diff->tags_count + 1, sizeof(*tags));
	if (!tags)
		return NULL;
	diff->tags = tags;
	copy = strdup(name);
	if (!copy)
		return NULL;

	memmove(&tags[at + 1], &tags[at], (diff->tags_count - at) * sizeof(*tags));
	tags[at] = (struct kvg_diff_tag){.name = copy};
	diff->tags_count++;
	return &tags[at];
}

static int count_change(struct kvg_diff *diff, const char *name, const struct kvg_prefix *prefix,
			bool added)
{
	struct kvg_diff_tag *tag = find_tag(diff, name);

	if (!tag)
		return -ENOMEM;
	(added ? tag->added : tag->removed)[prefix->family == AF_INET6]++;
	return 0;
}

static int count_rules(struct kvg_diff *diff, const struct kvg_rule *const *rules, size_t count,
		       bool added)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < rules[i]->from_count; j++) {
			int r = count_change(diff, rules[i]->from[j], &rules[i]->prefix, added);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int kvg_diff_policies(const struct kvg_policy *old_policy, const struct kvg_policy *new_policy,
		      struct kvg_diff *ret)
{
	int r;

	r = diff_common(old_policy, new_policy, ret);
	if (r == 0)
		r = count_rules(ret, ret->removed, ret->removed_count, false);
	return r < 0 ? r : count_rules(ret, ret->added, ret->added_count, true);
}

/* One published group on both sides, and what its prefixes are called. */
struct group_pair {
	const struct kvg_document *documents[2];
	const char *name;  /* of the group in the documents */
	const char *alias; /* in the result; NULL: as published, by region */
};

/* What one side publishes and the other does not. */
static int count_missing(struct kvg_diff *diff, const struct group_pair *pair, int side)
{
	const struct kvg_document *document = pair->documents[side];
	const struct kvg_document *other = pair->documents[!side];
	const struct kvg_group *group = document ? kvg_document_find(document, pair->name) : NULL;
	const struct kvg_group *others = other ? kvg_document_find(other, pair->name) : NULL;
	int r = 0;

	for (size_t i = 0; group && i < group->count && r == 0; i++) {
		const struct kvg_prefix *prefix = &group->prefixes[i];
		const struct kvg_group *region;
		const char *name = pair->alias;

		if (others && kvg_group_publishes(others, prefix))
			continue;
		if (!name) {
			region = kvg_regions_of_prefix(document, pair->name, prefix);
			name = region ? region->name : pair->name;
		}
		r = count_change(diff, name, prefix, side == 1);
	}
	return r;
}

static int count_group(struct kvg_diff *diff, const struct group_pair *pair)
{
	int r = count_missing(diff, pair, 0);

	return r < 0 ? r : count_missing(diff, pair, 1);
}

/* The regions that the profile narrows a tag to, each by the name that the new document has for it. */
static int count_regions(struct kvg_diff *diff, const struct kvg_profile *profile,
			 const struct group_pair *tag)
{
	int r = 0;

	for (size_t i = 0; i < profile->regions_count && r == 0; i++) {
		const struct kvg_group *group =
			kvg_regions_find(tag->documents[1], tag->name, profile->regions[i]);
		struct group_pair pair = *tag;

		if (!group)
			continue;
		pair.name = group->name;
		pair.alias = group->name;
		r = count_group(diff, &pair);
	}
	return r;
}

static int count_row(struct kvg_diff *diff, const struct kvg_profile *profile,
		     const struct kvg_catalogue_tag *row, const struct group_pair *documents)
{
	struct group_pair pair = *documents;
	char alias[32];

	pair.name = row->name;
	if (row->kind == KVG_DOCUMENT_KIND_M365) {
		snprintf(alias, sizeof(alias), "m365:%s", row->name);
		pair.alias = alias;
	}
	if (row->regional && profile->regions_count)
		return count_regions(diff, profile, &pair);
	return count_group(diff, &pair);
}

static int count_crl_tags(struct kvg_diff *diff, const struct kvg_profile *profile,
			  struct group_pair *pair)
{
	int r = 0;

	for (size_t i = 0; i < profile->crl_tags_count && r == 0; i++) {
		char *alias = NULL;

		if (asprintf(&alias, "crl:%s", profile->crl_tags[i]) < 0)
			return -ENOMEM;
		pair->name = profile->crl_tags[i];
		pair->alias = alias;
		r = count_group(diff, pair);
		free(alias);
	}
	return r;
}

int kvg_diff_documents(const struct kvg_profile *profile, const struct kvg_diff_side *old_side,
		       const struct kvg_diff_side *new_side, struct kvg_diff *ret)
{
	size_t rows_count;
	const struct kvg_catalogue_tag *rows = kvg_catalogue_tags(&rows_count);
	struct group_pair pair = {0};
	int r;

	r = diff_common(old_side->policy, new_side->policy, ret);
	for (size_t i = 0; i < rows_count && r == 0; i++) {
		if (rows[i].cloud != profile->cloud ||
		    !(profile->functions & 1U << rows[i].function))
			continue;
		pair.documents[0] = old_side->library->documents[rows[i].kind][profile->cloud];
		pair.documents[1] = new_side->library->documents[rows[i].kind][profile->cloud];
		r = count_row(ret, profile, &rows[i], &pair);
	}
	if (r < 0)
		return r;

	pair.documents[0] =
		old_side->library->documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][profile->cloud];
	pair.documents[1] =
		new_side->library->documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][profile->cloud];
	return count_crl_tags(ret, profile, &pair);
}
