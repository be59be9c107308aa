// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rules of a policy against a naive model: the services of an address are the union of the claims
 * that hold it. What an address gets changes only at the ends of claims, so looking at the first and
 * last address of each claim, and the ones just outside, is looking everywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/address.h"
#include "policy/policy.h"
#include "policy/rules.h"
#include "random.h"

#define CLAIMS_MAX 64
#define PROBES_MAX (5 * CLAIMS_MAX)

static const char *const names[] = {"a", "b", "c", "d", "e"};

struct set {
	struct kvg_claim claims[CLAIMS_MAX];
	size_t count;
	struct kvg_prefix probes[PROBES_MAX];
	size_t probes_count;
	struct kvg_rule_set rules;
};

static void set_done(struct set *set)
{
	free(set->rules.rules);
	free(set->rules.names);
}

static struct kvg_prefix prefix_of(const char *text)
{
	struct kvg_prefix prefix;
	struct kvg_diag diag;

	if (kvg_prefix_parse(text, &prefix, &diag) < 0)
		fail_msg("%s", diag.msg);
	return prefix;
}

static void claim(struct set *set, const char *text, __u32 services, const char *from)
{
	assert_true(set->count < CLAIMS_MAX);
	set->claims[set->count++] =
		(struct kvg_claim){.prefix = prefix_of(text), .services = services, .from = from};
}

static unsigned int max_bits(const struct kvg_prefix *prefix)
{
	return prefix->family == AF_INET ? 32 : 128;
}

/* --- the model ---------------------------------------------------------------------------------- */

static __u32 model_services(const struct set *set, const struct kvg_prefix *address)
{
	__u32 services = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (kvg_prefix_holds(&set->claims[i].prefix, address))
			services |= set->claims[i].services;
	}
	return services;
}

static const struct kvg_rule *model_longest(const struct kvg_rule_set *rules,
					    const struct kvg_prefix *address, size_t without)
{
	const struct kvg_rule *longest = NULL;

	for (size_t i = 0; i < rules->count; i++) {
		const struct kvg_rule *rule = &rules->rules[i];

		if (i != without && kvg_prefix_holds(&rule->prefix, address) &&
		    (!longest || rule->prefix.bits > longest->prefix.bits))
			longest = rule;
	}
	return longest;
}

static __u32 rules_services(const struct kvg_rule_set *rules, const struct kvg_prefix *address,
			    size_t without)
{
	const struct kvg_rule *rule = model_longest(rules, address, without);

	return rule ? rule->services : 0;
}

/* --- probes: where answers may change ---------------------------------------------------------- */

static void probe(struct set *set, const struct kvg_prefix *address)
{
	assert_true(set->probes_count < PROBES_MAX);
	set->probes[set->probes_count++] = *address;
}

/* The address @step (+1 or -1) further; false at the end of the space. */
static bool move(struct kvg_prefix *address, int step)
{
	unsigned int bytes = max_bits(address) / 8;

	for (unsigned int i = bytes; i-- > 0;) {
		address->addr[i] = (__u8)(address->addr[i] + step);
		if (address->addr[i] != (step > 0 ? 0 : 0xff))
			return true;
	}
	return false;
}

static struct kvg_prefix first_of(const struct kvg_prefix *prefix)
{
	struct kvg_prefix first = *prefix;

	first.bits = (__u8)max_bits(prefix);
	return first;
}

static struct kvg_prefix last_of(const struct kvg_prefix *prefix)
{
	struct kvg_prefix last = first_of(prefix);

	for (unsigned int i = prefix->bits; i < last.bits; i++)
		last.addr[i / 8] |= (__u8)(0x80 >> i % 8);
	return last;
}

static void probe_edges(struct set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct kvg_prefix first = first_of(&set->claims[i].prefix);
		struct kvg_prefix last = last_of(&set->claims[i].prefix);

		probe(set, &first);
		probe(set, &last);
		if (move(&first, -1))
			probe(set, &first);
		if (move(&last, 1))
			probe(set, &last);
	}
}

static void build(struct set *set)
{
	set_done(set);
	assert_int_equal(kvg_rules_build(set->claims, set->count, &set->rules), 0);
	set->probes_count = 0;
	probe_edges(set);
}

/* --- claims about any set ---------------------------------------------------------------------- */

static void assert_answers(const struct set *set)
{
	struct kvg_policy policy = {.rules = set->rules.rules, .rules_count = set->rules.count};

	for (size_t i = 0; i < set->probes_count; i++) {
		const struct kvg_prefix *address = &set->probes[i];

		assert_int_equal(rules_services(&set->rules, address, SIZE_MAX),
				 model_services(set, address));
		assert_ptr_equal(kvg_policy_longest(&policy, address),
				 model_longest(&set->rules, address, SIZE_MAX));
	}
}

