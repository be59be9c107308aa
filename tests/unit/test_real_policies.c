// SPDX-License-Identifier: BSD-2-Clause
/*
 * Policies from documents that Microsoft published, in KVGATE_TEST_DATA (default ../shared/data).
 * They are not part of this project: without them the tests skip.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "compiled.h"
#include "policy/diff.h"
#include "policy/explain.h"
#include "random.h"

#define SHOP KVG_CLEANUP(workshop_done) struct workshop

#define NEWEST "service-tags/ServiceTags_Public_20251028.json"

static const struct {
	enum kvg_cloud cloud;
	const char *word;
	const char *document;
	const char *m365;
} clouds[] = {
	{KVG_CLOUD_PUBLIC, "public", NEWEST, "m365/endpoints_worldwide_2026-05-31.json"},
	{KVG_CLOUD_USGOV, "usgov", "service-tags/ServiceTags_AzureGovernment_20260720.json",
	 "m365/USGovGCCHigh_2023073100_identity_sets_TRANSCRIBED.json"},
	{KVG_CLOUD_CHINA, "china", "service-tags/ServiceTags_China_20260720.json",
	 "m365/China_2023062900_identity_sets_TRANSCRIBED.json"},
};

static const char *data_folder(void)
{
	const char *folder = getenv("KVGATE_TEST_DATA");

	return folder ? folder : "../shared/data";
}

/* First of all in a test: skip() jumps away, and what a test owns by then would leak. */
static void need_documents(void)
{
	if (access(data_folder(), R_OK) == 0)
		return;
	print_message("SKIP: no published documents in \"%s\"\n", data_folder());
	skip();
}

static void add_real(struct workshop *shop, const char *name)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *fault = NULL;

	assert_true(asprintf(&path, "%s/%s", data_folder(), name) > 0);
	if (kvg_library_add(&shop->library, path, &fault, &shop->diag) < 0)
		fail_msg("%s: %s", path, shop->diag.msg);
}

static void make_real(struct workshop *shop, size_t cloud, const char *functions)
{
	workshop_init(shop, NULL);
	kvg_profile_set_cloud(&shop->profile, clouds[cloud].word, NULL);
	kvg_profile_set_functions(&shop->profile, functions, NULL);
	add_real(shop, clouds[cloud].document);
}

static void count(const struct kvg_policy *policy, const char *from, size_t ret[2])
{
	ret[0] = 0;
	ret[1] = 0;
	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct kvg_rule *rule = &policy->rules[i];

		for (size_t j = 0; j < rule->from_count; j++) {
			if (!from || strcmp(rule->from[j], from) == 0) {
				ret[rule->prefix.family == AF_INET6]++;
				break;
			}
		}
	}
}

static void assert_count(const struct kvg_policy *policy, const char *from, size_t ipv4,
			 size_t ipv6)
{
	size_t found[2];

	count(policy, from, found);
	assert_int_equal(found[0], ipv4);
	assert_int_equal(found[1], ipv6);
}

static void the_newest_public_document_gives_749_and_555_prefixes(void **state)
{
	SHOP shop;

	(void)state;
	need_documents();
	make_real(&shop, 0, "authentication,management,data");
	workshop_must(&shop);
	assert_count(shop.policy, NULL, 749, 555);
	assert_count(shop.policy, "AzureActiveDirectory", 200, 16);
	assert_count(shop.policy, "AzureResourceManager", 214, 162);
	assert_count(shop.policy, "AzureKeyVault", 335, 378);
}

