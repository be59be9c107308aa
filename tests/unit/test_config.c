// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/config.h"

#define CONFIG KVG_CLEANUP(kvg_config_freep) struct kvg_config *

static struct kvg_config *read_config(const char *text)
{
	struct kvg_config *config = NULL;
	struct kvg_diag diag = {0};

	if (kvg_config_parse(text, strlen(text), &config, &diag) < 0)
		fail_msg("refused: %u:%u: %s", diag.line, diag.column, diag.msg);
	return config;
}

static void assert_refused(const char *text, unsigned int line, unsigned int column,
			   const char *message)
{
	struct kvg_config *untouched = NULL;
	struct kvg_diag diag = {0};

	assert_int_equal(kvg_config_parse(text, strlen(text), &untouched, &diag), -EINVAL);
	assert_null(untouched);
	assert_string_equal(diag.msg, message);
	assert_int_equal(diag.line, line);
	assert_int_equal(diag.column, column);
}

/* A fault in the fourth line, inside a profile that is good otherwise. */
#define IN_PROFILE(line) "profiles:\n  - name: p\n    cloud: public\n    " line "\n"

static const char whole[] =
	"ranges:\n"
	"  directory: /srv/ranges\n"
	"  refresh: 90m                 # 0 = never; jittered\n"
	"  max_shrink: 25%\n"
	"audit:\n"
	"  file: /var/log/kvgate/denied.jsonl\n"
	"  journal: true\n"
	"metrics: { listen: \"127.0.0.1:9435\" }\n"
	"profiles:\n"
	"  - name: payments\n"
	"    cloud: usgov\n"
	"    functions: [authentication, data]\n"
	"    identity: [work, adfs]\n"
	"    adfs_hosts: [adfs.example.com]\n"
	"    regions: [usgovvirginia, usgovtexas]\n"
	"    resolvers: [192.0.2.10]\n"
	"    allow: [ { prefix: 192.0.2.4/32, service: tcp/443, note: private endpoint } ]\n"
	"    crl: { hosts: none, prefixes: [ 203.0.113.0/28 ], tags: [ AzureFrontDoor ] }\n"
	"    inbound: deny\n"
	"    mode: audit\n"
	"    select:\n"
	"      - cgroup: \"/payments.slice/**\"\n"
	"      - kubernetes: { namespace: payments, container: vault-client }\n"
	"  - name: plain\n";

static void every_key_of_the_file_is_kept(void **state)
{
	CONFIG config = read_config(whole);

	(void)state;
	assert_string_equal(config->ranges_directory, "/srv/ranges");
	assert_int_equal(config->ranges_refresh_s, 5400);
	assert_int_equal(config->ranges_max_shrink_percent, 25);
	assert_string_equal(config->audit.file, "/var/log/kvgate/denied.jsonl");
	assert_true(config->audit.journal);
	assert_string_equal(config->metrics_listen, "127.0.0.1:9435");
	assert_int_equal(config->profiles_count, 2);
}

static void every_key_of_a_profile_is_kept(void **state)
{
	CONFIG config = read_config(whole);
	const struct kvg_profile *p = &kvg_config_find(config, "payments")->profile;

	(void)state;
	assert_int_equal(p->cloud, KVG_CLOUD_USGOV);
	assert_int_equal(p->functions, 1U << KVG_FUNCTION_AUTHENTICATION | 1U << KVG_FUNCTION_DATA);
	assert_int_equal(p->identities, 1U << KVG_IDENTITY_WORK | 1U << KVG_IDENTITY_ADFS);
	assert_string_equal(p->adfs_hosts[0], "adfs.example.com");
	assert_int_equal(p->regions_count, 2);
	assert_string_equal(p->regions[1], "usgovtexas");
	assert_int_equal(p->resolvers_count, 1);
	assert_false(p->auto_resolvers);
	assert_int_equal(p->allow_count, 1);
	assert_string_equal(p->allow[0].note, "private endpoint");
	assert_int_equal(ntohs(p->allow[0].service.port), 443);
	assert_false(p->crl_hosts);
	assert_int_equal(p->crl_prefixes_count, 1);
	assert_string_equal(p->crl_tags[0], "AzureFrontDoor");
	assert_int_equal(p->inbound, KVG_INBOUND_DENY);
	assert_int_equal(p->mode, KVG_MODE_AUDIT);
}

