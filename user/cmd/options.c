// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

#define FIRST_VAL   256 /* what getopt_long() returns for table entry 0; above every letter */
#define HELP_COLUMN 34

int kvg_option_set_flag(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	(void)argument;
	(void)reterr_diag;
	*(bool *)field = true;
	return 0;
}

int kvg_option_set_string(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	(void)reterr_diag;
	*(const char **)field = argument;
	return 0;
}

static int add_ranges(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	struct kvg_options *options = field;
	const char **ranges;

	ranges = reallocarray(options->ranges, options->ranges_count + 1, sizeof(*ranges));
	if (!ranges)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	options->ranges = ranges;
	ranges[options->ranges_count++] = argument;
	return 0;
}

static int add_allow(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *prefix = strdup(argument);
	char *service = prefix ? strchr(prefix, '=') : NULL;

	if (!prefix)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	if (!service)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "'%s' has no '=': expected PREFIX=PROTO/PORT, such as "
				    "192.0.2.7/32=tcp/443",
				    argument);
	*service++ = '\0';
	return kvg_profile_add_allow(field, prefix, service, NULL, reterr_diag);
}

/* kvg_profile_*() as option: the field is the profile. */
#define PROFILE_OPTION(verb)                                                             \
	static int verb(void *field, const char *argument, struct kvg_diag *reterr_diag) \
	{                                                                                \
		return kvg_profile_##verb(field, argument, reterr_diag);                 \
	}

PROFILE_OPTION(set_cloud)
PROFILE_OPTION(set_functions)
PROFILE_OPTION(add_identity)
PROFILE_OPTION(add_adfs_host)
PROFILE_OPTION(add_region)
PROFILE_OPTION(add_resolver)
PROFILE_OPTION(set_crl_hosts)
PROFILE_OPTION(add_crl_prefix)
PROFILE_OPTION(add_crl_tag)
PROFILE_OPTION(set_mode)
PROFILE_OPTION(set_inbound)

/* Where the policy comes from. */
static const struct kvg_option source_options[] = {
	{.name = "config",
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct kvg_options, config),
	 .help = "configuration with profiles (" KVG_CONFIG_FILE ")"},
	{.name = "profile",
	 .argument = "NAME",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct kvg_options, profile_name),
	 .help = "the profile to take from it"},
	{.name = "policy",
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct kvg_options, policy),
	 .help = "a compiled policy, instead of a profile"},
	{.name = "ranges",
	 .argument = "PATH",
	 .set = add_ranges,
	 .help = "a range document or a folder of them; repeatable"},
	{.name = "resolve",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct kvg_options, resolve),
	 .help = "look up the hosts without published ranges, once and now"},
	{.name = "state-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct kvg_options, state_dir),
	 .help = "kvgate's own files (" KVG_STATE_DIR ")"},
	{0},
};

#define PROFILE(name_, argument_, set_, help_)                                 \
	{                                                                      \
		.name = name_, .argument = argument_, .set = set_,             \
		.offset = offsetof(struct kvg_options, profile), .help = help_ \
	}

/* A profile put together here and now. */
static const struct kvg_option profile_options[] = {
	PROFILE("cloud", "CLOUD", set_cloud, "public (default), usgov or china"),
	PROFILE("functions", "LIST", set_functions,
		"of authentication,management,data (default: all), or none in mode audit"),
	PROFILE("identity", "KIND", add_identity,
		"work (default), microsoft, adfs or managed; repeatable"),
	PROFILE("adfs-host", "NAME", add_adfs_host, "a host of identity adfs; repeatable"),
	PROFILE("region", "REGION", add_region,
		"only the vaults of this region; repeatable (default: every one)"),
	PROFILE("resolver", "ADDR", add_resolver,
		"a DNS server, none, or auto: those of resolv.conf (default); repeatable"),
	PROFILE("allow", "PREFIX=PROTO/PORT", add_allow, "an extra destination; repeatable"),
	PROFILE("crl-hosts", "WHICH", set_crl_hosts,
		"catalogue (default) or none: CRL and OCSP hosts"),
	PROFILE("crl-prefix", "PREFIX", add_crl_prefix, "a CRL or OCSP server; repeatable"),
	PROFILE("crl-tag", "TAG", add_crl_tag, "a service tag that is a CRL source; repeatable"),
	PROFILE("mode", "MODE", set_mode, "enforce (default), or audit: record and let pass"),
	PROFILE("inbound", "WHICH", set_inbound,
		"allow (default) or deny answers on connections that others open"),
	{0},
};

static const struct kvg_option help_options[] = {
	{.name = "help", .letter = 'h', .help = "this text"},
	{0},
};

/* Options of up to four tables, numbered through for getopt_long(). */
struct parser {
	const struct kvg_usage *usage;
	struct kvg_options *shared;
	void *own;
	const struct kvg_option **entries;
	struct option *longs;
	char *letters;
	size_t count;
};

static void parser_done(struct parser *parser)
{
	free(parser->entries);
	free(parser->longs);
	free(parser->letters);
}

static size_t table_size(const struct kvg_option *table)
{
	size_t count = 0;

	while (table && table[count].name)
		count++;
	return count;
}

static void add_table(struct parser *parser, const struct kvg_option *table)
{
	size_t letters = strlen(parser->letters);

	for (; table && table->name; table++) {
		parser->longs[parser->count] = (struct option){
			.name = table->name,
			.has_arg = table->argument ? required_argument : no_argument,
			.val = FIRST_VAL + (int)parser->count,
		};
		parser->entries[parser->count++] = table;
		if (!table->letter)
			continue;
		parser->letters[letters++] = table->letter;
		if (table->argument)
			parser->letters[letters++] = ':';
	}
}