/* As many addresses as published, in as many rules; one pair of siblings at most merges. */
static void counts_per_cloud_and_function_are_the_documents(void **state)
{
	static const char *const functions[] = {"authentication", "management", "data"};
	static const char *const tags[] = {"AzureActiveDirectory", "AzureResourceManager",
					   "AzureKeyVault"};

	(void)state;
	need_documents();
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 3; j++) {
			const struct kvg_document *document;
			const struct kvg_group *group;
			unsigned long long published = 0;
			unsigned long long ruled = 0;
			SHOP shop;

			make_real(&shop, i, functions[j]);
			workshop_must(&shop);
			document =
				shop.library
					.documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][clouds[i].cloud];
			group = kvg_document_find(document, tags[j]);
			for (size_t k = 0; k < group->count; k++) {
				if (group->prefixes[k].family == AF_INET)
					published += 1ULL << (32 - group->prefixes[k].bits);
			}
			for (size_t k = 0; k < shop.policy->rules_count; k++) {
				const struct kvg_rule *rule = &shop.policy->rules[k];

				assert_string_equal(rule->from[0], tags[j]);
				if (rule->prefix.family == AF_INET)
					ruled += 1ULL << (32 - rule->prefix.bits);
			}
			assert_int_equal(published, ruled);
			assert_in_range(shop.policy->rules_count, group->count - 1, group->count);
		}
	}
}

/* --- every address inside, every neighbour outside --------------------------------------------- */

static bool is_published(const struct workshop *shop, enum kvg_cloud cloud,
			 const struct kvg_prefix *address)
{
	static const char *const tags[] = {"AzureActiveDirectory", "AzureResourceManager",
					   "AzureKeyVault"};
	const struct kvg_document *document =
		shop->library.documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][cloud];

	for (size_t i = 0; i < 3; i++) {
		const struct kvg_group *group = kvg_document_find(document, tags[i]);

		for (size_t j = 0; j < group->count; j++) {
			if (kvg_prefix_holds(&group->prefixes[j], address))
				return true;
		}
	}
	return false;
}

static void assert_verdict(const struct workshop *shop, enum kvg_cloud cloud,
			   const struct kvg_prefix *address)
{
	struct kvg_destination destination = {.address = *address};
	struct kvg_explanation explanation;
	char text[KVG_DESTINATION_STRLEN];
	bool published = is_published(shop, cloud, address);

	kvg_service_parse("tcp/443", &destination.service, NULL);
	kvg_explain(shop->policy, &destination, &explanation);
	if ((explanation.reason == KVG_REASON_ALLOWED) != published)
		fail_msg("%s: published %d, reason %d", kvg_destination_format(&destination, text),
			 published, explanation.reason);
}

static bool move(struct kvg_prefix *address, int step)
{
	for (unsigned int i = address->family == AF_INET ? 4 : 16; i-- > 0;) {
		address->addr[i] = (__u8)(address->addr[i] + step);
		if (address->addr[i] != (step > 0 ? 0 : 0xff))
			return true;
	}
	return false;
}

/* First, last, one of the middle, and the two neighbours of a prefix. */
static void assert_edges(const struct workshop *shop, enum kvg_cloud cloud,
			 const struct kvg_prefix *prefix)
{
	unsigned int bits = prefix->family == AF_INET ? 32 : 128;
	struct kvg_prefix first = *prefix;
	struct kvg_prefix middle;
	struct kvg_prefix last;

	first.bits = (__u8)bits;
	last = first;
	middle = first;
	for (unsigned int i = prefix->bits; i < bits; i++) {
		last.addr[i / 8] |= (__u8)(0x80 >> i % 8);
		if (random_below(2))
			middle.addr[i / 8] |= (__u8)(0x80 >> i % 8);
	}
	assert_verdict(shop, cloud, &first);
	assert_verdict(shop, cloud, &middle);
	assert_verdict(shop, cloud, &last);
	if (move(&first, -1))
		assert_verdict(shop, cloud, &first);
	if (move(&last, 1))
		assert_verdict(shop, cloud, &last);
}

static void every_prefix_is_allowed_to_its_edges_and_not_beyond(void **state)
{
	(void)state;
	need_documents();
	random_seed();
	for (size_t i = 0; i < 3; i++) {
		SHOP shop;

		make_real(&shop, i, "authentication,management,data");
		workshop_must(&shop);
		for (size_t j = 0; j < shop.policy->rules_count; j++)
			assert_edges(&shop, clouds[i].cloud, &shop.policy->rules[j].prefix);
	}
}

/* --- regions, Microsoft 365 ------------------------------------------------------------------------- */