static void selectors_are_kept_in_order(void **state)
{
	CONFIG config = read_config(whole);
	const struct kvg_config_profile *p = kvg_config_find(config, "payments");

	(void)state;
	assert_int_equal(p->selects_count, 2);
	assert_string_equal(p->selects[0].cgroup, "/payments.slice/**");
	assert_null(p->selects[0].namespace);
	assert_null(p->selects[1].cgroup);
	assert_string_equal(p->selects[1].namespace, "payments");
	assert_null(p->selects[1].pod);
	assert_string_equal(p->selects[1].container, "vault-client");
}

static void what_is_left_out_has_its_default(void **state)
{
	CONFIG config = read_config("profiles: [ { name: p } ]");
	const struct kvg_profile *p = &config->profiles[0].profile;

	(void)state;
	assert_null(config->ranges_directory);
	assert_int_equal(config->ranges_refresh_s, 86400);
	assert_int_equal(config->ranges_max_shrink_percent, 30);
	assert_null(config->audit.file);
	assert_false(config->audit.journal);
	assert_string_equal(config->metrics_listen, "127.0.0.1:9435");
	assert_int_equal(p->functions, 7);
	assert_int_equal(p->identities, 1U << KVG_IDENTITY_WORK);
	assert_true(p->auto_resolvers);
	assert_true(p->crl_hosts);
	assert_null(kvg_config_find(config, "q"));
}

static void metrics_are_served_where_it_is_said_or_nowhere(void **state)
{
	CONFIG none = read_config("metrics: { listen: none }\nprofiles: [ { name: p } ]");
	CONFIG ipv6 = read_config("metrics: { listen: \"[::]:9435\" }\nprofiles: [ { name: p } ]");

	(void)state;
	assert_null(none->metrics_listen);
	assert_string_equal(ipv6->metrics_listen, "[::]:9435");
}

static void durations_have_a_unit_or_are_nought(void **state)
{
	static const struct {
		const char *text;
		unsigned long seconds;
	} rows[] = {
		{"ranges: { refresh: 0 }\nprofiles: [ { name: p } ]", 0},
		{"ranges: { refresh: 30s }\nprofiles: [ { name: p } ]", 30},
		{"ranges: { refresh: 24h }\nprofiles: [ { name: p } ]", 86400},
		{"ranges: { refresh: 7d }\nprofiles: [ { name: p } ]", 604800},
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(rows); i++) {
		CONFIG config = read_config(rows[i].text);

		assert_int_equal(config->ranges_refresh_s, rows[i].seconds);
	}
	assert_refused("ranges: { refresh: 24 }\nprofiles: [ { name: p } ]", 1, 20,
		       "bad value '24' of 'ranges.refresh': expected 0, or a number and s, m, h or "
		       "d, such as 24h");
	assert_refused("ranges: { refresh: -1h }\nprofiles: [ { name: p } ]", 1, 20,
		       "bad value '-1h' of 'ranges.refresh': expected 0, or a number and s, m, h "
		       "or d, such as 24h");
}

static void bad_values_outside_profiles_are_refused_in_place(void **state)
{
	(void)state;
	assert_refused("ranges:\n  max_shrink: 130%\nprofiles: [ { name: p } ]", 2, 15,
		       "bad value '130%' of 'ranges.max_shrink': expected 0% to 100%");
	assert_refused("ranges:\n  max_shrink: 30\nprofiles: [ { name: p } ]", 2, 15,
		       "bad value '30' of 'ranges.max_shrink': expected 0% to 100%");
	assert_refused("ranges:\n  directory: ranges\nprofiles: [ { name: p } ]", 2, 14,
		       "bad value 'ranges' of 'ranges.directory': expected an absolute path");
	assert_refused("audit: { journal: yes }\nprofiles: [ { name: p } ]", 1, 19,
		       "bad value 'yes' of 'audit.journal': expected true or false");
	assert_refused(
		"metrics: { listen: localhost:9435 }\nprofiles: [ { name: p } ]", 1, 20,
		"bad value 'localhost:9435' of 'metrics.listen': expected none, or ADDR:PORT, such "
		"as 127.0.0.1:9435");
}

