/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options as tables over getopt_long(3): a command's own ones, and the profile options that compile,
 * explain, diff, run and attach share and that end in a policy.
 *
 *	static const struct kvg_option options[] = {
 *		{ .name = "audit-file", .argument = "FILE", .set = kvg_option_set_string,
 *		  .offset = offsetof(struct run, audit_file), .help = "..." },
 *		{ 0 },
 *	};
 *	static const struct kvg_usage usage = { .command = "run", .options = options, ... };
 *
 *	status = kvg_options_parse(&usage, argc, argv, &shared, &run);
 *	if (status != KVG_OPTIONS_GO)
 *		return status;
 *	status = kvg_options_policy(&shared, KVG_RESOLV_CONF, &policy);
 *	if (status)
 *		return status;
 *
 * What goes wrong is printed here, once; the caller only hands on the exit status.
 */
#ifndef KVG_CMD_OPTIONS_H
#define KVG_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "policy/config.h"
#include "policy/notes.h"
#include "policy/policy.h"
#include "policy/profile.h"
#include "ranges/library.h"

#define KVG_CONFIG_FILE "/etc/kvgate/kvgate.yaml"
#define KVG_STATE_DIR   "/var/lib/kvgate"
#define KVG_RESOLV_CONF "/etc/resolv.conf"

/* Not an exit status: go on with the command. */
#define KVG_OPTIONS_GO (-1)

#define KVG_EXIT_FAILED 1 /* the thing cannot be done */
#define KVG_EXIT_USAGE  2 /* options or configuration are wrong */

/**
 * struct kvg_option - one option
 * @name:     long name without the dashes; NULL ends a table
 * @letter:   short name, 0 for none
 * @argument: word for its argument in --help; NULL if it takes none
 * @help:     one line
 * @offset:   of the field in the target that @set writes
 * @set:      stores @argument (NULL if none) into @field; 0, or negative with @reterr_diag
 */
struct kvg_option {
	const char *name;
	char letter;
	const char *argument;
	const char *help;
	size_t offset;
	int (*set)(void *field, const char *argument, struct kvg_diag *reterr_diag);
};

/** kvg_option_set_flag() - a bool field becomes true */
int kvg_option_set_flag(void *field, const char *argument, struct kvg_diag *reterr_diag);

/** kvg_option_set_string() - a const char * field points to the argument, in argv; the last one wins */
int kvg_option_set_string(void *field, const char *argument, struct kvg_diag *reterr_diag);

/**
 * struct kvg_usage - how a command is called
 * @command:         its name
 * @operands:        "DEST", "-- CMD [ARG...]"; NULL if it takes none
 * @help:            what it does, in whole sentences
 * @exit_status:     the line of --help on exit statuses
 * @options:         its own options; NULL if none
 * @min_operands:    fewer are a usage error
 * @max_operands:    more are; -1 for no limit
 * @profile_options: it takes the shared profile options too
 * @stop_at_operand: what follows the first operand belongs to somebody else (run -- CMD --x)
 * @usage_status:    exit status of a usage error; 0 means KVG_EXIT_USAGE
 */
struct kvg_usage {
	const char *command;
	const char *operands;
	const char *help;
	const char *exit_status;
	const struct kvg_option *options;
	int min_operands;
	int max_operands;
	bool profile_options;
	bool stop_at_operand;
	int usage_status;
};

/**
 * struct kvg_options - the profile options, as given
 * @profile:      put together from ad hoc options; holds the defaults where none was given
 * @adhoc:        first ad hoc profile option that was given, or NULL
 * @config:       --config, or NULL
 * @profile_name: --profile, or NULL
 * @policy:       --policy, or NULL
 * @state_dir:    --state-dir; KVG_STATE_DIR
 * @ranges:       --ranges, in order; the strings are argv's
 * @ranges_count: how many
 * @resolve:      --resolve
 * @usage:        of the command, for messages
 * @loaded:       the configuration, once it was read
 */