static void all_regions_together_lack_the_58_prefixes_without_one(void **state)
{
	const struct kvg_document *document;
	SHOP shop;

	(void)state;
	need_documents();
	make_real(&shop, 0, "data");
	document = shop.library.documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][KVG_CLOUD_PUBLIC];
	for (size_t i = 0; i < document->groups_count; i++) {
		const struct kvg_group *group = &document->groups[i];

		if (strncmp(group->name, "AzureKeyVault.", 14) == 0)
			assert_int_equal(kvg_profile_add_region(&shop.profile, group->region, NULL),
					 0);
	}
	workshop_must(&shop);
	assert_int_equal(shop.policy->rules_count, 713 - 58);
	assert_true(workshop_noted(&shop, "58 of the 713 prefixes of AzureKeyVault"));
}

static void assert_spellings(const struct kvg_library *library, const struct kvg_group *group)
{
	SHOP one;
	SHOP two;

	workshop_init(&one, NULL);
	workshop_init(&two, NULL);
	kvg_profile_set_functions(&one.profile, "data", NULL);
	kvg_profile_set_functions(&two.profile, "data", NULL);
	kvg_profile_add_region(&one.profile, group->region, NULL);
	kvg_profile_add_region(&two.profile, group->name + strlen("AzureKeyVault."), NULL);
	assert_int_equal(kvg_compile(&one.profile, library, &one.policy, NULL, NULL), 0);
	assert_int_equal(kvg_compile(&two.profile, library, &two.policy, NULL, NULL), 0);
	assert_memory_equal(one.policy->digest, two.policy->digest, KVG_DIGEST_BYTES);
	assert_string_equal(one.policy->rules[0].from[0], group->name);
}

static void every_region_is_found_by_both_of_its_spellings(void **state)
{
	const struct kvg_document *document;
	size_t regions = 0;
	SHOP shop;

	(void)state;
	need_documents();
	make_real(&shop, 0, "data");
	document = shop.library.documents[KVG_DOCUMENT_KIND_SERVICE_TAGS][KVG_CLOUD_PUBLIC];
	for (size_t i = 0; i < document->groups_count; i++) {
		const struct kvg_group *group = &document->groups[i];

		if (strncmp(group->name, "AzureKeyVault.", strlen("AzureKeyVault.")) != 0)
			continue;
		assert_spellings(&shop.library, group);
		regions++;
	}
	assert_int_equal(regions, 69);
}

static void the_identity_sets_add_no_rule_where_the_tag_holds_them(void **state)
{
	(void)state;
	need_documents();
	for (size_t i = 0; i < 2; i++) {
		SHOP without;
		SHOP with;

		make_real(&without, i, "authentication");
		make_real(&with, i, "authentication");
		add_real(&with, clouds[i].m365);
		workshop_must(&without);
		workshop_must(&with);
		assert_int_equal(with.policy->sources_count, 2);
		assert_memory_equal(with.policy->digest, without.policy->digest, KVG_DIGEST_BYTES);
	}
}

static void the_identity_set_of_china_is_17(void **state)
{
	SHOP shop;

	(void)state;
	need_documents();
	make_real(&shop, 2, "authentication");
	add_real(&shop, clouds[2].m365);
	workshop_must(&shop);
	assert_true(shop.policy->rules_count > 44);
}

/* --- explain and diff as their users see them -------------------------------------------------- */

static enum kvg_reason ask(const struct kvg_policy *policy, const char *text, const char *from)
{
	struct kvg_destination destination;
	struct kvg_explanation explanation;

	assert_int_equal(kvg_destination_parse(text, &destination, NULL), 0);
	kvg_explain(policy, &destination, &explanation);
	if (from)
		assert_string_equal(explanation.rule->from[0], from);
	if (explanation.reason != KVG_REASON_ALLOWED)
		assert_non_null(explanation.nearest);
	return explanation.reason;
}

