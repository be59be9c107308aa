// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "compiled.h"
#include "policy/diff.h"
#include "random.h"

#define SHOP KVG_CLEANUP(workshop_done) struct workshop
#define DIFF KVG_CLEANUP(kvg_diff_done) struct kvg_diff

/* The vaults of CLIENT_TAGS, where West Europe lost an IPv4 prefix and gained two. */
#define VAULTS_LATER                                                           \
	TAG("AzureKeyVault", "",                                               \
	    "\"198.51.100.32/28\",\"198.51.100.64/28\",\"198.51.100.128/28\"," \
	    "\"2001:db8:2::/64\",\"2001:db8:3::/64\"")
#define VAULTS_WEST_LATER                             \
	TAG("AzureKeyVault.WestEurope", "westeurope", \
	    "\"198.51.100.128/28\",\"2001:db8:2::/64\",\"2001:db8:3::/64\"")
#define LATER_TAGS SIGN_IN "," MANAGE "," VAULTS_LATER "," VAULTS_WEST_LATER "," VAULTS_FRANCE

/* "AzureKeyVault.WestEurope +1/1 -1/0; ..." */
static const char *tags_text(const struct kvg_diff *diff, char ret[1024])
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < diff->tags_count; i++) {
		const struct kvg_diff_tag *tag = &diff->tags[i];

		used += (size_t)snprintf(ret + used, 1024 - used, "%s%s +%zu/%zu -%zu/%zu",
					 i ? "; " : "", tag->name, tag->added[0], tag->added[1],
					 tag->removed[0], tag->removed[1]);
	}
	return ret;
}

#define assert_tags(diff, expected)                                          \
	do {                                                                 \
		char tags_buffer[1024];                                      \
                                                                             \
		assert_string_equal(tags_text(diff, tags_buffer), expected); \
	} while (0)

static void compare(const struct workshop *a, const struct workshop *b, struct kvg_diff *ret)
{
	struct kvg_diff_side x = {&a->library, a->policy};
	struct kvg_diff_side y = {&b->library, b->policy};

	assert_int_equal(kvg_diff_documents(&b->profile, &x, &y, ret), 0);
}

static void documents_are_told_by_tag_and_region(void **state)
{
	SHOP a;
	SHOP b;
	DIFF diff = {0};

	(void)state;
	workshop_init(&a, TAGS(CLIENT_TAGS));
	workshop_init(&b, TAGS(LATER_TAGS));
	workshop_must(&a);
	workshop_must(&b);
	compare(&a, &b, &diff);
	assert_false(diff.same);
	assert_tags(&diff, "AzureKeyVault.WestEurope +1/1 -1/0");
	assert_int_equal(diff.added_count, 2);
	assert_int_equal(diff.removed_count, 1);
	assert_int_equal(diff.lost, 16);
	assert_int_equal(diff.gained, 16);
}

static void a_prefix_without_a_region_counts_for_the_tag_itself(void **state)
{
	SHOP a;
	SHOP b;
	DIFF diff = {0};

	(void)state;
	workshop_init(&a, TAGS(TAG("AzureKeyVault", "",
				   "\"198.51.100.0/28\",\"198.51.100.64/28\"") "," VAULTS_WEST));
	workshop_init(&b, TAGS(TAG("AzureKeyVault", "", "\"198.51.100.0/28\"") "," VAULTS_WEST));
	kvg_profile_set_functions(&a.profile, "data", NULL);
	kvg_profile_set_functions(&b.profile, "data", NULL);
	workshop_must(&a);
	workshop_must(&b);
	compare(&a, &b, &diff);
	assert_tags(&diff, "AzureKeyVault +0/0 -1/0");
}

