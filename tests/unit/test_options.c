// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/options.h"
#include "compiled.h"
#include "folder.h"

#define ARGS_MAX 32

struct own {
	const char *file;
	bool loud;
};

static const struct kvg_option own_options[] = {
	{.name = "file",
	 .letter = 'f',
	 .argument = "FILE",
	 .help = "a file",
	 .offset = offsetof(struct own, file),
	 .set = kvg_option_set_string},
	{.name = "loud",
	 .help = "be loud",
	 .offset = offsetof(struct own, loud),
	 .set = kvg_option_set_flag},
	{0},
};

static const struct kvg_usage sample = {
	.command = "sample",
	.operands = "THING",
	.help = "Does something.",
	.options = own_options,
	.min_operands = 1,
	.max_operands = 1,
	.profile_options = true,
};

static const struct kvg_usage runner = {
	.command = "runner",
	.operands = "-- CMD",
	.help = "Runs something.",
	.options = own_options,
	.min_operands = 1,
	.max_operands = -1,
	.profile_options = true,
	.stop_at_operand = true,
	.usage_status = 125,
};

/* A command line that was read, and what was said on stderr meanwhile. */
struct call {
	char text[1024];
	char *argv[ARGS_MAX];
	int argc;
	struct kvg_options shared;
	struct own own;
	int status;
	struct kvg_policy *policy;
	char said[4096];
};

static void call_done(struct call *call)
{
	kvg_options_done(&call->shared);
	kvg_policy_free(call->policy);
}

#define CALL KVG_CLEANUP(call_done) struct call

struct capture {
	int saved;
	FILE *file;
};

static void capture_begin(struct capture *capture)
{
	fflush(stderr);
	capture->saved = dup(STDERR_FILENO);
	capture->file = tmpfile();
	assert_non_null(capture->file);
	dup2(fileno(capture->file), STDERR_FILENO);
}

static void capture_end(struct capture *capture, char *ret, size_t size)
{
	size_t used;

	fflush(stderr);
	dup2(capture->saved, STDERR_FILENO);
	close(capture->saved);
	rewind(capture->file);
	used = fread(ret, 1, size - 1, capture->file);
	ret[used] = '\0';
	fclose(capture->file);
}

/* Words are split at blanks. */
static void parse_line(struct call *call, const struct kvg_usage *usage, const char *line)
{
	struct capture capture;
	char *rest = call->text;
	char *word;

	memset(call, 0, sizeof(*call));
	snprintf(call->text, sizeof(call->text), "%s %s", usage->command, line);
	while ((word = strsep(&rest, " ")))
		call->argv[call->argc++] = word;

	capture_begin(&capture);
	call->status = kvg_options_parse(usage, call->argc, call->argv, &call->shared, &call->own);
	capture_end(&capture, call->said, sizeof(call->said));
}

static void make_policy(struct call *call, const struct kvg_usage *usage, const char *line)
{
	struct capture capture;

	parse_line(call, usage, line);
	if (call->status != KVG_OPTIONS_GO)
		return;
	capture_begin(&capture);
	call->status = kvg_options_policy(&call->shared, "/nonexistent", &call->policy);
	capture_end(&capture, call->said, sizeof(call->said));
}

static void assert_usage_error(const char *line, const char *message)
{
	CALL call;
	char expected[512];

	parse_line(&call, &sample, line);
	snprintf(expected, sizeof(expected), "kvgate: sample: %s; see 'kvgate sample --help'\n",
		 message);
	assert_int_equal(call.status, KVG_EXIT_USAGE);
	assert_string_equal(call.said, expected);
}

