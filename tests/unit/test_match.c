// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "discover/match.h"

#define CONFIG KVG_CLEANUP(kvg_config_freep) struct kvg_config *

static struct kvg_config *read_config(const char *text)
{
	struct kvg_config *config = NULL;
	struct kvg_diag diag = {0};

	if (kvg_config_parse(text, strlen(text), &config, &diag) < 0)
		fail_msg("refused: %u:%u: %s", diag.line, diag.column, diag.msg);
	return config;
}

/* A container of a pod; tests change what they need. */
static struct kvg_label pod_labels[] = {{"team", "red"}, {"tier", "back"}};
static const struct kvg_identity pod = {
	.cgroup = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope",
	.unit = "cri-containerd-1.scope",
	.runtime = "containerd",
	.container_id = "1",
	.container = "vault-client",
	.namespace = "payments",
	.pod = "payments-7d9",
	.image = "registry.example/payments/app:1.2",
	.labels = pod_labels,
	.labels_count = 2,
};

static const struct kvg_identity nobody = {
	.cgroup = "/system.slice/app.service/inner",
	.unit = "app.service",
	.runtime = "",
	.container_id = "",
	.container = "",
	.namespace = "",
	.pod = "",
	.image = "",
};

/* The names of the profiles that match, as "a b c". */
static void assert_matches(const char *text, const struct kvg_identity *identity,
			   const char *expected)
{
	CONFIG config = read_config(text);
	KVG_CLEANUP(kvg_freep) struct kvg_match *matches = NULL;
	char names[256] = "";
	size_t count = 99;

	assert_int_equal(kvg_match_all(config, identity, &matches, &count), 0);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			strcat(names, " ");
		strcat(names, matches[i].profile->profile.name);
	}
	assert_string_equal(names, expected);
	assert_true(!matches == !count);
}

#define ONE(select) "profiles: [ { name: p, select: [ " select " ] } ]"

static void an_asterisk_stays_within_a_component(void **state)
{
	(void)state;
	assert_true(kvg_match_pattern("/a/*", "/a/b"));
	assert_true(kvg_match_pattern("/a/*.service", "/a/b.service"));
	assert_true(kvg_match_pattern("/*/x*y/z", "/a/xay/z"));
	assert_true(kvg_match_pattern("/a*b*c", "/aXbXbXc"));
	assert_true(kvg_match_pattern("*", "anything"));
	assert_true(kvg_match_pattern("/a/b*", "/a/b"));
	assert_false(kvg_match_pattern("/a/*", "/a/b/c"));
	assert_false(kvg_match_pattern("/a/*", "/a"));
	assert_false(kvg_match_pattern("/*/c", "/a/b/c"));
	assert_false(kvg_match_pattern("/a*c", "/a/c"));
}

static void two_asterisks_cross_components(void **state)
{
	(void)state;
	assert_true(kvg_match_pattern("/a/**", "/a/b"));
	assert_true(kvg_match_pattern("/a/**", "/a/b/c/d"));
	assert_true(kvg_match_pattern("/**/d", "/a/b/c/d"));
	assert_true(kvg_match_pattern("/**/d", "/d"));
	assert_true(kvg_match_pattern("/a/**/d", "/a/d"));
	assert_true(kvg_match_pattern("/a/**/c/*/e", "/a/c/x/c/d/e"));
	assert_true(kvg_match_pattern("/a/**/b*/c", "/a/b1/x/b2/c"));
	assert_true(kvg_match_pattern("/**.scope", "/a/b/c.scope"));
	assert_true(kvg_match_pattern("r.example/**", "r.example/a/b:1"));
	assert_true(kvg_match_pattern("/a**", "/a"));
	assert_false(kvg_match_pattern("/a/**", "/a"));
	assert_false(kvg_match_pattern("/a/**", "/ab/c"));
	assert_false(kvg_match_pattern("/**/d", "/a/bd"));
	assert_false(kvg_match_pattern("/a/**/d", "/a/b/c"));
}

static void everything_else_stands_for_itself(void **state)
{
	(void)state;
	assert_true(kvg_match_pattern("/a/?", "/a/b"));
	assert_false(kvg_match_pattern("/a?b", "/a/b"));
	assert_false(kvg_match_pattern("/a/?", "/a/"));
	assert_true(kvg_match_pattern("/system-x\\x2dy.slice", "/system-x\\x2dy.slice"));
	assert_true(kvg_match_pattern("/[a]", "/[a]"));
	assert_false(kvg_match_pattern("/[a]", "/a"));
	assert_false(kvg_match_pattern("", "a"));
	assert_true(kvg_match_pattern("", ""));
}