static void only_what_the_profile_uses_is_told(void **state)
{
	SHOP a;
	SHOP b;
	DIFF diff = {0};

	(void)state;
	workshop_init(&a, TAGS(CLIENT_TAGS));
	workshop_init(&b, TAGS(LATER_TAGS));
	kvg_profile_add_region(&a.profile, "centralfrance", NULL);
	kvg_profile_add_region(&b.profile, "centralfrance", NULL);
	workshop_must(&a);
	workshop_must(&b);
	compare(&a, &b, &diff);
	assert_true(diff.same);
	assert_int_equal(diff.tags_count, 0);
	assert_int_equal(diff.lost + diff.gained, 0);
}

static void documents_that_differ_elsewhere_are_the_same_for_this_client(void **state)
{
	SHOP a;
	SHOP b;
	DIFF diff = {0};

	(void)state;
	workshop_init(&a, TAGS(CLIENT_TAGS));
	workshop_init(&b, TAGS(CLIENT_TAGS "," TAG("Storage", "", "\"203.0.113.0/24\"")));
	workshop_must(&a);
	workshop_must(&b);
	compare(&a, &b, &diff);
	assert_true(diff.same);
	assert_int_equal(diff.tags_count + diff.added_count + diff.removed_count, 0);
}

static void a_prefix_that_moves_between_tags_changes_nothing_for_the_client(void **state)
{
	SHOP a;
	SHOP b;
	DIFF diff = {0};

	(void)state;
	workshop_init(
		&a, TAGS(SIGN_IN "," TAG("AzureKeyVault", "", "\"198.51.100.0/28\"") "," TAG(
			    "AzureResourceManager", "", "\"203.0.113.0/28\",\"203.0.113.32/28\"")));
	workshop_init(
		&b,
		TAGS(SIGN_IN "," TAG(
			"AzureKeyVault", "",
			"\"198.51.100.0/28\",\"203.0.113.32/28\"") "," TAG("AzureResourceManager",
									   "",
									   "\"203.0.113.0/28\"")));
	workshop_must(&a);
	workshop_must(&b);
	compare(&a, &b, &diff);
	assert_true(diff.same);
	assert_tags(&diff, "AzureKeyVault +1/0 -0/0; AzureResourceManager +0/0 -1/0");
}

static void policies_are_told_by_the_origins_of_their_rules(void **state)
{
	SHOP a;
	SHOP b;
	DIFF diff = {0};

	(void)state;
	workshop_init(&a, TAGS(CLIENT_TAGS));
	workshop_init(&b, TAGS(LATER_TAGS));
	kvg_profile_add_allow(&b.profile, "203.0.113.1/32", "tcp/80", "proxy", NULL);
	workshop_must(&a);
	workshop_must(&b);
	assert_int_equal(kvg_diff_policies(a.policy, b.policy, &diff), 0);
	assert_tags(&diff, "AzureKeyVault +1/1 -1/0; allow: proxy +1/0 -0/0");
}

static void a_rule_with_other_services_goes_and_comes(void **state)
{
	SHOP a;
	SHOP b;
	DIFF diff = {0};

	(void)state;
	workshop_init(&a, TAGS(CLIENT_TAGS));
	workshop_init(&b, TAGS(CLIENT_TAGS));
	kvg_profile_add_allow(&b.profile, "192.0.2.0/26", "tcp/80", NULL, NULL);
	workshop_must(&a);
	workshop_must(&b);
	assert_int_equal(kvg_diff_policies(a.policy, b.policy, &diff), 0);
	assert_false(diff.same);
	assert_int_equal(diff.removed_count, 1);
	assert_int_equal(diff.added_count, 1);
	assert_ptr_equal(diff.removed[0], &a.policy->rules[0]);
	assert_ptr_equal(diff.added[0], &b.policy->rules[0]);
	assert_int_equal(diff.lost + diff.gained, 0);
}

