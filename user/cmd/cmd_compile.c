// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/rule_text.h"

struct compile {
	const char *output;
	const char *format;
	bool json;
};

static const struct kvg_option options[] = {
	{.name = "output",
	 .letter = 'o',
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct compile, output),
	 .help = "write to FILE, all or nothing, instead of stdout"},
	{.name = "format",
	 .argument = "FORMAT",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct compile, format),
	 .help = "json (default), or table for people"},
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct compile, json),
	 .help = "the same as --format json"},
	{0},
};

static const struct kvg_usage usage = {
	.command = "compile",
	.help = "Makes a policy from published range documents and a profile, and prints it.",
	.exit_status = "0 compiled, 1 cannot compile, 2 usage or configuration",
	.options = options,
	.profile_options = true,
};

static void count_families(const struct kvg_policy *policy, const char *from, size_t ret[2])
{
	ret[0] = 0;
	ret[1] = 0;
	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct kvg_rule *rule = &policy->rules[i];
		bool counts = !from;

		for (size_t j = 0; j < rule->from_count && !counts; j++)
			counts = strcmp(rule->from[j], from) == 0;
		if (counts)
			ret[rule->prefix.family == AF_INET6]++;
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One line for each name that rules come from, in order. */
static void write_origins(FILE *file, const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_freep) const char **names = NULL;
	size_t families[2];
	size_t count = 0;

	for (size_t i = 0; i < policy->rules_count; i++)
		count += policy->rules[i].from_count;
	names = calloc(count, sizeof(*names));
	if (!names)
		return;

	count = 0;
	for (size_t i = 0; i < policy->rules_count; i++) {
		for (size_t j = 0; j < policy->rules[i].from_count; j++)
			names[count++] = policy->rules[i].from[j];
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && strcmp(names[i - 1], names[i]) == 0)
			continue;
		count_families(policy, names[i], families);
		fprintf(file, "  %6zu IPv4 %6zu IPv6  %s\n", families[0], families[1], names[i]);
	}
}

static void write_rule(FILE *file, const struct kvg_policy *policy, const struct kvg_rule *rule)
{
	char prefix[KVG_PREFIX_STRLEN];
	char services[KVG_RULE_SERVICES_STRLEN];

	fprintf(file, "%-43s %-15s ", kvg_prefix_format(&rule->prefix, prefix),
		kvg_rule_services(policy, rule, services));
	for (size_t i = 0; i < rule->from_count; i++)
		fprintf(file, "%s%s", i ? ", " : "", rule->from[i]);
	fputc('\n', file);
}

static void write_table(FILE *file, const struct kvg_policy *policy)
{
	char digest[KVG_DIGEST_HEX_LEN];
	size_t families[2];

	kvg_digest_format(policy->digest, digest);
	count_families(policy, NULL, families);
	fprintf(file, "profile %s, cloud %s, mode %s, inbound %s\n", policy->profile,
		kvg_cloud_word(policy->cloud), kvg_mode_word(policy->mode),
		kvg_inbound_word(policy->inbound));
	for (size_t i = 0; i < policy->sources_count; i++)
		fprintf(file, "from %s\n", policy->sources[i].file);
	fprintf(file, "digest sha256:%s\n\n", digest);
	fprintf(file, "  %6zu IPv4 %6zu IPv6  prefixes in all\n", families[0], families[1]);
	write_origins(file, policy);

	fprintf(file, "\n%-43s %-15s %s\n", "PREFIX", "ALLOW", "FROM");
	for (size_t i = 0; i < policy->rules_count; i++)
		write_rule(file, policy, &policy->rules[i]);

	fprintf(file, "\n%-43s %-15s %s\n", "HOST", "ALLOW", "FUNCTION");
	for (size_t i = 0; i < policy->hosts_count; i++) {
		const struct kvg_policy_host *host = &policy->hosts[i];
		char service[KVG_SERVICE_STRLEN];

		fprintf(file, "%-43s %-15s %s%s\n", host->name,
			kvg_service_format(&host->service, service),
			kvg_function_word(host->function),
			host->ranged ? "" : " (no published ranges)");
	}
}

static int make_table(const struct kvg_policy *policy, char **ret, size_t *ret_size)
{
	FILE *file = open_memstream(ret, ret_size);

	if (!file)
		return -1;
	write_table(file, policy);
	return fclose(file);
}

static int put(const struct compile *compile, const char *text, size_t size)
{
	int r;

	if (compile->output) {
		r = kvg_file_replace(compile->output, text, size);
		if (r < 0)
			kvg_log_error("cannot write '%s': %s", compile->output, strerror(-r));
		return r < 0 ? KVG_EXIT_FAILED : 0;
	}
	if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0) {
		kvg_log_error("cannot write the policy: %m");
		return KVG_EXIT_FAILED;
	}
	return 0;
}

static int run(const struct compile *compile, struct kvg_options *shared)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	bool table = compile->format && strcmp(compile->format, "table") == 0;
	size_t size;
	int status;
	int r;

	if (compile->format && !table && strcmp(compile->format, "json") != 0)
		return kvg_options_usage_error(
			&usage, "unknown format '%s': expected json or table", compile->format);
	if (table && compile->json)
		return kvg_options_usage_error(&usage, "--json cannot go with --format table");

	status = kvg_options_policy(shared, KVG_RESOLV_CONF, &policy);
	if (status)
		return status;

	r = table ? make_table(policy, &text, &size) : kvg_policy_write(policy, &text, &size);
	if (r < 0) {
		kvg_log_error("out of memory");
		return KVG_EXIT_FAILED;
	}
	return put(compile, text, size);
}

int kvg_cmd_compile(int argc, char **argv)
{
	KVG_CLEANUP(kvg_options_done) struct kvg_options shared = {0};
	struct compile compile = {0};
	int status;

	status = kvg_options_parse(&usage, argc, argv, &shared, &compile);
	return status == KVG_OPTIONS_GO ? run(&compile, &shared) : status;
}