static void an_unknown_key_is_refused_with_the_known_ones(void **state)
{
	(void)state;
	assert_refused("profile:\n  - name: p\n", 1, 1,
		       "unknown key 'profile': expected ranges, audit, metrics, names, profiles");
	assert_refused(IN_PROFILE("region: [westeurope]"), 4, 5,
		       "unknown key 'region' in profiles[0]: expected name, cloud, functions, "
		       "identity, adfs_hosts, regions, resolvers, allow, crl, names, inbound, "
		       "mode, select");
	assert_refused(IN_PROFILE("crl: { host: none }"), 4, 12,
		       "unknown key 'host' in profiles[0].crl: expected hosts, prefixes, tags");
}

static void a_wrong_type_is_refused_with_the_right_one(void **state)
{
	(void)state;
	assert_refused(IN_PROFILE("regions: westeurope"), 4, 14,
		       "'profiles[0].regions' is text: expected a list, such as [a, b]");
	assert_refused(IN_PROFILE("regions:"), 4, 13,
		       "'profiles[0].regions' is nothing: expected a list, such as [a, b]");
	assert_refused(IN_PROFILE("mode: [audit]"), 4, 11,
		       "'profiles[0].mode' is a list: expected text");
	assert_refused(IN_PROFILE("functions: [data, { a: b }]"), 4, 23,
		       "'profiles[0].functions[1]' is a mapping: expected text");
	assert_refused("- a\n- b\n", 1, 1,
		       "'the file' is a list: expected a mapping of keys to values");
	assert_refused("profiles: none\n", 1, 11,
		       "'profiles' is text: expected a list, such as [a, b]");
}

static void an_empty_profile_and_an_empty_list_of_them_are_refused(void **state)
{
	(void)state;
	assert_refused("profiles: []\n", 1, 11, "'profiles' is empty: expected at least one entry");
	assert_refused("profiles:\n  - {}\n", 2, 5, "'name' is missing in profiles[0]");
	assert_refused("profiles:\n  -\n", 2, 4,
		       "'profiles[0]' is nothing: expected a mapping of keys to values");
	assert_refused("profiles:\n  - name: \"\"\n", 2, 11,
		       "'profiles[0].name' is nothing: expected text");
	assert_refused(IN_PROFILE("functions: []"), 4, 16,
		       "'profiles[0].functions' is empty: expected at least one entry");
	assert_refused(IN_PROFILE("regions: []"), 4, 14,
		       "'profiles[0].regions' is empty: expected at least one entry");
	assert_refused(IN_PROFILE("resolvers: []"), 4, 16,
		       "'profiles[0].resolvers' is empty: expected at least one entry");
	assert_refused("audit: { journal: true }\n", 1, 1, "'profiles' is missing");
	assert_refused("", 0, 0, "empty: expected 'profiles'");
	assert_refused("# nothing\n", 0, 0, "empty: expected 'profiles'");
}

static void names_and_keys_that_stand_twice_are_refused(void **state)
{
	(void)state;
	assert_refused("profiles:\n  - name: p\n  - name: q\n  - name: p\n", 4, 11,
		       "the profile 'p' stands twice");
	assert_refused(IN_PROFILE("cloud: china"), 4, 5, "the key 'cloud' stands twice");
	assert_refused(IN_PROFILE("regions: &a [westeurope]\n    regions: *a"), 5, 5,
		       "the key 'regions' stands twice");
}

static void a_profiles_name_is_fit_for_file_names_and_labels(void **state)
{
	(void)state;
	assert_refused(
		"profiles: [ { name: ../x } ]\n", 1, 21,
		"bad profile name '../x': expected up to 48 letters, digits and ._-, a letter "
		"or digit first");
	assert_refused(
		"profiles: [ { name: \"a\\nb\" } ]\n", 1, 21,
		"bad profile name 'a?b': expected up to 48 letters, digits and ._-, a letter "
		"or digit first");
}