static void own_and_shared_options_stand_in_any_order(void **state)
{
	CALL call;

	(void)state;
	parse_line(&call, &sample, "--cloud china thing --loud -f x --ranges a --ranges b");
	assert_int_equal(call.status, KVG_OPTIONS_GO);
	assert_string_equal(call.said, "");
	assert_true(call.own.loud);
	assert_string_equal(call.own.file, "x");
	assert_int_equal(call.shared.profile.cloud, KVG_CLOUD_CHINA);
	assert_string_equal(call.shared.adhoc, "cloud");
	assert_int_equal(call.shared.ranges_count, 2);
	assert_string_equal(call.shared.ranges[1], "b");
	assert_string_equal(call.argv[optind], "thing");
}

static void every_profile_option_reaches_the_profile(void **state)
{
	const struct kvg_profile *p;
	CALL call;

	(void)state;
	parse_line(&call, &sample,
		   "--functions data --identity adfs --adfs-host adfs.example.com --region a "
		   "--resolver 192.0.2.53 --allow 203.0.113.0/28=udp/123 --crl-hosts none "
		   "--crl-prefix 203.0.113.32/28 --crl-tag T --mode audit --inbound deny x");
	assert_int_equal(call.status, KVG_OPTIONS_GO);
	p = &call.shared.profile;
	assert_int_equal(p->functions, 1U << KVG_FUNCTION_DATA);
	assert_int_equal(p->identities, 1U << KVG_IDENTITY_ADFS);
	assert_int_equal(p->adfs_hosts_count + p->regions_count + p->resolvers_count +
				 p->allow_count + p->crl_prefixes_count + p->crl_tags_count,
			 6);
	assert_false(p->crl_hosts);
	assert_int_equal(p->mode, KVG_MODE_AUDIT);
	assert_int_equal(p->inbound, KVG_INBOUND_DENY);
}

static void usage_errors_are_one_line_that_says_where_help_is(void **state)
{
	(void)state;
	assert_usage_error("--frob x", "unknown option '--frob'");
	assert_usage_error("x --file", "'--file' needs an argument");
	assert_usage_error("x y", "unexpected 'y'");
	assert_usage_error("--loud", "expected THING");
	assert_usage_error("--mode loud x",
			   "--mode: unknown mode 'loud': expected enforce or audit");
	assert_usage_error("--allow 192.0.2.7/32 x",
			   "--allow: '192.0.2.7/32' has no '=': expected PREFIX=PROTO/PORT, such "
			   "as 192.0.2.7/32=tcp/443");
}

static void a_command_may_have_a_usage_status_of_its_own(void **state)
{
	CALL call;

	(void)state;
	parse_line(&call, &runner, "--frob");
	assert_int_equal(call.status, 125);
}

static void what_follows_the_first_operand_may_belong_to_somebody_else(void **state)
{
	CALL call;
	CALL dashes;

	(void)state;
	parse_line(&call, &runner, "--loud curl --file x");
	assert_int_equal(call.status, KVG_OPTIONS_GO);
	assert_null(call.own.file);
	assert_string_equal(call.argv[optind], "curl");

	parse_line(&dashes, &runner, "-- --file x");
	assert_int_equal(dashes.status, KVG_OPTIONS_GO);
	assert_string_equal(dashes.argv[optind], "--file");
}

static void help_lists_every_option_and_ends_well(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "help");
	char text[8192] = "";
	int saved;
	FILE *file;
	CALL call;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_non_null(freopen(path, "w", stdout));
	parse_line(&call, &sample, "--help");
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);

	file = fopen(path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_int_equal(call.status, 0);
	assert_non_null(strstr(text, "usage: kvgate sample [options] THING\n"));
	assert_non_null(strstr(text, "  -f, --file FILE "));
	assert_non_null(strstr(text, "      --allow PREFIX=PROTO/PORT "));
	assert_non_null(strstr(text, "  -h, --help "));
}

/* --- from options to a policy ---------------------------------------------------------------------- */

static char *line_of(const char *format, const char *a, const char *b)
{
	char *line = NULL;

	assert_true(asprintf(&line, format, a, b) > 0);
	return line;
}