static int parser_init(struct parser *parser)
{
	size_t count = table_size(parser->usage->options) + table_size(source_options) +
		       table_size(profile_options) + table_size(help_options);

	parser->entries = calloc(count, sizeof(*parser->entries));
	parser->longs = calloc(count + 1, sizeof(*parser->longs));
	parser->letters = calloc(2 * count + 3, 1);
	if (!parser->entries || !parser->longs || !parser->letters)
		return -ENOMEM;

	/* '+': stop at the first operand; ':': tell a missing argument from an unknown option */
	strcpy(parser->letters, parser->usage->stop_at_operand ? "+:" : ":");
	add_table(parser, parser->usage->options);
	if (parser->usage->profile_options) {
		add_table(parser, source_options);
		add_table(parser, profile_options);
	}
	add_table(parser, help_options);
	return 0;
}

static bool is_in(const struct kvg_option *table, const struct kvg_option *entry)
{
	return entry >= table && entry < table + table_size(table);
}

static const struct kvg_option *find_entry(const struct parser *parser, int val)
{
	if (val >= FIRST_VAL)
		return parser->entries[val - FIRST_VAL];
	for (size_t i = 0; i < parser->count; i++) {
		if (parser->entries[i]->letter == val)
			return parser->entries[i];
	}
	return NULL;
}

static void print_table(const char *title, const struct kvg_option *table)
{
	if (!table || !table->name)
		return;

	printf("\n%s:\n", title);
	for (; table->name; table++) {
		char left[64];

		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", table->letter ? "-" : " ",
			 table->letter ? table->letter : ' ', table->letter ? ", " : "  ",
			 table->name, table->argument ? " " : "",
			 table->argument ? table->argument : "");
		printf("  %-*s %s\n", HELP_COLUMN, left, table->help);
	}
}

static void print_help(const struct kvg_usage *usage)
{
	printf("usage: kvgate %s [options]%s%s\n\n%s\n", usage->command, usage->operands ? " " : "",
	       usage->operands ? usage->operands : "", usage->help);
	print_table("Options", usage->options);
	if (usage->profile_options) {
		print_table("Where the policy comes from", source_options);
		print_table("A profile put together here", profile_options);
	}
	print_table("Help", help_options);
	if (usage->exit_status)
		printf("\nExit status: %s\n", usage->exit_status);
}

static int usage_status(const struct kvg_usage *usage)
{
	return usage->usage_status ? usage->usage_status : KVG_EXIT_USAGE;
}

int kvg_options_usage_error(const struct kvg_usage *usage, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kvg_log_error("%s: %s; see 'kvgate %s --help'", usage->command, text, usage->command);
	return usage_status(usage);
}

static int apply(const struct parser *parser, const struct kvg_option *entry)
{
	bool adhoc = is_in(profile_options, entry);
	void *base = adhoc || is_in(source_options, entry) ? parser->shared : parser->own;
	struct kvg_diag diag;

	if (entry == help_options) {
		print_help(parser->usage);
		return 0;
	}
	if (entry->set((char *)base + entry->offset, optarg, &diag) < 0)
		return kvg_options_usage_error(parser->usage, "--%s: %s", entry->name, diag.msg);
	if (adhoc && !parser->shared->adhoc)
		parser->shared->adhoc = entry->name;
	return KVG_OPTIONS_GO;
}

static int check_operands(const struct kvg_usage *usage, int argc, char **argv)
{
	int count = argc - optind;

	if (count < usage->min_operands)
		return kvg_options_usage_error(usage, "expected %s", usage->operands);
	if (usage->max_operands >= 0 && count > usage->max_operands)
		return kvg_options_usage_error(usage, "unexpected '%s'",
					       argv[optind + usage->max_operands]);
	return KVG_OPTIONS_GO;
}

static int parse(const struct parser *parser, int argc, char **argv)
{
	int status;
	int val;

	opterr = 0;
	optind = 0; /* start afresh: tests parse more than once */
	while ((val = getopt_long(argc, argv, parser->letters, parser->longs, NULL)) != -1) {
		if (val == ':')
			return kvg_options_usage_error(parser->usage, "'%s' needs an argument",
						       argv[optind - 1]);
		if (val == '?')
			return kvg_options_usage_error(parser->usage, "unknown option '%s'",
						       argv[optind - 1]);
		status = apply(parser, find_entry(parser, val));
		if (status != KVG_OPTIONS_GO)
			return status;
	}
	return check_operands(parser->usage, argc, argv);
}

int kvg_options_parse(const struct kvg_usage *usage, int argc, char **argv,
		      struct kvg_options *shared, void *own)
{
	KVG_CLEANUP(parser_done)
	struct parser parser = {.usage = usage, .shared = shared, .own = own};

	if (parser_init(&parser) < 0 ||
	    (usage->profile_options && kvg_profile_init(&shared->profile, "adhoc") < 0)) {
		kvg_log_error("out of memory");
		return usage->usage_status ? usage->usage_status : KVG_EXIT_FAILED;
	}

	if (usage->profile_options) {
		shared->usage = usage;
		shared->state_dir = KVG_STATE_DIR;
	}
	return parse(&parser, argc, argv);
}

void kvg_options_done(struct kvg_options *options)
{
	kvg_profile_done(&options->profile);
	kvg_config_free(options->loaded);
	free(options->ranges);
	*options = (struct kvg_options){0};
}
