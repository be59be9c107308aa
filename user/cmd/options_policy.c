// SPDX-License-Identifier: BSD-2-Clause
/* From options to a policy: what is read, in which order, and what is said when it fails. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/options.h"
#include "policy/compile.h"
#include "policy/resolve.h"

void kvg_options_print_diag(const char *file, const struct kvg_diag *diag)
{
	if (diag->line && diag->column)
		kvg_log_error("%s:%u:%u: %s", file, diag->line, diag->column, diag->msg);
	else if (diag->line)
		kvg_log_error("%s:%u: %s", file, diag->line, diag->msg);
	else
		kvg_log_error("%s: %s", file, diag->msg);
}

void kvg_options_print_notes(const struct kvg_notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		kvg_log_note("%s", notes->lines[i]);
}

int kvg_options_read_policy(const char *path, struct kvg_policy **ret)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	struct kvg_diag diag;
	size_t size;
	int r;

	r = kvg_file_read(path, KVG_POLICY_MAX_BYTES, &data, &size);
	if (r < 0) {
		kvg_log_error("cannot read the policy '%s': %s", path, strerror(-r));
		return KVG_EXIT_FAILED;
	}

	r = kvg_policy_parse(data, size, ret, &diag);
	if (r < 0) {
		kvg_options_print_diag(path, &diag);
		return KVG_EXIT_FAILED;
	}
	return 0;
}

int kvg_options_read_config(const char *path, struct kvg_config **ret)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	struct kvg_diag diag;
	size_t size;
	int r;

	r = kvg_file_read(path, KVG_CONFIG_MAX_BYTES, &data, &size);
	if (r < 0) {
		kvg_log_error("cannot read the configuration '%s': %s", path, strerror(-r));
		return KVG_EXIT_USAGE;
	}

	r = kvg_config_parse(data, size, ret, &diag);
	if (r < 0) {
		kvg_options_print_diag(path, &diag);
		return KVG_EXIT_USAGE;
	}
	return 0;
}

static int unknown_profile(const struct kvg_options *options, const char *path)
{
	const struct kvg_config *config = options->loaded;
	char names[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < config->profiles_count && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 config->profiles[i].profile.name);

	if (options->profile_name)
		kvg_log_error("'%s' has no profile '%s': it has %s", path, options->profile_name,
			      names);
	else
		kvg_log_error("'%s' has more than one profile: choose with --profile from %s", path,
			      names);
	return KVG_EXIT_USAGE;
}

static int find_profile(struct kvg_options *options, struct kvg_profile **ret)
{
	const char *path = options->config ? options->config : KVG_CONFIG_FILE;
	struct kvg_config_profile *found = NULL;
	int status;

	if (options->adhoc)
		return kvg_options_usage_error(options->usage,
					       "--%s cannot go with a profile of the configuration",
					       options->adhoc);

	status = options->loaded ? 0 : kvg_options_read_config(path, &options->loaded);
	if (status)
		return status;

	if (options->profile_name)
		found = kvg_config_find(options->loaded, options->profile_name);
	else if (options->loaded->profiles_count == 1)
		found = options->loaded->profiles;
	if (!found)
		return unknown_profile(options, path);

	*ret = &found->profile;
	return 0;
}

/* What depends on this machine and this moment: nameservers and names. */
static int look_up(const struct kvg_options *options, struct kvg_profile *profile,
		   const char *resolv_conf, struct kvg_notes *notes)
{
	struct kvg_diag diag;
	int r = 0;

	if (profile->auto_resolvers) {
		r = kvg_profile_add_nameservers(profile, resolv_conf, notes, &diag);
		if (r < 0) {
			kvg_options_print_diag(resolv_conf, &diag);
			return KVG_EXIT_FAILED;
		}
	}
	if (options->resolve)
		r = kvg_resolve_hosts(profile, notes);
	if (r < 0) {
		kvg_log_error("cannot look up names: %s", strerror(-r));
		return KVG_EXIT_FAILED;
	}
	return 0;
}