static void bad_values_of_a_profile_are_refused_in_place(void **state)
{
	(void)state;
	assert_refused("profiles:\n  - name: p\n    cloud: azure\n", 3, 12,
		       "unknown cloud 'azure': expected public, usgov or china");
	assert_refused(IN_PROFILE("functions: [data, keys]"), 4, 23,
		       "unknown function 'keys': expected authentication, management or data");
	assert_refused(IN_PROFILE("resolvers: [192.0.2.53, none]"), 4, 29,
		       "resolver 'none' cannot go with another resolver");
	assert_refused(IN_PROFILE("crl: { prefixes: [ 203.0.113.1/28 ] }"), 4, 24,
		       "\"203.0.113.1/28\" has host bits");
	assert_refused(IN_PROFILE("crl: { hosts: all }"), 4, 19,
		       "bad CRL hosts 'all': expected catalogue or none");
	assert_refused(IN_PROFILE("mode: warn"), 4, 11,
		       "unknown mode 'warn': expected enforce or audit");
	assert_refused(IN_PROFILE("regions: [westeurope]\n    functions: [management]"), 2, 5,
		       "region 'westeurope' without function data: only Key Vault's own prefixes "
		       "are regional");
}

static void bad_extras_are_refused_in_place(void **state)
{
	(void)state;
	assert_refused(IN_PROFILE("allow: [ { prefix: 192.0.2.1/24, service: tcp/443 } ]"), 4, 24,
		       "\"192.0.2.1/24\" has host bits");
	assert_refused(IN_PROFILE("allow: [ { prefix: 192.0.2.0/24, service: https } ]"), 4, 47,
		       "bad service 'https': expected tcp/PORT or udp/PORT, ports 1 to 65535");
	assert_refused(IN_PROFILE("allow: [ { prefix: 192.0.2.0/24 } ]"), 4, 14,
		       "'service' is missing in profiles[0].allow[0]");
}

static void bad_selectors_are_refused_in_place(void **state)
{
	(void)state;
	assert_refused(IN_PROFILE("select: [ { cgroup: / } ]"), 4, 25,
		       "bad value '/' of 'profiles[0].select[0].cgroup': expected a path below the "
		       "root of the hierarchy, such as /payments.slice/**");
	assert_refused(IN_PROFILE("select: [ { cgroup: payments.slice } ]"), 4, 25,
		       "bad value 'payments.slice' of 'profiles[0].select[0].cgroup': expected a "
		       "path below the root of the hierarchy, such as /payments.slice/**");
	assert_refused(IN_PROFILE("select: [ { cgroup: /a//b } ]"), 4, 25,
		       "bad value '/a//b' of 'profiles[0].select[0].cgroup': expected a path below "
		       "the root of the hierarchy, such as /payments.slice/**");
	assert_refused(IN_PROFILE("select: [ { cgroup: /a/../b } ]"), 4, 25,
		       "bad value '/a/../b' of 'profiles[0].select[0].cgroup': expected a path "
		       "below the root of the hierarchy, such as /payments.slice/**");
	assert_refused(IN_PROFILE("select: [ { cgroup: /a/ } ]"), 4, 25,
		       "bad value '/a/' of 'profiles[0].select[0].cgroup': expected a path below "
		       "the root of the hierarchy, such as /payments.slice/**");
	assert_refused(IN_PROFILE("select: [ { } ]"), 4, 15,
		       "'profiles[0].select[0]' is empty: expected cgroup, unit, kubernetes, "
		       "container, image or labels");
	assert_refused(IN_PROFILE("select: [ { kubernetes: { } } ]"), 4, 29,
		       "'profiles[0].select[0].kubernetes' is empty: expected namespace, pod, "
		       "container, image or labels");
	assert_refused(IN_PROFILE("select: [ { unit: \"\" } ]"), 4, 23,
		       "'profiles[0].select[0].unit' is nothing: expected text");
	assert_refused(IN_PROFILE("select: [ { kubernetes: { pod: p }, image: i } ]"), 4, 15,
		       "'profiles[0].select[0]': container, image and labels go below kubernetes "
		       "where that is named");
	assert_refused(IN_PROFILE("select: [ { pod: p } ]"), 4, 17,
		       "unknown key 'pod' in profiles[0].select[0]: expected cgroup, unit, "
		       "kubernetes, container, image, labels");
}