/* The plainest matcher there can be, to compare with. */
static bool plain(const char *pattern, const char *start, const char *text)
{
	if (pattern[0] == '*' && pattern[1] == '*') {
		bool components = pattern[2] == '/' && (pattern == start || pattern[-1] == '/');

		if (plain(pattern + 2 + components, start, text))
			return true;
		for (; *text; text++) {
			if (components ? *text == '/' && plain(pattern + 3, start, text + 1)
				       : plain(pattern + 2, start, text + 1))
				return true;
		}
		return false;
	}
	if (*pattern == '*')
		return plain(pattern + 1, start, text) ||
		       (*text && *text != '/' && plain(pattern, start, text + 1));
	if (!*pattern || !*text)
		return !*pattern && !*text;
	return (*pattern == *text || (*pattern == '?' && *text != '/')) &&
	       plain(pattern + 1, start, text + 1);
}

static void random_patterns_match_as_by_the_plainest_matcher(void **state)
{
	unsigned int seed = 4711;
	unsigned int matched = 0;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		char pattern[10] = "";
		char text[12] = "";

		for (int j = rand_r(&seed) % 9, k = 0; k < j; k++)
			pattern[k] = "/a*b*/*?"[rand_r(&seed) % 8];
		for (int j = rand_r(&seed) % 11, k = 0; k < j; k++)
			text[k] = "/ab/a"[rand_r(&seed) % 5];

		/* Three asterisks in a row say nothing that two do not, and are read from the left. */
		if (strstr(pattern, "***"))
			continue;
		if (kvg_match_pattern(pattern, text) != plain(pattern, pattern, text))
			fail_msg("'%s' and '%s'", pattern, text);
		matched += kvg_match_pattern(pattern, text);
	}
	assert_true(matched > 3000);
}

static void a_hostile_name_does_not_take_long(void **state)
{
	const char *pattern = "/**/a*a*a*a*a*a*a*b/**/a*a*a*a*a*a*a*b/**/x";
	char text[4096];
	clock_t start = clock();

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i += 64)
		text[i] = '/';
	text[sizeof(text) - 1] = '\0';
	assert_false(kvg_match_pattern(pattern, text));
	assert_true(clock() - start < CLOCKS_PER_SEC);
}

static void everything_that_an_entry_names_must_match(void **state)
{
	(void)state;
	assert_matches(ONE("{ kubernetes: { namespace: payments, container: vault-client } }"),
		       &pod, "p");
	assert_matches(ONE("{ kubernetes: { namespace: payments, container: other } }"), &pod, "");
	assert_matches(ONE("{ kubernetes: { pod: 'payments-*' }, cgroup: '/kubepods*/**' }"), &pod,
		       "p");
	assert_matches(ONE("{ kubernetes: { pod: 'payments-*' }, cgroup: '/other/**' }"), &pod, "");
	assert_matches(ONE("{ image: 'registry.example/payments/*' }"), &pod, "p");
	assert_matches(ONE("{ image: 'registry.example/*' }"), &pod, "");
	assert_matches(ONE("{ unit: '*.service' }"), &nobody, "p");
	assert_matches(ONE("{ unit: '*.service' }"), &pod, "");
}

static void one_entry_of_several_is_enough(void **state)
{
	(void)state;
	assert_matches(ONE("{ container: other }, { container: vault-client }"), &pod, "p");
	assert_matches(ONE("{ container: other }, { container: another }"), &pod, "");
	assert_matches("profiles: [ { name: p } ]", &pod, "");
}

static void every_label_must_be_there(void **state)
{
	(void)state;
	assert_matches(ONE("{ labels: { team: red } }"), &pod, "p");
	assert_matches(ONE("{ labels: { team: red, tier: '*' } }"), &pod, "p");
	assert_matches(ONE("{ labels: { team: red, tier: front } }"), &pod, "");
	assert_matches(ONE("{ labels: { team: red, absent: '*' } }"), &pod, "");
	assert_matches(ONE("{ labels: { team: '*' } }"), &nobody, "");
}

static void what_is_not_known_matches_no_pattern(void **state)
{
	(void)state;
	assert_matches(ONE("{ container: '*' }"), &nobody, "");
	assert_matches(ONE("{ image: '**' }"), &nobody, "");
	assert_matches(ONE("{ kubernetes: { labels: { a: '*' } } }"), &nobody, "");
}

static void kubernetes_is_for_containers_of_kubernetes_only(void **state)
{
	struct kvg_identity docker = pod;

	(void)state;
	docker.namespace = "";
	docker.pod = "";
	assert_matches(ONE("{ kubernetes: { container: vault-client } }"), &docker, "");
	assert_matches(ONE("{ container: vault-client }"), &docker, "p");
	assert_matches(ONE("{ container: vault-client }"), &pod, "p");
}

static void the_root_matches_nothing(void **state)
{
	struct kvg_identity root = nobody;

	(void)state;
	root.cgroup = "/";
	root.unit = "-.slice";
	assert_matches(ONE("{ cgroup: '/**' }, { cgroup: '/*' }, { unit: '*' }"), &root, "");
	assert_matches(ONE("{ cgroup: '/**' }"), &nobody, "p");
}

