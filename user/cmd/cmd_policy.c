// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/folder.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/places.h"
#include "discover/request.h"
#include "policy/diff.h"
#include "policy/history.h"

#define RELOAD_MS 10000 /* the agent answers when the new policy is in force */
#define TIME_LEN  32
#define SHORT_HEX 12 /* digits of a digest that are shown, and the fewest that name one */

#define DIGEST_PREFIX "sha256:"

struct policy {
	const char *state_dir;
	const char *run_dir;
	bool json;
};

static const struct kvg_option options[] = {
	{.name = "state-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct policy, state_dir),
	 .help = "kvgate's own files (" KVG_STATE_DIR ")"},
	{.name = "run-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct policy, run_dir),
	 .help = "the agent's control socket (" KVG_RUN_DIR ")"},
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct policy, json),
	 .help = "print JSON"},
	{0},
};

static const struct kvg_usage usage = {
	.command = "policy",
	.operands = "history [PROFILE] | rollback PROFILE [NUMBER | DIGEST] | release PROFILE",
	.help = "history:  the policies that profiles had in force under the agent, newest last.\n"
		"rollback: puts one of them in force again, by default the one before the newest, "
		"and "
		"holds\n"
		"          the profile there, whatever documents and configuration say.\n"
		"release:  lets the profile follow them again.",
	.exit_status = "0 done, 1 failed, 2 usage",
	.options = options,
	.min_operands = 1,
	.max_operands = 3,
};

static int out_of_memory(void)
{
	kvg_log_error("out of memory");
	return KVG_EXIT_FAILED;
}

