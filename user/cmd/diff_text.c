// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/diff_text.h"

#include <stdio.h>
#include <string.h>

#include "policy/profile.h"

static const char *const family_words[] = {"IPv4", "IPv6"};

/* How much of the name is the tag: "AzureKeyVault" of "AzureKeyVault.WestEurope". */
static size_t tag_length(const char *name)
{
	return strchr(name, ':') ? strlen(name) : strcspn(name, ".");
}

static size_t count_of(const struct kvg_diff_tag *tag, bool added, int family)
{
	return added ? tag->added[family] : tag->removed[family];
}

/* Regions of one tag are neighbours in the sorted list. */
static size_t group_end(const struct kvg_diff *diff, size_t start)
{
	const char *name = diff->tags[start].name;
	size_t length = tag_length(name);
	size_t end = start + 1;

	while (end < diff->tags_count && tag_length(diff->tags[end].name) == length &&
	       strncmp(diff->tags[end].name, name, length) == 0)
		end++;
	return end;
}

static void print_regions(const struct kvg_diff *diff, size_t start, size_t end, bool added,
			  int family)
{
	const char *separator = ": ";

	for (size_t i = start; i < end; i++) {
		const char *name = diff->tags[i].name;
		size_t count = count_of(&diff->tags[i], added, family);

		if (!count)
			continue;
		name += tag_length(name);
		printf("%s%zu in %s", separator, count, *name ? name + 1 : "no region");
		separator = ", ";
	}
}

static void print_group(const struct kvg_diff *diff, size_t start, size_t end, bool added,
			int family)
{
	const char *name = diff->tags[start].name;
	bool regional = false;
	size_t sum = 0;

	for (size_t i = start; i < end; i++) {
		sum += count_of(&diff->tags[i], added, family);
		regional |= diff->tags[i].name[tag_length(name)] != '\0';
	}
	if (!sum)
		return;

	printf("  %s %zu %s %s of %.*s", added ? "gains" : "loses", sum, family_words[family],
	       sum == 1 ? "prefix" : "prefixes", (int)tag_length(name), name);
	if (regional)
		print_regions(diff, start, end, added, family);
	putchar('\n');
}

static void print_tags(const struct kvg_diff *diff)
{
	for (int added = 0; added <= 1; added++) {
		for (size_t i = 0; i < diff->tags_count; i = group_end(diff, i)) {
			for (int family = 0; family <= 1; family++)
				print_group(diff, i, group_end(diff, i), added, family);
		}
	}
}

static void print_settings(const struct kvg_policy *a, const struct kvg_policy *b)
{
	if (a->cloud != b->cloud)
		printf("  goes from cloud %s to %s\n", kvg_cloud_word(a->cloud),
		       kvg_cloud_word(b->cloud));
	if (a->mode != b->mode)
		printf("  goes from mode %s to %s\n", kvg_mode_word(a->mode),
		       kvg_mode_word(b->mode));
	if (a->inbound != b->inbound)
		printf("  goes from inbound %s to %s\n", kvg_inbound_word(a->inbound),
		       kvg_inbound_word(b->inbound));
}

static bool same_sources(const struct kvg_policy *a, const struct kvg_policy *b)
{
	if (a->sources_count != b->sources_count)
		return false;
	for (size_t i = 0; i < a->sources_count; i++) {
		if (memcmp(a->sources[i].sha256, b->sources[i].sha256, KVG_DIGEST_BYTES) != 0)
			return false;
	}
	return true;
}

static void print_same(const struct kvg_policy *a, const struct kvg_policy *b,
		       const struct kvg_diff *diff)
{
	printf("no change for this client%s\n",
	       same_sources(a, b) ? "" : ": the documents differ, but not in what it is given");
	if (diff->tags_count) {
		printf("it is only published differently:\n");
		print_tags(diff);
	}
}

void kvg_diff_print(const struct kvg_policy *old_policy, const struct kvg_policy *new_policy,
		    const struct kvg_diff *diff)
{
	if (diff->same) {
		print_same(old_policy, new_policy, diff);
		return;
	}

	printf("the client\n");
	print_settings(old_policy, new_policy);
	print_tags(diff);
	printf("in rules: %zu removed, %zu added; in IPv4 addresses: %llu lost, %llu gained\n",
	       diff->removed_count, diff->added_count, diff->lost, diff->gained);
}