struct kvg_options {
	struct kvg_profile profile;
	const char *adhoc;
	const char *config;
	const char *profile_name;
	const char *policy;
	const char *state_dir;
	const char **ranges;
	size_t ranges_count;
	bool resolve;
	const struct kvg_usage *usage;
	struct kvg_config *loaded;
};

/** kvg_options_done() - free what it holds; fine on a zeroed one */
void kvg_options_done(struct kvg_options *options);

/**
 * kvg_options_parse() - read a command line
 * @usage:   the command's
 * @argc:    as main() got it from the command's name on
 * @argv:    the same; argv[0] is the command's name
 * @shared:  zeroed before; filled if @usage->profile_options, else NULL; done by the caller
 * @own:     what the offsets of @usage->options are relative to; NULL if there are none
 *
 * The operands are argv[optind] and on (getopt(3)). --help is added and answered here.
 *
 * Return: KVG_OPTIONS_GO, or the exit status: --help was printed, or a usage error was
 */
int kvg_options_parse(const struct kvg_usage *usage, int argc, char **argv,
		      struct kvg_options *shared, void *own);

/**
 * kvg_options_usage_error() - one line on stderr that ends with where help is
 * @usage:  the command's
 * @format: as printf(3), no newline
 *
 * Return: the exit status
 */
int kvg_options_usage_error(const struct kvg_usage *usage, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * kvg_options_policy() - the policy that the options ask for
 * @options:     parsed; its profile gains what was looked up (nameservers, --resolve)
 * @resolv_conf: what `--resolver auto` reads: the file that the client sees
 * @ret:         the policy, freed by the caller; untouched on failure
 *
 * From --policy FILE; or --config and --profile; or the ad hoc options. Range documents come from
 * --ranges, else the configuration's ranges.directory, else "ranges" in the state folder. Faults and
 * notes are printed.
 *
 * Return: 0, or the exit status: KVG_EXIT_FAILED, KVG_EXIT_USAGE
 */
int kvg_options_policy(struct kvg_options *options, const char *resolv_conf,
		       struct kvg_policy **ret);

/**
 * kvg_options_profile() - the profile that the options ask for, nameservers and names looked up
 * @options:     as of kvg_options_policy(); --policy is a usage error here
 * @resolv_conf: the same
 * @ret:         belongs to @options
 *
 * For commands that compile more than once (diff).
 *
 * Return: 0, or the exit status
 */
int kvg_options_profile(struct kvg_options *options, const char *resolv_conf,
			const struct kvg_profile **ret);

/**
 * kvg_options_library() - read range documents, print faults and notes
 * @paths:  files and folders
 * @count:  how many
 * @ret:    zeroed before, done by the caller
 *
 * Return: 0, or the exit status
 */
int kvg_options_library(const char *const *paths, size_t count, struct kvg_library *ret);

/**
 * kvg_options_load() - the documents that the options name, as of kvg_options_policy()
 * @options: parsed
 * @ret:     zeroed before, done by the caller
 *
 * Return: 0, or the exit status
 */
int kvg_options_load(struct kvg_options *options, struct kvg_library *ret);

/**
 * kvg_options_compile() - compile, print faults and notes
 * @profile: as of kvg_options_profile()
 * @library: documents
 * @ret:     the policy, freed by the caller; untouched on failure
 *
 * Return: 0, or KVG_EXIT_FAILED
 */
int kvg_options_compile(const struct kvg_profile *profile, const struct kvg_library *library,
			struct kvg_policy **ret);

/** kvg_options_print_diag() - "kvgate: FILE:LINE:COLUMN: what is wrong" on stderr */
void kvg_options_print_diag(const char *file, const struct kvg_diag *diag);

/** kvg_options_print_notes() - each on stderr */
void kvg_options_print_notes(const struct kvg_notes *notes);

/** kvg_options_read_config() - read a configuration, print the fault; Return: 0, or the exit status */
int kvg_options_read_config(const char *path, struct kvg_config **ret);

/** kvg_options_read_policy() - read a compiled policy, print the fault; Return: 0, or the exit status */
int kvg_options_read_policy(const char *path, struct kvg_policy **ret);

#endif