static const char *format_time(time_t time, char ret[TIME_LEN])
{
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(ret, TIME_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return ret;
}

static void count_families(const struct kvg_policy *policy, size_t ret[2])
{
	ret[0] = ret[1] = 0;
	for (size_t i = 0; i < policy->rules_count; i++)
		ret[policy->rules[i].prefix.family == AF_INET6]++;
}

/* One profile's past, and what it is held at. */
struct past {
	const char *profile;
	struct kvg_history history;
	struct kvg_policy *held;
	int held_error; /* of kvg_history_held(): -ENOENT if it is not held */
};

static void past_done(struct past *past)
{
	kvg_history_done(&past->history);
	kvg_policy_free(past->held);
}

static int read_past(const struct policy *own, const char *profile, struct past *ret)
{
	int r;

	ret->profile = profile;
	r = kvg_history_read(own->state_dir, profile, &ret->history);
	if (r < 0) {
		kvg_log_error("cannot read the history of '%s': %s", profile, strerror(-r));
		return KVG_EXIT_FAILED;
	}
	ret->held_error = kvg_history_held(own->state_dir, profile, &ret->held, NULL);
	return 0;
}

static bool is_held_at(const struct past *past, const struct kvg_history_entry *entry)
{
	return past->held && entry->policy &&
	       memcmp(past->held->digest, entry->policy->digest, KVG_DIGEST_BYTES) == 0;
}

/* What changed since the entry before; nothing for the first, and beside a damaged one. */
static int compare(const struct past *past, size_t index, struct kvg_diff *ret)
{
	const struct kvg_policy *before = index ? past->history.entries[index - 1].policy : NULL;
	const struct kvg_policy *policy = past->history.entries[index].policy;

	return before && policy ? kvg_diff_policies(before, policy, ret) : 0;
}

static void print_entry(const struct past *past, size_t index)
{
	const struct kvg_history_entry *entry = &past->history.entries[index];
	KVG_CLEANUP(kvg_diff_done) struct kvg_diff diff = {0};
	char hex[KVG_DIGEST_HEX_LEN];
	char time[TIME_LEN];
	size_t families[2];

	if (!entry->policy) {
		printf("%6u  %s  damaged\n", entry->number, format_time(entry->since, time));
		return;
	}
	kvg_digest_format(entry->policy->digest, hex);
	count_families(entry->policy, families);
	printf("%6u  %s  " DIGEST_PREFIX "%.*s  %zu IPv4, %zu IPv6", entry->number,
	       format_time(entry->since, time), SHORT_HEX, hex, families[0], families[1]);
	if (compare(past, index, &diff) == 0 && diff.added_count + diff.removed_count)
		printf("; %zu added, %zu removed", diff.added_count, diff.removed_count);
	printf("%s\n", is_held_at(past, entry) ? "; held" : "");
}

static void print_past(const struct past *past)
{
	printf("%s%s\n", past->profile,
	       past->held_error == -ENOENT ? ""
					   : ": held, until 'kvgate policy release' lets it go");
	for (size_t i = 0; i < past->history.count; i++)
		print_entry(past, i);
}

static json_t *entry_json(const struct past *past, size_t index)
{
	const struct kvg_history_entry *entry = &past->history.entries[index];
	char digest[KVG_DIGEST_HEX_LEN + 8] = DIGEST_PREFIX;
	char time[TIME_LEN];
	size_t families[2];

	format_time(entry->since, time);
	if (!entry->policy)
		return json_pack("{s:i, s:s, s:b}", "number", (int)entry->number, "since", time,
				 "damaged", 1);
	kvg_digest_format(entry->policy->digest, digest + strlen(digest));
	count_families(entry->policy, families);
	return json_pack("{s:i, s:s, s:b, s:s, s:{s:I, s:I}, s:b}", "number", (int)entry->number,
			 "since", time, "damaged", 0, "digest", digest, "prefixes", "ipv4",
			 (json_int_t)families[0], "ipv6", (json_int_t)families[1], "held",
			 is_held_at(past, entry));
}

static json_t *past_json(const struct past *past)
{
	json_t *entries = json_array();

	for (size_t i = 0; i < past->history.count; i++)
		json_array_append_new(entries, entry_json(past, i));
	return json_pack("{s:s, s:b, s:o}", "profile", past->profile, "held",
			 past->held_error != -ENOENT, "policies", entries);
}

static int show_profiles(const struct policy *own, const struct kvg_folder_names *names)
{
	json_t *list = json_array();
	int status = 0;

	for (size_t i = 0; i < names->count && status == 0; i++) {
		KVG_CLEANUP(past_done) struct past past = {0};

		status = read_past(own, names->items[i], &past);
		if (status == 0 && own->json)
			json_array_append_new(list, past_json(&past));
		else if (status == 0)
			print_past(&past);
	}
	if (own->json && status == 0) {
		status = json_dumpf(list, stdout, JSON_COMPACT) < 0 ? KVG_EXIT_FAILED : 0;
		putchar('\n');
	}
	json_decref(list);
	return fflush(stdout) == 0 ? status : KVG_EXIT_FAILED;
}

static int history(const struct policy *own, const char *profile)
{
	KVG_CLEANUP(kvg_folder_names_done) struct kvg_folder_names names = {0};
	KVG_CLEANUP(kvg_freep) char *folder = NULL;
	char *one[] = {(char *)profile};
	int r;

	if (profile)
		return show_profiles(own, &(struct kvg_folder_names){.items = one, .count = 1});

	if (asprintf(&folder, "%s/history", own->state_dir) < 0) {
		folder = NULL;
		return out_of_memory();
	}
	r = kvg_folder_list(folder, &names);
	if (r < 0 && r != -ENOENT) {
		kvg_log_error("cannot read '%s': %s", folder, strerror(-r));
		return KVG_EXIT_FAILED;
	}
	return show_profiles(own, &names);
}

/* The agent looks at what is held when it reloads. */
static int tell_agent(const struct policy *own)
{
	json_t *request = json_pack("{s:s}", "request", "reload");
	json_t *answer = NULL;
	struct kvg_diag diag;
	int r;

	if (!request)
		return out_of_memory();
	r = kvg_request_send(own->run_dir, request, RELOAD_MS, &answer, &diag);
	json_decref(request);
	if (r == -ECONNREFUSED) {
		kvg_log_note("no agent runs: it will be so when one is started");
		return 0;
	}
	if (r < 0) {
		kvg_log_error("the agent was not told, and has to be reloaded: %s", diag.msg);
		return KVG_EXIT_FAILED;
	}
	json_decref(answer);
	return 0;
}

static const struct kvg_history_entry *find_number(const struct kvg_history *history,
						   const char *number)
{
	char *end = NULL;
	unsigned long wanted = strtoul(number, &end, 10);

	for (size_t i = 0; i < history->count && end != number && !*end; i++) {
		if (history->entries[i].number == wanted)
			return &history->entries[i];
	}
	return NULL;
}

/* The newest one with it; @start must tell it from any other. */
static const struct kvg_history_entry *find_digest(const struct kvg_history *history,
						   const char *start)
{
	const struct kvg_history_entry *found = NULL;
	char hex[KVG_DIGEST_HEX_LEN];

	for (size_t i = history->count; i-- > 0;) {
		const struct kvg_history_entry *entry = &history->entries[i];

		if (!entry->policy)
			continue;
		kvg_digest_format(entry->policy->digest, hex);
		if (strncmp(hex, start, strlen(start)) != 0)
			continue;
		if (found &&
		    memcmp(found->policy->digest, entry->policy->digest, KVG_DIGEST_BYTES) != 0)
			return NULL;
		if (!found)
			found = entry;
	}
	return found;
}

/* @name: a number, a digest as history shows it, or NULL for the one before the newest */
static const struct kvg_history_entry *find_entry(const struct past *past, const char *name)
{
	const struct kvg_history *history = &past->history;

	if (!name)
		return history->count > 1 ? &history->entries[history->count - 2] : NULL;
	if (strncmp(name, DIGEST_PREFIX, strlen(DIGEST_PREFIX)) == 0)
		name += strlen(DIGEST_PREFIX);
	else if (strlen(name) < SHORT_HEX)
		return find_number(history, name);
	return strlen(name) < SHORT_HEX ? NULL : find_digest(history, name);
}

static int rollback(const struct policy *own, const char *profile, const char *number)
{
	KVG_CLEANUP(past_done) struct past past = {0};
	const struct kvg_history_entry *entry;
	char time[TIME_LEN];
	int status;
	int r;

	status = read_past(own, profile, &past);
	if (status)
		return status;
	entry = find_entry(&past, number);
	if (!entry || !entry->policy) {
		kvg_log_error("'%s' has no %s policy%s%s%s; see 'kvgate policy history %s'",
			      profile, entry ? "undamaged" : "such",
			      number ? " '" : " before the newest", number ? number : "",
			      number ? "'" : "", profile);
		return KVG_EXIT_FAILED;
	}

	r = kvg_history_hold(own->state_dir, profile, entry->policy);
	if (r < 0) {
		kvg_log_error("cannot hold '%s': %s", profile, strerror(-r));
		return KVG_EXIT_FAILED;
	}
	printf("%s is held at policy %u of %s, until 'kvgate policy release %s'\n", profile,
	       entry->number, format_time(entry->since, time), profile);
	return tell_agent(own);
}

static int release(const struct policy *own, const char *profile)
{
	int r = kvg_history_release(own->state_dir, profile);

	if (r == -ENOENT) {
		kvg_log_error("'%s' is not held", profile);
		return KVG_EXIT_FAILED;
	}
	if (r < 0) {
		kvg_log_error("cannot release '%s': %s", profile, strerror(-r));
		return KVG_EXIT_FAILED;
	}
	printf("%s follows its documents again\n", profile);
	return tell_agent(own);
}

/* What a profile may be called: nothing that leads out of the folder. */
static int check_profile(const char *profile)
{
	struct kvg_profile probe = {0};
	struct kvg_diag diag;
	int r;

	if (!profile)
		return 0;
	r = kvg_profile_set_name(&probe, profile, &diag);
	kvg_profile_done(&probe);
	return r < 0 ? kvg_options_usage_error(&usage, "%s", diag.msg) : 0;
}

static int run(const struct policy *own, int count, char **operands)
{
	const char *verb = operands[0];
	const char *profile = count > 1 ? operands[1] : NULL;
	int status = check_profile(profile);

	if (status)
		return status;
	if (strcmp(verb, "history") == 0 && count <= 2)
		return history(own, profile);
	if (strcmp(verb, "rollback") == 0 && profile)
		return rollback(own, profile, count > 2 ? operands[2] : NULL);
	if (strcmp(verb, "release") == 0 && profile && count == 2)
		return release(own, profile);
	return kvg_options_usage_error(&usage, "expected %s", usage.operands);
}

int kvg_cmd_policy(int argc, char **argv)
{
	struct policy policy = {.state_dir = KVG_STATE_DIR, .run_dir = KVG_RUN_DIR};
	int status;

	status = kvg_options_parse(&usage, argc, argv, NULL, &policy);
	return status == KVG_OPTIONS_GO ? run(&policy, argc - optind, argv + optind) : status;
}