static void a_policy_comes_from_ranges_and_adhoc_options(void **state)
{
	KVG_CLEANUP(kvg_freep) char *ranges = folder_write(state, "tags.json", TAGS(CLIENT_TAGS));
	KVG_CLEANUP(kvg_freep)
	char *line = line_of("--ranges %s --functions management --crl-hosts none "
			     "--resolver none x%s",
			     ranges, "");
	CALL call;

	make_policy(&call, &sample, line);
	assert_int_equal(call.status, 0);
	assert_rules(call.policy, "192.0.2.64/28 tcp/443 AzureResourceManager");
	assert_non_null(strstr(call.said, "graph.microsoft.com"));
}

static void auto_reads_the_resolv_conf_that_the_command_names(void **state)
{
	KVG_CLEANUP(kvg_freep) char *ranges = folder_write(state, "tags.json", TAGS(CLIENT_TAGS));
	KVG_CLEANUP(kvg_freep) char *conf = folder_write(state, "rc", "nameserver 203.0.113.53\n");
	KVG_CLEANUP(kvg_freep)
	char *line = line_of("--ranges %s --functions data --crl-hosts none x%s", ranges, "");
	const struct kvg_profile *profile;
	CALL call;
	CALL without;

	parse_line(&call, &sample, line);
	assert_int_equal(kvg_options_profile(&call.shared, conf, &profile), 0);
	assert_int_equal(profile->resolvers_count, 1);

	make_policy(&without, &sample, line);
	assert_int_equal(without.status, 0);
	assert_string_equal(without.said,
			    "kvgate: note: there is no '/nonexistent': no resolver is "
			    "let through\n");
}

static void a_policy_comes_from_the_state_folder_without_ranges(void **state)
{
	KVG_CLEANUP(kvg_freep) char *folder = folder_path(state, "ranges");
	KVG_CLEANUP(kvg_freep)
	char *line =
		line_of("--state-dir %s --functions management --resolver none x%s", *state, "");
	CALL empty;
	CALL call;

	make_policy(&empty, &sample, line);
	assert_int_equal(empty.status, KVG_EXIT_FAILED);
	assert_non_null(strstr(empty.said, "no range documents: give --ranges, or put them into"));

	assert_int_equal(mkdir(folder, 0755), 0);
	free(folder_write(state, "ranges/tags.json", TAGS(CLIENT_TAGS)));
	make_policy(&call, &sample, line);
	assert_int_equal(call.status, 0);
}

static void a_policy_comes_from_a_profile_of_the_configuration(void **state)
{
	KVG_CLEANUP(kvg_freep) char *folder = folder_path(state, "r");
	KVG_CLEANUP(kvg_freep)
	char *text = line_of("ranges: { directory: %s }\n"
			     "profiles:\n"
			     "  - { name: a, functions: [management], resolvers: [none] }\n"
			     "  - { name: b, functions: [data], resolvers: [none] }\n%s",
			     folder, "");
	KVG_CLEANUP(kvg_freep) char *config = folder_write(state, "kvgate.yaml", text);
	KVG_CLEANUP(kvg_freep) char *line = line_of("--config %s --profile %s x", config, "a");
	KVG_CLEANUP(kvg_freep) char *other = line_of("--config %s --profile %s x", config, "c");
	KVG_CLEANUP(kvg_freep) char *none = line_of("--config %s x%s", config, "");
	CALL call;
	CALL unknown;
	CALL unnamed;

	assert_int_equal(mkdir(folder, 0755), 0);
	free(folder_write(state, "r/tags.json", TAGS(CLIENT_TAGS)));
	make_policy(&call, &sample, line);
	assert_int_equal(call.status, 0);
	assert_string_equal(call.policy->profile, "a");
	assert_rules(call.policy, "192.0.2.64/28 tcp/443 AzureResourceManager");

	make_policy(&unknown, &sample, other);
	assert_int_equal(unknown.status, KVG_EXIT_USAGE);
	assert_non_null(strstr(unknown.said, "has no profile 'c': it has a, b\n"));
	make_policy(&unnamed, &sample, none);
	assert_int_equal(unnamed.status, KVG_EXIT_USAGE);
	assert_non_null(strstr(unnamed.said, "choose with --profile from a, b\n"));
}

