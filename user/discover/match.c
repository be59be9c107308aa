// SPDX-License-Identifier: BSD-2-Clause
#include "discover/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Of a weight, from below: no wildcard, length of what is spelled out, number of things named. */
#define LENGTH_SHIFT 1
#define COUNT_SHIFT  16
#define LENGTH_MAX   ((1U << (COUNT_SHIFT - LENGTH_SHIFT)) - 1)

/* --- patterns ------------------------------------------------------------------------------------ */

/*
 * Where to go on when what comes after a wildcard does not match: let the wildcard take more. Only the
 * last of each kind can ever help: what stands before it has matched as early as it can.
 */
struct retry {
	const char *pattern;
	const char *text;
};

/* At two asterisks: whole components, or anything. Returns the pattern behind them. */
static const char *skip_any(const char *start, const char *pattern, bool *ret_components)
{
	*ret_components = pattern[2] == '/' && (pattern == start || pattern[-1] == '/');
	return pattern + 2 + *ret_components;
}

static bool take_more(struct retry *any, bool components)
{
	if (!any->pattern || !*any->text)
		return false;
	if (components) {
		any->text = strchr(any->text, '/');
		if (!any->text)
			return false;
	}
	any->text++;
	return true;
}

bool kvg_match_pattern(const char *pattern, const char *text)
{
	struct retry some = {0};
	struct retry any = {0};
	const char *start = pattern;
	bool components = false;

	while (*text || *pattern) {
		if (pattern[0] == '*' && pattern[1] == '*') {
			pattern = skip_any(start, pattern, &components);
			any = (struct retry){pattern, text};
			some = (struct retry){0};
		} else if (*pattern == '*') {
			some = (struct retry){++pattern, text};
		} else if (*text && (*pattern == *text || (*pattern == '?' && *text != '/'))) {
			pattern++;
			text++;
		} else if (some.pattern && *some.text && *some.text != '/') {
			pattern = some.pattern;
			text = ++some.text;
		} else if (take_more(&any, components)) {
			pattern = any.pattern;
			text = any.text;
			some = (struct retry){0};
		} else {
			return false;
		}
	}
	return true;
}

/* --- entries -------------------------------------------------------------------------------------- */

struct row {
	const char *pattern;
	const char *text;
};

static unsigned int literal_length(const char *pattern)
{
	unsigned int length = 0;

	for (; *pattern; pattern++)
		length += *pattern != '*' && *pattern != '?';
	return length;
}

struct tally {
	unsigned int count;
	unsigned int length;
	bool wildcard;
};

/* Nothing is known of a text that is empty: not even an asterisk matches it. */
static bool weigh(struct tally *tally, const char *pattern, const char *text)
{
	if (!pattern)
		return true;
	if (!text || !*text || !kvg_match_pattern(pattern, text))
		return false;

	tally->count++;
	tally->length += literal_length(pattern);
	tally->wildcard |= strpbrk(pattern, "*?") != NULL;
	return true;
}

static bool weigh_labels(struct tally *tally, const struct kvg_select *select,
			 const struct kvg_identity *identity)
{
	for (size_t i = 0; i < select->labels_count; i++) {
		const struct kvg_select_label *label = &select->labels[i];

		if (!weigh(tally, label->value, kvg_identity_label(identity, label->key)))
			return false;
	}
	return true;
}

/* 0 if it does not match. */
static unsigned int weight_of(const struct kvg_select *select, const struct kvg_identity *identity)
{
	const struct row rows[] = {
		{select->cgroup, identity->cgroup},       {select->unit, identity->unit},
		{select->namespace, identity->namespace}, {select->pod, identity->pod},
		{select->container, identity->container}, {select->image, identity->image},
	};
	struct tally tally = {0};

	if (select->kubernetes && !*identity->pod)
		return 0;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(rows); i++) {
		if (!weigh(&tally, rows[i].pattern, rows[i].text))
			return 0;
	}
	if (!weigh_labels(&tally, select, identity))
		return 0;

	if (tally.length > LENGTH_MAX)
		tally.length = LENGTH_MAX;
	return tally.count << COUNT_SHIFT | tally.length << LENGTH_SHIFT | !tally.wildcard;
}

static struct kvg_match match_profile(const struct kvg_config_profile *profile,
				      const struct kvg_identity *identity)
{
	struct kvg_match best = {.profile = profile};

	for (size_t i = 0; i < profile->selects_count; i++) {
		unsigned int weight = weight_of(&profile->selects[i], identity);

		if (weight > best.weight) {
			best.select = &profile->selects[i];
			best.weight = weight;
		}
	}
	return best;
}

/* Profiles stand in one array: the lower address comes first in the config. */
static int compare(const void *a, const void *b)
{
	const struct kvg_match *x = a;
	const struct kvg_match *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return (x->profile > y->profile) - (x->profile < y->profile);
}

int kvg_match_all(const struct kvg_config *config, const struct kvg_identity *identity,
		  struct kvg_match **ret, size_t *ret_count)
{
	KVG_CLEANUP(kvg_freep) struct kvg_match *matches = NULL;
	size_t count = 0;

	for (size_t i = 0; i < config->profiles_count; i++) {
		struct kvg_match match = match_profile(&config->profiles[i], identity);

		if (match.weight == 0 || strcmp(identity->cgroup, "/") == 0)
			continue;
		if (!matches)
			matches = calloc(config->profiles_count, sizeof(*matches));
		if (!matches)
			return -ENOMEM;
		matches[count++] = match;
	}

	if (count > 1)
		qsort(matches, count, sizeof(*matches), compare);
	*ret = KVG_TAKE_PTR(matches);
	*ret_count = count;
	return 0;
}

bool kvg_match_is_covered(const struct kvg_match *match, const struct kvg_match *above)
{
	return above->profile == match->profile || above->weight > match->weight;
}

bool kvg_match_is_below(const char *cgroup, const char *above)
{
	size_t length = strcmp(above, "/") == 0 ? 0 : strlen(above);

	return strncmp(cgroup, above, length) == 0 && cgroup[length] == '/' && cgroup[length + 1];
}