static void bad_labels_are_refused_in_place(void **state)
{
	char text[1024] = IN_PROFILE("select: [ { labels: { ");
	size_t used = strlen(text) - 1;

	(void)state;
	assert_refused(IN_PROFILE("select: [ { labels: [ a ] } ]"), 4, 25,
		       "'profiles[0].select[0].labels' is a list: expected names and their values, "
		       "such as { a: b }");
	assert_refused(IN_PROFILE("select: [ { labels: { } } ]"), 4, 25,
		       "'profiles[0].select[0].labels' is empty: expected at least one entry");
	assert_refused(IN_PROFILE("select: [ { kubernetes: { labels: { app: [ a ] } } } ]"), 4, 46,
		       "'profiles[0].select[0].kubernetes.labels.app' is a list: expected text");
	assert_refused(IN_PROFILE("select: [ { labels: { app: } } ]"), 4, 32,
		       "'profiles[0].select[0].labels.app' is nothing: expected text");
	assert_refused(IN_PROFILE("select: [ { labels: { app: a, app: b } } ]"), 4, 35,
		       "the key 'app' stands twice");

	for (int i = 0; i < 33; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "k%d: v, ", i);
	snprintf(text + used, sizeof(text) - used, "} } ]\n");
	assert_refused(text, 4, 25, "'profiles[0].select[0].labels' has more than 32 keys");
}

static void every_key_of_a_selector_is_kept(void **state)
{
	CONFIG config = read_config("profiles:\n  - name: p\n    select:\n"
				    "      - { cgroup: /a/**, unit: 'app@*.service', container: "
				    "web, image: 'r.example/**',\n"
				    "          labels: { app.example/tier: back, team: '*' } }\n"
				    "      - kubernetes: { namespace: n, pod: p-*, container: c, "
				    "image: i, labels: { k: v } }\n");
	const struct kvg_select *any = &config->profiles[0].selects[0];
	const struct kvg_select *kubernetes = &config->profiles[0].selects[1];

	(void)state;
	assert_string_equal(any->cgroup, "/a/**");
	assert_string_equal(any->unit, "app@*.service");
	assert_string_equal(any->container, "web");
	assert_string_equal(any->image, "r.example/**");
	assert_false(any->kubernetes);
	assert_int_equal(any->labels_count, 2);
	assert_string_equal(any->labels[0].key, "app.example/tier");
	assert_string_equal(any->labels[0].value, "back");
	assert_string_equal(any->labels[1].value, "*");

	assert_true(kubernetes->kubernetes);
	assert_string_equal(kubernetes->namespace, "n");
	assert_string_equal(kubernetes->pod, "p-*");
	assert_string_equal(kubernetes->container, "c");
	assert_string_equal(kubernetes->image, "i");
	assert_int_equal(kubernetes->labels_count, 1);
	assert_string_equal(kubernetes->labels[0].key, "k");
	assert_null(kubernetes->cgroup);
}

static void labels_may_be_shared_by_an_alias(void **state)
{
	CONFIG config = read_config("profiles:\n"
				    "  - { name: p, select: [ { labels: &l { a: b } } ] }\n"
				    "  - { name: q, select: [ { labels: *l } ] }\n");

	(void)state;
	assert_int_equal(config->profiles[1].selects[0].labels_count, 1);
	assert_string_equal(config->profiles[1].selects[0].labels[0].value, "b");
}

static void what_is_no_yaml_is_refused_in_place(void **state)
{
	struct kvg_config *untouched = NULL;
	struct kvg_diag diag = {0};
	static const char nul[] = "profiles:\n  - name: \"a\\0b\"\n";

	(void)state;
	assert_refused("profiles:\n  - name: [p\n", 3, 1,
		       "no YAML: did not find expected ',' or ']'");
	assert_refused("profiles: [ { name: p } ]\n---\nx: 1\n", 3, 1,
		       "a second document: expected one");
	assert_refused("profiles: [ { ? [a] : b } ]\n", 1, 17, "expected a key that is text");
	assert_int_equal(kvg_config_parse(nul, sizeof(nul) - 1, &untouched, &diag), -EINVAL);
	assert_string_equal(diag.msg, "the text holds a NUL byte");
	assert_int_equal(kvg_config_parse("\xff\xfe\x00", 3, &untouched, &diag), -EINVAL);
	assert_null(untouched);
}