static void a_fault_of_the_configuration_has_file_line_and_column(void **state)
{
	KVG_CLEANUP(kvg_freep)
	char *config = folder_write(state, "kvgate.yaml", "profiles:\n  - nom: p\n");
	KVG_CLEANUP(kvg_freep) char *line = line_of("--config %s x%s", config, "");
	KVG_CLEANUP(kvg_freep)
	char *expected = line_of("kvgate: %s:2:5: unknown key 'nom' in %s", config,
				 "profiles[0]: expected name");
	CALL call;

	make_policy(&call, &sample, line);
	assert_int_equal(call.status, KVG_EXIT_USAGE);
	assert_memory_equal(call.said, expected, strlen(expected));
}

static void sources_of_a_policy_exclude_each_other(void **state)
{
	CALL a;
	CALL b;
	CALL c;

	(void)state;
	make_policy(&a, &sample, "--policy p --cloud public x");
	assert_int_equal(a.status, KVG_EXIT_USAGE);
	assert_non_null(strstr(a.said, "--cloud cannot go with --policy;"));
	make_policy(&b, &sample, "--config c --region a x");
	assert_int_equal(b.status, KVG_EXIT_USAGE);
	assert_non_null(strstr(b.said, "--region cannot go with a profile of the configuration;"));
	make_policy(&c, &sample, "--policy p --ranges r x");
	assert_int_equal(c.status, KVG_EXIT_USAGE);
}

static void a_compiled_policy_is_read_and_a_bad_one_is_no_policy(void **state)
{
	KVG_CLEANUP(kvg_freep)
	char *bad = folder_write(state, "bad.json", "{ \"kvgate_policy\": 7 }");
	KVG_CLEANUP(kvg_freep) char *line = line_of("--policy %s x%s", bad, "");
	CALL call;

	make_policy(&call, &sample, line);
	assert_int_equal(call.status, KVG_EXIT_FAILED);
	assert_null(call.policy);
	assert_non_null(strstr(call.said, "bad.json: 'kvgate_policy' is not 1: no policy of this "
					  "format\n"));
}

static void a_contradiction_is_a_usage_error(void **state)
{
	CALL call;

	(void)state;
	make_policy(&call, &sample, "--adfs-host adfs.example.com x");
	assert_int_equal(call.status, KVG_EXIT_USAGE);
	assert_non_null(strstr(call.said, "AD FS host 'adfs.example.com' without identity adfs"));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_and_shared_options_stand_in_any_order),
		cmocka_unit_test(every_profile_option_reaches_the_profile),
		cmocka_unit_test(usage_errors_are_one_line_that_says_where_help_is),
		cmocka_unit_test(a_command_may_have_a_usage_status_of_its_own),
		cmocka_unit_test(what_follows_the_first_operand_may_belong_to_somebody_else),
		IN_FOLDER(help_lists_every_option_and_ends_well),
		IN_FOLDER(a_policy_comes_from_ranges_and_adhoc_options),
		IN_FOLDER(auto_reads_the_resolv_conf_that_the_command_names),
		IN_FOLDER(a_policy_comes_from_the_state_folder_without_ranges),
		IN_FOLDER(a_policy_comes_from_a_profile_of_the_configuration),
		IN_FOLDER(a_fault_of_the_configuration_has_file_line_and_column),
		cmocka_unit_test(sources_of_a_policy_exclude_each_other),
		IN_FOLDER(a_compiled_policy_is_read_and_a_bad_one_is_no_policy),
		cmocka_unit_test(a_contradiction_is_a_usage_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