/* tcp/443 is bit 0 of one policy and bit 1 of the other. */
static void services_are_compared_by_what_they_are_and_not_by_bit(void **state)
{
	SHOP a;
	SHOP b;
	DIFF diff = {0};

	(void)state;
	workshop_init(&a, TAGS(CLIENT_TAGS));
	workshop_init(&b, TAGS(CLIENT_TAGS));
	kvg_profile_add_allow(&b.profile, "203.0.113.1/32", "tcp/80", NULL, NULL);
	workshop_must(&a);
	workshop_must(&b);
	assert_int_equal(kvg_diff_policies(a.policy, b.policy, &diff), 0);
	assert_int_equal(diff.removed_count, 0);
	assert_int_equal(diff.added_count, 1);
	assert_int_equal(diff.gained, 1);
}

static void another_mode_is_a_difference_without_any_rule(void **state)
{
	SHOP a;
	SHOP b;
	DIFF diff = {0};

	(void)state;
	workshop_init(&a, TAGS(CLIENT_TAGS));
	workshop_init(&b, TAGS(CLIENT_TAGS));
	kvg_profile_set_mode(&b.profile, "audit", NULL);
	workshop_must(&a);
	workshop_must(&b);
	assert_int_equal(kvg_diff_policies(a.policy, b.policy, &diff), 0);
	assert_false(diff.same);
	assert_int_equal(diff.added_count + diff.removed_count + diff.tags_count, 0);
}

static void m365_sets_are_told_by_their_number(void **state)
{
	SHOP a;
	SHOP b;
	DIFF diff = {0};

	(void)state;
	workshop_init(&a, TAGS(CLIENT_TAGS));
	workshop_init(&b, TAGS(CLIENT_TAGS));
	workshop_add(&b, "[" SIGN_IN_SET "]");
	workshop_must(&a);
	workshop_must(&b);
	compare(&a, &b, &diff);
	assert_tags(&diff, "m365:56 +1/1 -0/0");
}

/* A policy of random /26..32 in one /24, and which of its addresses they hold. */
static void random_extras(struct workshop *shop, bool held[256])
{
	workshop_init(shop, TAGS(CLIENT_TAGS));
	kvg_profile_set_functions(&shop->profile, "management", NULL);
	for (int i = 0; i < 12; i++) {
		unsigned int bits = 26 + random_below(7);
		unsigned int size = 1U << (32 - bits);
		unsigned int first = random_below(256 / size) * size;
		char text[32];

		snprintf(text, sizeof(text), "203.0.113.%u/%u", first, bits);
		kvg_profile_add_allow(&shop->profile, text, random_below(2) ? "tcp/80" : "udp/53",
				      NULL, NULL);
		memset(held + first, true, size);
	}
	workshop_must(shop);
}

static void addresses_are_counted_exactly(void **state)
{
	(void)state;
	random_seed();
	for (int round = 0; round < 300; round++) {
		bool before[256] = {false};
		bool after[256] = {false};
		unsigned int lost = 0;
		unsigned int gained = 0;
		DIFF diff = {0};
		SHOP a;
		SHOP b;

		random_extras(&a, before);
		random_extras(&b, after);
		for (int i = 0; i < 256; i++) {
			lost += before[i] && !after[i];
			gained += after[i] && !before[i];
		}
		assert_int_equal(kvg_diff_policies(a.policy, b.policy, &diff), 0);
		assert_int_equal(diff.lost, lost);
		assert_int_equal(diff.gained, gained);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_told_by_tag_and_region),
		cmocka_unit_test(a_prefix_without_a_region_counts_for_the_tag_itself),
		cmocka_unit_test(only_what_the_profile_uses_is_told),
		cmocka_unit_test(documents_that_differ_elsewhere_are_the_same_for_this_client),
		cmocka_unit_test(a_prefix_that_moves_between_tags_changes_nothing_for_the_client),
		cmocka_unit_test(policies_are_told_by_the_origins_of_their_rules),
		cmocka_unit_test(a_rule_with_other_services_goes_and_comes),
		cmocka_unit_test(services_are_compared_by_what_they_are_and_not_by_bit),
		cmocka_unit_test(another_mode_is_a_difference_without_any_rule),
		cmocka_unit_test(m365_sets_are_told_by_their_number),
		cmocka_unit_test(addresses_are_counted_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