static void assert_form(const struct kvg_rule_set *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct kvg_rule *rule = &rules->rules[i];

		assert_true(rule->services != 0);
		if (i > 0)
			assert_true(kvg_prefix_compare(&rule[-1].prefix, &rule->prefix) < 0);
		for (size_t j = i + 1; j < rules->count; j++) {
			__u32 inner = rules->rules[j].services;

			if (kvg_prefix_holds(&rule->prefix, &rules->rules[j].prefix))
				assert_int_equal(inner & rule->services, rule->services);
		}
	}
}

/* Without any one rule, some answer is another. */
static void assert_none_needless(const struct set *set)
{
	for (size_t i = 0; i < set->rules.count; i++) {
		bool differs = false;

		for (size_t j = 0; j < set->probes_count && !differs; j++)
			differs = rules_services(&set->rules, &set->probes[j], i) !=
				  model_services(set, &set->probes[j]);
		if (!differs) {
			char text[KVG_PREFIX_STRLEN];

			fail_msg("rule %s is needless",
				 kvg_prefix_format(&set->rules.rules[i].prefix, text));
		}
	}
}

static bool names_claim(const struct kvg_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->from_count; i++) {
		if (strcmp(rule->from[i], name) == 0)
			return true;
	}
	return false;
}

/* Who claimed a service of a rule for all of it is named; who is named claimed one for part of it. */
static void assert_origins(const struct set *set)
{
	for (size_t i = 0; i < set->rules.count; i++) {
		const struct kvg_rule *rule = &set->rules.rules[i];

		assert_true(rule->from_count > 0);
		for (size_t j = 1; j < rule->from_count; j++)
			assert_true(strcmp(rule->from[j - 1], rule->from[j]) < 0);

		for (size_t j = 0; j < set->count; j++) {
			const struct kvg_claim *c = &set->claims[j];

			if (kvg_prefix_holds(&c->prefix, &rule->prefix))
				assert_true(names_claim(rule, c->from));
		}
		for (size_t j = 0; j < rule->from_count; j++) {
			bool found = false;

			for (size_t k = 0; k < set->count && !found; k++) {
				const struct kvg_claim *c = &set->claims[k];

				found = c->from == rule->from[j] && c->services & rule->services &&
					(kvg_prefix_holds(&c->prefix, &rule->prefix) ||
					 kvg_prefix_holds(&rule->prefix, &c->prefix));
			}
			assert_true(found);
		}
	}
}

static void assert_same_rules(const struct kvg_rule_set *a, const struct kvg_rule_set *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_int_equal(kvg_prefix_compare(&a->rules[i].prefix, &b->rules[i].prefix), 0);
		assert_int_equal(a->rules[i].services, b->rules[i].services);
	}
}

/* Other claims with the same union: in another order, with repeats, one of them cut in two. */
static void assert_depends_on_union_only(const struct set *set)
{
	KVG_CLEANUP(set_done) struct set other = {.count = set->count};

	memcpy(other.claims, set->claims, sizeof(set->claims));
	for (size_t i = other.count; i > 1; i--) {
		size_t j = random_below((uint32_t)i);
		struct kvg_claim swap = other.claims[i - 1];

		other.claims[i - 1] = other.claims[j];
		other.claims[j] = swap;
	}
	if (other.count + 2 <= CLAIMS_MAX && other.claims[0].prefix.bits < 32) {
		struct kvg_claim *half = &other.claims[other.count];

		half[0] = other.claims[0];
		half[0].prefix.bits++;
		half[1] = half[0];
		half[1].prefix.addr[other.claims[0].prefix.bits / 8] |=
			(__u8)(0x80 >> other.claims[0].prefix.bits % 8);
		other.claims[0] = other.claims[random_below((uint32_t)other.count)];
		other.count += 2;
	}
	assert_int_equal(kvg_rules_build(other.claims, other.count, &other.rules), 0);
	assert_same_rules(&set->rules, &other.rules);
}

static void assert_all(struct set *set)
{
	build(set);
	assert_answers(set);
	assert_form(&set->rules);
	assert_none_needless(set);
	assert_origins(set);
	assert_depends_on_union_only(set);
}

/* --- random sets ------------------------------------------------------------------------------- */

/* One of every kind of address: nests of claims grow around these. */
static const char *const nests[] = {
	"0.0.0.0/0",          "0.0.0.0/8",      "10.0.0.0/8",       "100.64.0.0/10",
	"127.0.0.0/8",        "128.0.0.0/1",    "169.254.0.0/16",   "172.16.0.0/12",
	"192.0.2.0/24",       "192.168.0.0/16", "198.51.100.0/24",  "203.0.113.0/24",
	"224.0.0.0/4",        "240.0.0.0/4",    "255.255.255.0/24", "::/96",
	"64:ff9b::/96",       "2000::/3",       "2001:db8::/32",    "2002::/16",
	"fc00::/7",           "fe80::/10",      "ff00::/8",         "2001:db8::/124",
	"2001:db8::ff00/120",
};