static void records_go_where_the_file_says(void **state)
{
	CONFIG config = read_config("audit:\n"
				    "  file: /var/log/denied.jsonl\n"
				    "  max_size: 2G\n"
				    "  keep: 12\n"
				    "  fsync: line\n"
				    "  stdout: true\n"
				    "  syslog: true\n"
				    "  linux_audit: true\n"
				    "profiles: [ { name: p } ]\n");

	(void)state;
	assert_true(config->audit.max_bytes == 2ULL << 30);
	assert_int_equal(config->audit.keep, 12);
	assert_int_equal(config->audit.fsync, KVG_FSYNC_LINE);
	assert_true(config->audit.to_stdout);
	assert_true(config->audit.syslog);
	assert_true(config->audit.linux_audit);
	assert_false(config->audit.journal);
}

static void without_a_word_files_of_records_are_rotated_and_synced(void **state)
{
	CONFIG config = read_config("profiles: [ { name: p } ]\n");

	(void)state;
	assert_true(config->audit.max_bytes == 100ULL << 20);
	assert_int_equal(config->audit.keep, 5);
	assert_int_equal(config->audit.fsync, KVG_FSYNC_INTERVAL);
}

static void bad_values_about_records_are_refused_in_place(void **state)
{
	(void)state;
	assert_refused("audit: { max_size: 100MB }\nprofiles: [ { name: p } ]", 1, 20,
		       "bad value '100MB' of 'audit.max_size': expected 0, or a number and k, M "
		       "or G, such as 100M");
	assert_refused("audit: { keep: 1000 }\nprofiles: [ { name: p } ]", 1, 16,
		       "bad value '1000' of 'audit.keep': expected 0 to 999");
	assert_refused("audit: { fsync: always }\nprofiles: [ { name: p } ]", 1, 17,
		       "bad value 'always' of 'audit.fsync': expected none, interval or line");
	assert_refused("audit: { syslog: on }\nprofiles: [ { name: p } ]", 1, 18,
		       "bad value 'on' of 'audit.syslog': expected true or false");
}

static void a_file_that_is_too_long_is_not_even_parsed(void **state)
{
	KVG_CLEANUP(kvg_freep) char *text = calloc(1, KVG_CONFIG_MAX_BYTES + 1);
	struct kvg_config *untouched = NULL;
	struct kvg_diag diag = {0};

	(void)state;
	memset(text, '\n', KVG_CONFIG_MAX_BYTES + 1);
	assert_int_equal(kvg_config_parse(text, KVG_CONFIG_MAX_BYTES + 1, &untouched, &diag),
			 -EFBIG);
	assert_string_equal(diag.msg, "longer than 4 MiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_the_file_is_kept),
		cmocka_unit_test(every_key_of_a_profile_is_kept),
		cmocka_unit_test(selectors_are_kept_in_order),
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(metrics_are_served_where_it_is_said_or_nowhere),
		cmocka_unit_test(durations_have_a_unit_or_are_nought),
		cmocka_unit_test(bad_values_outside_profiles_are_refused_in_place),
		cmocka_unit_test(records_go_where_the_file_says),
		cmocka_unit_test(without_a_word_files_of_records_are_rotated_and_synced),
		cmocka_unit_test(bad_values_about_records_are_refused_in_place),
		cmocka_unit_test(an_unknown_key_is_refused_with_the_known_ones),
		cmocka_unit_test(a_wrong_type_is_refused_with_the_right_one),
		cmocka_unit_test(an_empty_profile_and_an_empty_list_of_them_are_refused),
		cmocka_unit_test(names_and_keys_that_stand_twice_are_refused),
		cmocka_unit_test(a_profiles_name_is_fit_for_file_names_and_labels),
		cmocka_unit_test(bad_values_of_a_profile_are_refused_in_place),
		cmocka_unit_test(bad_extras_are_refused_in_place),
		cmocka_unit_test(bad_selectors_are_refused_in_place),
		cmocka_unit_test(bad_labels_are_refused_in_place),
		cmocka_unit_test(every_key_of_a_selector_is_kept),
		cmocka_unit_test(labels_may_be_shared_by_an_alias),
		cmocka_unit_test(what_is_no_yaml_is_refused_in_place),
		cmocka_unit_test(a_file_that_is_too_long_is_not_even_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
