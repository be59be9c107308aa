// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "compiled.h"
#include "policy/variant.h"

#define SHOP   KVG_CLEANUP(workshop_done) struct workshop
#define POLICY KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *

static struct kvg_resolvers set_of(const char *text)
{
	const struct kvg_resolvers_node node = {};
	KVG_CLEANUP(kvg_freep) char *copy = strdup(text);
	struct kvg_resolvers set;

	assert_int_equal(kvg_resolvers_parse(copy, "a", &node, &set, NULL), 0);
	return set;
}

/* @allow: one extra, so that resolvers meet rules that are there; NULL for none */
static void build(struct workshop *shop, const char *allow, const char *service,
		  const char *const resolvers[])
{
	workshop_init(shop, TAGS(CLIENT_TAGS));
	if (allow)
		assert_int_equal(kvg_profile_add_allow(&shop->profile, allow, service, NULL, NULL),
				 0);
	if (resolvers[0]) /* "none" is what it says so far */
		shop->profile.given = 0;
	for (size_t i = 0; resolvers[i]; i++)
		assert_int_equal(kvg_profile_add_resolver(&shop->profile, resolvers[i], NULL), 0);
	workshop_must(shop);
}

static void assert_same_as_compiled(const char *allow, const char *service, const char *conf,
				    const char *const resolvers[])
{
	const char *const none[] = {NULL};
	const struct kvg_resolvers set = set_of(conf);
	SHOP with = {}, without = {};
	POLICY made = NULL;

	build(&with, allow, service, resolvers);
	build(&without, allow, service, none);
	assert_memory_not_equal(with.policy->digest, without.policy->digest, KVG_DIGEST_BYTES);
	assert_int_equal(kvg_variant_make(without.policy, &set, &made, NULL), 0);
	assert_int_equal(kvg_policy_check(made), 0);
	assert_memory_equal(made->digest, with.policy->digest, KVG_DIGEST_BYTES);
}

static void it_is_the_policy_compiled_with_these_resolvers(void **state)
{
	(void)state;
	assert_same_as_compiled(NULL, NULL, "nameserver 10.0.0.10\nnameserver fd00::53\n",
				(const char *const[]){"10.0.0.10", "fd00::53", NULL});
	/* two that are one rule */
	assert_same_as_compiled(NULL, NULL, "nameserver 10.0.0.10\nnameserver 10.0.0.11\n",
				(const char *const[]){"10.0.0.10", "10.0.0.11", NULL});
}

static void a_resolver_inside_another_rule_keeps_what_that_gives(void **state)
{
	(void)state;
	assert_same_as_compiled("10.0.0.0/24", "tcp/443", "nameserver 10.0.0.10\n",
				(const char *const[]){"10.0.0.10", NULL});
	assert_same_as_compiled("10.0.0.10/32", "tcp/853", "nameserver 10.0.0.10\n",
				(const char *const[]){"10.0.0.10", NULL});
}

static void mode_and_inbound_are_the_bases(void **state)
{
	const struct kvg_resolvers set = set_of("nameserver 10.0.0.10\n");
	SHOP shop = {};
	POLICY made = NULL;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	shop.profile.mode = KVG_MODE_AUDIT;
	shop.profile.inbound = KVG_INBOUND_DENY;
	workshop_must(&shop);
	assert_int_equal(kvg_variant_make(shop.policy, &set, &made, NULL), 0);
	assert_int_equal(made->mode, KVG_MODE_AUDIT);
	assert_int_equal(made->inbound, KVG_INBOUND_DENY);
}

static void names_of_variants_fit_and_come_apart_again(void **state)
{
	const char *profile = "a-name-of-forty-eight-characters-is-the-longest.";
	char tag[KVG_VARIANT_TAG_LEN], other[KVG_VARIANT_TAG_LEN], name[KVG_PROFILE_LEN];
	const struct kvg_resolvers none = {}, one = set_of("nameserver 10.0.0.10\n");

	(void)state;
	assert_int_equal(strlen(profile), 48);
	kvg_variant_tag(&one, tag);
	kvg_variant_tag(&none, other);
	assert_string_not_equal(tag, other);
	assert_string_not_equal(other, KVG_VARIANT_NODE);
	kvg_variant_name(profile, tag, name);
	assert_string_equal(kvg_variant_tag_of(name), tag);
	assert_true(kvg_variant_is_of(name, profile));
	assert_true(kvg_variant_is_of(profile, profile));
	assert_false(kvg_variant_is_of(name, "a-name"));
	assert_null(kvg_variant_tag_of(profile));
}

static void the_order_of_the_lines_makes_no_other_variant(void **state)
{
	const struct kvg_resolvers a = set_of("nameserver 10.0.0.10\nnameserver 10.0.0.11\n");
	const struct kvg_resolvers b = set_of("nameserver 10.0.0.11\nnameserver 10.0.0.10\n"
					      "nameserver 10.0.0.11\n");
	char tag[KVG_VARIANT_TAG_LEN], other[KVG_VARIANT_TAG_LEN];

	(void)state;
	kvg_variant_tag(&a, tag);
	kvg_variant_tag(&b, other);
	assert_string_equal(tag, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_policy_compiled_with_these_resolvers),
		cmocka_unit_test(a_resolver_inside_another_rule_keeps_what_that_gives),
		cmocka_unit_test(mode_and_inbound_are_the_bases),
		cmocka_unit_test(names_of_variants_fit_and_come_apart_again),
		cmocka_unit_test(the_order_of_the_lines_makes_no_other_variant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