static struct kvg_prefix random_within(const struct kvg_prefix *nest)
{
	struct kvg_prefix prefix = *nest;
	unsigned int deepest = nest->bits + 6;
	unsigned int limit = deepest > max_bits(nest) ? max_bits(nest) : deepest;

	/* Mostly close together, so that claims nest, touch and merge; sometimes single addresses. */
	prefix.bits = (__u8)(nest->bits + random_below(limit - nest->bits + 1));
	if (random_below(16) == 0)
		prefix.bits = (__u8)max_bits(nest);
	for (unsigned int i = nest->bits; i < prefix.bits; i++) {
		if (random_below(2))
			prefix.addr[i / 8] |= (__u8)(0x80 >> i % 8);
	}
	return prefix;
}

static void random_set(struct set *set)
{
	size_t count = 1 + random_below(CLAIMS_MAX - 4);
	struct kvg_prefix nest[3];

	for (size_t i = 0; i < KVG_ARRAY_SIZE(nest); i++) {
		nest[i] = prefix_of("0.0.0.0/0");
		kvg_prefix_parse(nests[random_below(KVG_ARRAY_SIZE(nests))], &nest[i], NULL);
	}

	set->count = 0;
	while (set->count < count) {
		struct kvg_claim *c = &set->claims[set->count++];

		c->prefix = random_within(&nest[random_below(KVG_ARRAY_SIZE(nest))]);
		c->services = 1U << random_below(random_below(4) ? 2 : 5);
		c->from = names[random_below(KVG_ARRAY_SIZE(names))];
	}
}

static void random_nested_sets_answer_as_the_model(void **state)
{
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	random_seed();
	for (int i = 0; i < 2000; i++) {
		random_set(&set);
		assert_all(&set);
	}
}

/* --- the smallest there is, by dynamic programming over a tiny space ---------------------------- */

#define TINY_BITS     4
#define TINY_SERVICES 8 /* every set of three services */

struct tiny {
	__u32 wanted[1 << TINY_BITS];
};

static __u32 tiny_common(const struct tiny *tiny, unsigned int first, unsigned int count)
{
	__u32 common = TINY_SERVICES - 1;

	for (unsigned int i = first; i < first + count; i++)
		common &= tiny->wanted[i];
	return common;
}

/* Fewest rules for the block, if @inherited is what it gets from outside; inner rules give more. */
static unsigned int tiny_fewest(const struct tiny *tiny, unsigned int first, unsigned int count,
				__u32 inherited)
{
	__u32 common = tiny_common(tiny, first, count);
	unsigned int fewest = 1000;

	for (__u32 services = inherited; services < TINY_SERVICES; services++) {
		unsigned int rules = services != inherited;

		if ((services & inherited) != inherited || (services & common) != services)
			continue;
		if (count == 1)
			rules += services == tiny->wanted[first] ? 0 : 1000;
		else
			rules += tiny_fewest(tiny, first, count / 2, services) +
				 tiny_fewest(tiny, first + count / 2, count / 2, services);
		fewest = rules < fewest ? rules : fewest;
	}
	return fewest;
}

static void no_smaller_self_contained_set_exists(void **state)
{
	struct kvg_prefix nest = prefix_of("192.0.2.16/28");

	(void)state;
	random_seed();
	for (int round = 0; round < 400; round++) {
		KVG_CLEANUP(set_done) struct set set = {.count = 1 + random_below(10)};
		struct tiny tiny = {{0}};

		for (size_t i = 0; i < set.count; i++) {
			set.claims[i].prefix = random_within(&nest);
			set.claims[i].services = 1U << random_below(3);
			set.claims[i].from = names[0];
		}
		for (unsigned int i = 0; i < 1 << TINY_BITS; i++) {
			struct kvg_prefix address = first_of(&nest);

			address.addr[3] |= (__u8)i;
			tiny.wanted[i] = model_services(&set, &address);
		}
		build(&set);
		assert_int_equal(set.rules.count, tiny_fewest(&tiny, 0, 1 << TINY_BITS, 0));
	}
}

/* --- single claims ----------------------------------------------------------------------------- */

static void assert_rules(struct set *set, const char *expected)
{
	char text[1024] = "";
	char prefix[KVG_PREFIX_STRLEN];

	assert_all(set);
	for (size_t i = 0; i < set->rules.count; i++) {
		const struct kvg_rule *rule = &set->rules.rules[i];
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s=%x", i ? " " : "",
			 kvg_prefix_format(&rule->prefix, prefix), rule->services);
		for (size_t j = 0; j < rule->from_count; j++) {
			strcat(text, j ? "," : ":");
			strcat(text, rule->from[j]);
		}
	}
	assert_string_equal(text, expected);
}