static void a_sign_in_address_is_allowed_on_443_only(void **state)
{
	SHOP shop;

	(void)state;
	need_documents();
	make_real(&shop, 0, "authentication,management,data");
	workshop_must(&shop);
	assert_int_equal(ask(shop.policy, "20.190.128.5:443", "AzureActiveDirectory"),
			 KVG_REASON_ALLOWED);
	assert_int_equal(ask(shop.policy, "20.190.128.5:80", NULL), KVG_REASON_PORT);
	assert_int_equal(ask(shop.policy, "20.190.128.5:443/udp", NULL), KVG_REASON_PROTOCOL);
	assert_int_equal(ask(shop.policy, "8.8.8.8:443", NULL), KVG_REASON_DESTINATION);
	assert_int_equal(ask(shop.policy, "169.254.169.254:80", NULL), KVG_REASON_PORT);
}

static size_t sum(const struct kvg_diff *diff, const char *tag, bool added)
{
	size_t total = 0;

	for (size_t i = 0; i < diff->tags_count; i++) {
		const struct kvg_diff_tag *t = &diff->tags[i];

		if (strncmp(t->name, tag, strlen(tag)) == 0)
			total += added ? t->added[0] + t->added[1] : t->removed[0] + t->removed[1];
	}
	return total;
}

static void june_2024_lost_119_key_vault_prefixes(void **state)
{
	KVG_CLEANUP(kvg_diff_done) struct kvg_diff diff = {0};
	SHOP a;
	SHOP b;

	(void)state;
	need_documents();
	workshop_init(&a, NULL);
	workshop_init(&b, NULL);
	add_real(&a, "service-tags/ServiceTags_Public_20240610.json");
	add_real(&b, "service-tags/ServiceTags_Public_20240617.json");
	workshop_must(&a);
	workshop_must(&b);
	assert_int_equal(kvg_diff_documents(&a.profile,
					    &(struct kvg_diff_side){&a.library, a.policy},
					    &(struct kvg_diff_side){&b.library, b.policy}, &diff),
			 0);
	assert_false(diff.same);
	assert_int_equal(sum(&diff, "AzureKeyVault", false), 119);
	assert_int_equal(sum(&diff, "AzureKeyVault", true), 1);
	assert_int_equal(sum(&diff, "AzureActiveDirectory", true), 53);
	assert_int_equal(sum(&diff, "AzureActiveDirectory", false), 0);
	assert_int_equal(sum(&diff, "AzureResourceManager", true), 0);
	assert_true(diff.tags_count > 20);
}

static void china_in_july_2026_changed_nothing_for_a_vault_client(void **state)
{
	KVG_CLEANUP(kvg_diff_done) struct kvg_diff diff = {0};
	SHOP a;
	SHOP b;

	(void)state;
	need_documents();
	workshop_init(&a, NULL);
	workshop_init(&b, NULL);
	kvg_profile_set_cloud(&a.profile, "china", NULL);
	kvg_profile_set_cloud(&b.profile, "china", NULL);
	add_real(&a, "service-tags/ServiceTags_China_20260713.json");
	add_real(&b, "service-tags/ServiceTags_China_20260720.json");
	workshop_must(&a);
	workshop_must(&b);
	assert_int_equal(kvg_diff_documents(&a.profile,
					    &(struct kvg_diff_side){&a.library, a.policy},
					    &(struct kvg_diff_side){&b.library, b.policy}, &diff),
			 0);
	assert_true(diff.same);
	assert_int_equal(diff.tags_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_public_document_gives_749_and_555_prefixes),
		cmocka_unit_test(counts_per_cloud_and_function_are_the_documents),
		cmocka_unit_test(every_prefix_is_allowed_to_its_edges_and_not_beyond),
		cmocka_unit_test(all_regions_together_lack_the_58_prefixes_without_one),
		cmocka_unit_test(every_region_is_found_by_both_of_its_spellings),
		cmocka_unit_test(the_identity_sets_add_no_rule_where_the_tag_holds_them),
		cmocka_unit_test(the_identity_set_of_china_is_17),
		cmocka_unit_test(a_sign_in_address_is_allowed_on_443_only),
		cmocka_unit_test(june_2024_lost_119_key_vault_prefixes),
		cmocka_unit_test(china_in_july_2026_changed_nothing_for_a_vault_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
