// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "folder.h"
#include "policy/resolvers.h"
#include "policy/variant.h"

#define TEXT  KVG_CLEANUP(kvg_freep) char *
#define NOTES KVG_CLEANUP(kvg_notes_done) struct kvg_notes

/* A node that asks 198.51.100.53 itself, and has a stub whose upstream is Azure's. */
static struct kvg_resolvers_node node_of(void **state)
{
	TEXT own = folder_write(state, "node", "nameserver 198.51.100.53\nnameserver 127.0.0.53\n");
	TEXT upstream = folder_write(state, "upstream", "nameserver 168.63.129.16\n");
	struct kvg_resolvers_node node;

	assert_int_equal(kvg_resolvers_read_node(own, upstream, &node, NULL), 0);
	return node;
}

static void assert_taken(void **state, const char *conf, const char *expected, const char *noted)
{
	const struct kvg_resolvers_node node = node_of(state);
	TEXT copy = strdup(conf);
	struct kvg_resolvers set;
	NOTES notes = {};

	assert_int_equal(kvg_resolvers_parse(copy, "a", &node, &set, &notes), 0);
	TEXT text = kvg_resolvers_format(&set);
	assert_string_equal(text, expected);
	assert_int_equal(notes.count, noted ? 1 : 0);
	if (noted && !strstr(notes.lines[0], noted))
		fail_msg("'%s' is not in '%s'", noted, notes.lines[0]);
}

static void private_and_link_local_ones_are_taken(void **state)
{
	assert_taken(state, "nameserver 10.0.0.10\n", "10.0.0.10\n", NULL);
	assert_taken(state, "nameserver 169.254.20.10\n", "169.254.20.10\n", NULL);
	assert_taken(state, "nameserver fd00::53\nnameserver 10.89.0.1\n", "10.89.0.1\nfd00::53\n",
		     NULL);
}

static void the_nodes_own_and_their_upstream_are_taken(void **state)
{
	assert_taken(state, "nameserver 198.51.100.53\n", "198.51.100.53\n", NULL);
	assert_taken(state, "nameserver 168.63.129.16\n", "168.63.129.16\n", NULL);
}

static void one_on_the_internet_is_left_out_and_named(void **state)
{
	assert_taken(state, "nameserver 203.0.113.66\nnameserver 10.0.0.10\n", "10.0.0.10\n",
		     "nameserver 203.0.113.66 of a is neither private nor the node's");
	assert_taken(state, "nameserver 2001:db8::66\n", "", "2001:db8::66");
}

static void what_leads_elsewhere_is_left_out(void **state)
{
	assert_taken(state, "nameserver 0.0.0.0\n", "", "0.0.0.0");
	assert_taken(state, "nameserver 224.0.0.251\n", "", "224.0.0.251");
	assert_taken(state, "nameserver ::ffff:10.0.0.10\n", "", "no address");
	assert_taken(state, "nameserver fe80::1\n", "", "fe80::1");
	assert_taken(state, "nameserver 64:ff9b::a00:a\n", "", "64:ff9b::");
}

static void loopback_needs_no_rule_and_no_note(void **state)
{
	assert_taken(state, "nameserver 127.0.0.11\nnameserver ::1\n", "", NULL);
}

static void what_is_no_address_is_not_repeated_in_the_note(void **state)
{
	const struct kvg_resolvers_node node = node_of(state);
	TEXT copy = strdup("nameserver \033[2Jroot\nnameserver fe80::1%eth0\n");
	struct kvg_resolvers set;
	NOTES notes = {};

	assert_int_equal(kvg_resolvers_parse(copy, "a", &node, &set, &notes), 0);
	assert_int_equal(set.count, 0);
	assert_int_equal(notes.count, 2);
	assert_null(strstr(notes.lines[0], "root"));
	assert_null(strstr(notes.lines[1], "eth0"));
}

static void only_three_lines_count_as_in_glibc(void **state)
{
	assert_taken(state,
		     "nameserver 127.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.1\n"
		     "nameserver 10.0.0.9\n",
		     "10.0.0.1\n10.0.0.2\n", NULL);
}

static void a_node_without_a_file_has_none_and_says_so(void **state)
{
	TEXT path = folder_path(state, "absent");
	struct kvg_resolvers_node node;
	NOTES notes = {};

	assert_int_equal(kvg_resolvers_read_node(path, path, &node, &notes), 0);
	assert_int_equal(node.own.count, 0);
	assert_int_equal(notes.count, 1);
	assert_non_null(strstr(notes.lines[0], "cannot be read"));
}

static struct kvg_resolvers set_of(const char *text)
{
	const struct kvg_resolvers_node node = {};
	TEXT copy = strdup(text);
	struct kvg_resolvers set;

	assert_int_equal(kvg_resolvers_parse(copy, "a", &node, &set, NULL), 0);
	return set;
}

static void what_is_kept_is_recalled_and_forgotten_when_unused(void **state)
{
	const struct kvg_resolvers set = set_of("nameserver fd00::53\nnameserver 10.0.0.10\n");
	struct kvg_resolvers read;

	assert_int_equal(kvg_resolvers_recall(*state, "tag", &read), -ENOENT);
	assert_int_equal(kvg_resolvers_keep(*state, "tag", &set), 0);
	assert_int_equal(kvg_resolvers_keep(*state, "other", &set), 0);
	assert_int_equal(kvg_resolvers_recall(*state, "tag", &read), 0);
	assert_true(kvg_resolvers_equal(&read, &set));
	TEXT damaged = folder_write(state, "resolvers/tag", "nobody\n");
	assert_non_null(damaged);
	assert_int_equal(kvg_resolvers_recall(*state, "tag", &read), -EINVAL);
}

static bool is_other(const void *data, const char *tag)
{
	(void)data;
	return strcmp(tag, "other") == 0;
}

static void what_nobody_uses_is_forgotten(void **state)
{
	const struct kvg_resolvers set = {};
	struct kvg_resolvers read;

	assert_int_equal(kvg_resolvers_keep(*state, "tag", &set), 0);
	assert_int_equal(kvg_resolvers_keep(*state, "other", &set), 0);
	kvg_resolvers_forget(*state, is_other, NULL);
	assert_int_equal(kvg_resolvers_recall(*state, "tag", &read), -ENOENT);
	assert_int_equal(kvg_resolvers_recall(*state, "other", &read), 0);
	assert_int_equal(read.count, 0);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(private_and_link_local_ones_are_taken),
		IN_FOLDER(the_nodes_own_and_their_upstream_are_taken),
		IN_FOLDER(one_on_the_internet_is_left_out_and_named),
		IN_FOLDER(what_leads_elsewhere_is_left_out),
		IN_FOLDER(loopback_needs_no_rule_and_no_note),
		IN_FOLDER(what_is_no_address_is_not_repeated_in_the_note),
		IN_FOLDER(only_three_lines_count_as_in_glibc),
		IN_FOLDER(a_node_without_a_file_has_none_and_says_so),
		IN_FOLDER(what_is_kept_is_recalled_and_forgotten_when_unused),
		IN_FOLDER(what_nobody_uses_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