static void an_inner_rule_carries_the_outer_ones_services_and_names(void **state)
{
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	claim(&set, "192.0.2.0/24", 1, names[0]);
	claim(&set, "192.0.2.128/25", 2, names[1]);
	assert_rules(&set, "192.0.2.0/24=1:a 192.0.2.128/25=3:a,b");
}

static void an_inner_claim_for_the_same_service_is_no_rule(void **state)
{
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	claim(&set, "192.0.2.0/24", 1, names[0]);
	claim(&set, "192.0.2.128/25", 1, names[1]);
	assert_rules(&set, "192.0.2.0/24=1:a");
}

static void equal_prefixes_share_a_rule_and_both_names(void **state)
{
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	claim(&set, "192.0.2.0/24", 1, names[1]);
	claim(&set, "192.0.2.0/24", 1, names[0]);
	claim(&set, "192.0.2.0/24", 2, names[0]);
	assert_rules(&set, "192.0.2.0/24=3:a,b");
}

static void siblings_with_equal_services_merge_repeatedly(void **state)
{
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	claim(&set, "192.0.2.0/26", 1, names[0]);
	claim(&set, "192.0.2.64/26", 1, names[1]);
	claim(&set, "192.0.2.128/25", 1, names[2]);
	assert_rules(&set, "192.0.2.0/24=1:a,b,c");
}

static void neighbours_that_are_no_siblings_stay(void **state)
{
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	claim(&set, "192.0.2.64/26", 1, names[0]);
	claim(&set, "192.0.2.128/26", 1, names[0]);
	assert_rules(&set, "192.0.2.64/26=1:a 192.0.2.128/26=1:a");
}

static void a_merge_keeps_what_is_more_inside(void **state)
{
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	claim(&set, "2001:db8::/33", 1, names[0]);
	claim(&set, "2001:db8:8000::/33", 1, names[1]);
	claim(&set, "2001:db8:8000::/48", 2, names[2]);
	assert_rules(&set, "2001:db8::/32=1:a,b 2001:db8:8000::/48=3:b,c");
}

static void a_rule_whose_halves_say_more_is_no_rule(void **state)
{
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	claim(&set, "192.0.2.0/24", 1, names[0]);
	claim(&set, "192.0.2.0/25", 2, names[1]);
	claim(&set, "192.0.2.128/25", 4, names[2]);
	assert_rules(&set, "192.0.2.0/25=3:a,b 192.0.2.128/25=5:a,c");
}

static void ipv4_comes_before_ipv6_and_never_meets_it(void **state)
{
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	claim(&set, "8000::/1", 1, names[0]);
	claim(&set, "0.0.0.0/1", 1, names[0]);
	claim(&set, "128.0.0.0/1", 1, names[1]);
	assert_rules(&set, "0.0.0.0/0=1:a,b 8000::/1=1:a");
}

static void no_claims_give_no_rules(void **state)
{
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	assert_rules(&set, "");
}

static void a_chain_of_all_lengths_is_walked_to_its_end(void **state)
{
	KVG_CLEANUP(kvg_freep) struct kvg_claim *claims = calloc(129, sizeof(*claims));
	KVG_CLEANUP(set_done) struct set set = {0};

	(void)state;
	for (unsigned int bits = 0; bits <= 128; bits++) {
		claims[bits].prefix = (struct kvg_prefix){.family = AF_INET6, .bits = (__u8)bits};
		claims[bits].services = 1U << bits % 32;
		claims[bits].from = names[bits % KVG_ARRAY_SIZE(names)];
	}
	assert_int_equal(kvg_rules_build(claims, 129, &set.rules), 0);
	assert_int_equal(set.rules.count, 32);
	assert_int_equal(set.rules.rules[31].services, 0xffffffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_inner_rule_carries_the_outer_ones_services_and_names),
		cmocka_unit_test(an_inner_claim_for_the_same_service_is_no_rule),
		cmocka_unit_test(equal_prefixes_share_a_rule_and_both_names),
		cmocka_unit_test(siblings_with_equal_services_merge_repeatedly),
		cmocka_unit_test(neighbours_that_are_no_siblings_stay),
		cmocka_unit_test(a_merge_keeps_what_is_more_inside),
		cmocka_unit_test(a_rule_whose_halves_say_more_is_no_rule),
		cmocka_unit_test(ipv4_comes_before_ipv6_and_never_meets_it),
		cmocka_unit_test(no_claims_give_no_rules),
		cmocka_unit_test(a_chain_of_all_lengths_is_walked_to_its_end),
		cmocka_unit_test(random_nested_sets_answer_as_the_model),
		cmocka_unit_test(no_smaller_self_contained_set_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