int kvg_options_profile(struct kvg_options *options, const char *resolv_conf,
			const struct kvg_profile **ret)
{
	KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {0};
	struct kvg_profile *profile = &options->profile;
	struct kvg_diag diag;
	int status = 0;

	if (options->policy)
		return kvg_options_usage_error(options->usage, "--policy has no place here");
	if (options->config || options->profile_name)
		status = find_profile(options, &profile);
	if (status)
		return status;

	if (kvg_profile_check(profile, &diag) < 0) {
		if (options->config || options->profile_name)
			kvg_log_error("profile '%s': %s", profile->name, diag.msg);
		else
			kvg_options_usage_error(options->usage, "%s", diag.msg);
		return KVG_EXIT_USAGE;
	}

	status = look_up(options, profile, resolv_conf, &notes);
	kvg_options_print_notes(&notes);
	if (status == 0)
		*ret = profile;
	return status;
}

int kvg_options_library(const char *const *paths, size_t count, struct kvg_library *ret)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		KVG_CLEANUP(kvg_freep) char *fault = NULL;
		struct kvg_diag diag = {0};

		r = kvg_library_add(ret, paths[i], &fault, &diag);
		if (r < 0)
			kvg_options_print_diag(fault ? fault : paths[i], &diag);
	}
	for (size_t i = 0; i < ret->notes_count; i++)
		kvg_log_note("%s", ret->notes[i]);
	return r < 0 ? KVG_EXIT_FAILED : 0;
}

int kvg_options_load(struct kvg_options *options, struct kvg_library *ret)
{
	KVG_CLEANUP(kvg_freep) char *standard = NULL;
	const char *path;

	if (options->ranges_count)
		return kvg_options_library(options->ranges, options->ranges_count, ret);

	path = options->loaded ? options->loaded->ranges_directory : NULL;
	if (!path) {
		if (asprintf(&standard, "%s/ranges", options->state_dir) < 0) {
			kvg_log_error("out of memory");
			return KVG_EXIT_FAILED;
		}
		path = standard;
	}
	if (access(path, F_OK) != 0) {
		kvg_log_error("no range documents: give --ranges, or put them into '%s'", path);
		return KVG_EXIT_FAILED;
	}
	return kvg_options_library(&path, 1, ret);
}

int kvg_options_compile(const struct kvg_profile *profile, const struct kvg_library *library,
			struct kvg_policy **ret)
{
	KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {0};
	struct kvg_diag diag;
	int r;

	r = kvg_compile(profile, library, ret, &notes, &diag);
	if (r < 0)
		kvg_log_error("cannot compile profile '%s': %s", profile->name, diag.msg);
	kvg_options_print_notes(&notes);
	return r < 0 ? KVG_EXIT_FAILED : 0;
}

/* A compiled policy needs nothing else; say so instead of ignoring it. */
static int check_policy_alone(const struct kvg_options *options)
{
	const char *other = options->adhoc;

	if (options->config)
		other = "config";
	else if (options->profile_name)
		other = "profile";
	else if (options->ranges_count)
		other = "ranges";
	else if (options->resolve)
		other = "resolve";
	if (other)
		return kvg_options_usage_error(options->usage, "--%s cannot go with --policy",
					       other);
	return 0;
}

int kvg_options_policy(struct kvg_options *options, const char *resolv_conf,
		       struct kvg_policy **ret)
{
	KVG_CLEANUP(kvg_library_done) struct kvg_library library = {0};
	const struct kvg_profile *profile;
	int status;

	if (options->policy) {
		status = check_policy_alone(options);
		return status ? status : kvg_options_read_policy(options->policy, ret);
	}

	status = kvg_options_profile(options, resolv_conf, &profile);
	if (status == 0)
		status = kvg_options_load(options, &library);
	if (status == 0)
		status = kvg_options_compile(profile, &library, ret);
	return status;
}