static void more_things_named_weigh_more(void **state)
{
	static const char config[] =
		"profiles:\n"
		"  - { name: one, select: [ { cgroup: '/kubepods.slice/**' } ] }\n"
		"  - { name: three, select: [ { kubernetes: { namespace: '*', pod: '*', image: "
		"'**' } } ] }\n"
		"  - { name: two, select: [ { labels: { team: red, tier: back } } ] }\n";

	(void)state;
	assert_matches(config, &pod, "three two one");
}

static void the_longer_literal_weighs_more_and_then_no_wildcard(void **state)
{
	static const char config[] =
		"profiles:\n"
		"  - { name: any, select: [ { cgroup: '/**' } ] }\n"
		"  - { name: wild, select: [ { cgroup: '/system.slice/app.service/inner*' } ] }\n"
		"  - { name: exact, select: [ { cgroup: /system.slice/app.service/inner } ] }\n"
		"  - { name: slice, select: [ { cgroup: '/system.slice/**' } ] }\n";

	(void)state;
	assert_matches(config, &nobody, "exact wild slice any");
}

static void of_equal_weight_the_first_in_the_config_wins(void **state)
{
	static const char config[] =
		"profiles:\n"
		"  - { name: z, select: [ { cgroup: '/system.slice/**' } ] }\n"
		"  - { name: a, select: [ { cgroup: '/system.slice/**' } ] }\n"
		"  - { name: m, select: [ { cgroup: '/system.slice/**' } ] }\n";

	(void)state;
	assert_matches(config, &nobody, "z a m");
}

static void a_profile_is_told_once_with_its_heaviest_entry(void **state)
{
	CONFIG config =
		read_config(ONE("{ cgroup: '/**' }, { unit: app.service }, { cgroup: '/s*/**' }"));
	KVG_CLEANUP(kvg_freep) struct kvg_match *matches = NULL;
	size_t count;

	(void)state;
	assert_int_equal(kvg_match_all(config, &nobody, &matches, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(matches[0].select->unit, "app.service");
}

static void the_same_or_a_more_specific_profile_above_covers(void **state)
{
	static const char text[] =
		"profiles:\n"
		"  - { name: wide, select: [ { cgroup: '/system.slice/**' } ] }\n"
		"  - { name: narrow, select: [ { cgroup: /system.slice/app.service } ] }\n";
	CONFIG config = read_config(text);
	const struct kvg_match wide = {&config->profiles[0], NULL, 10};
	const struct kvg_match lighter = {&config->profiles[0], NULL, 5};
	const struct kvg_match narrow = {&config->profiles[1], NULL, 20};
	const struct kvg_match even = {&config->profiles[1], NULL, 10};

	(void)state;
	assert_true(kvg_match_is_covered(&wide, &wide));
	assert_true(kvg_match_is_covered(&wide, &lighter));
	assert_true(kvg_match_is_covered(&wide, &narrow));
	assert_false(kvg_match_is_covered(&narrow, &wide));
	assert_false(kvg_match_is_covered(&wide, &even));
}

static void below_is_by_whole_components(void **state)
{
	(void)state;
	assert_true(kvg_match_is_below("/a/b", "/a"));
	assert_true(kvg_match_is_below("/a", "/"));
	assert_false(kvg_match_is_below("/ab", "/a"));
	assert_false(kvg_match_is_below("/a", "/a"));
	assert_false(kvg_match_is_below("/a", "/a/b"));
	assert_false(kvg_match_is_below("/", "/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_asterisk_stays_within_a_component),
		cmocka_unit_test(two_asterisks_cross_components),
		cmocka_unit_test(everything_else_stands_for_itself),
		cmocka_unit_test(random_patterns_match_as_by_the_plainest_matcher),
		cmocka_unit_test(a_hostile_name_does_not_take_long),
		cmocka_unit_test(everything_that_an_entry_names_must_match),
		cmocka_unit_test(one_entry_of_several_is_enough),
		cmocka_unit_test(every_label_must_be_there),
		cmocka_unit_test(what_is_not_known_matches_no_pattern),
		cmocka_unit_test(kubernetes_is_for_containers_of_kubernetes_only),
		cmocka_unit_test(the_root_matches_nothing),
		cmocka_unit_test(more_things_named_weigh_more),
		cmocka_unit_test(the_longer_literal_weighs_more_and_then_no_wildcard),
		cmocka_unit_test(of_equal_weight_the_first_in_the_config_wins),
		cmocka_unit_test(a_profile_is_told_once_with_its_heaviest_entry),
		cmocka_unit_test(the_same_or_a_more_specific_profile_above_covers),
		cmocka_unit_test(below_is_by_whole_components),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
