// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/diff_text.h"
#include "cmd/options.h"
#include "cmd/rule_text.h"
#include "policy/compile.h"
#include "policy/diff.h"

#define EXIT_SAME    0
#define EXIT_DIFFER  1
#define EXIT_TROUBLE 2 /* whatever goes wrong: 1 is an answer */

struct diff_options {
	bool json;
};

static const struct kvg_option options[] = {
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct diff_options, json),
	 .help = "print JSON"},
	{0},
};

static const struct kvg_usage usage = {
	.command = "diff",
	.operands = "OLD NEW",
	.help = "Says what a client gains and loses, by tag and region, between two compiled "
		"policies,\n"
		"or between two range documents (or folders of them) under a profile. What OLD or "
		"NEW\n"
		"do not hold is taken from --ranges.",
	.exit_status = "0 the same, 1 they differ, 2 trouble",
	.options = options,
	.min_operands = 2,
	.max_operands = 2,
	.profile_options = true,
};

/* One of the two. What the view lends from elsewhere is not freed with it. */
struct side {
	const char *path;
	struct kvg_policy *policy;
	struct kvg_library own;
	struct kvg_library view;
};

static void side_done(struct side *side)
{
	kvg_policy_free(side->policy);
	kvg_library_done(&side->own);
}

/* A compiled policy says so in its first key; a range document has no such key at all. */
static int is_policy(const char *path, bool *ret)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	size_t size;
	int r;

	*ret = false;
	r = kvg_file_read(path, KVG_POLICY_MAX_BYTES, &data, &size);
	if (r == -EISDIR)
		return 0;
	if (r < 0) {
		kvg_log_error("cannot read '%s': %s", path, strerror(-r));
		return EXIT_TROUBLE;
	}
	*ret = memmem(data, size, "\"kvgate_policy\"", strlen("\"kvgate_policy\""));
	return 0;
}

static int compile(struct side *side, const struct kvg_profile *profile,
		   const struct kvg_library *others)
{
	KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {0};
	struct kvg_diag diag;
	int r;

	side->view = side->own;
	for (int kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++) {
		if (!side->own.documents[kind][profile->cloud])
			side->view.documents[kind][profile->cloud] =
				others->documents[kind][profile->cloud];
	}

	r = kvg_compile(profile, &side->view, &side->policy, &notes, &diag);
	if (r == 0)
		return 0;
	kvg_log_error("cannot compile '%s': %s", side->path, diag.msg);
	kvg_options_print_notes(&notes);
	return EXIT_TROUBLE;
}

static json_t *rules_to_json(const struct kvg_policy *policy, const struct kvg_rule *const *rules,
			     size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, kvg_rule_to_json(policy, rules[i]));
	return list;
}

static json_t *side_to_json(const struct side *side)
{
	char hex[KVG_DIGEST_HEX_LEN];
	char digest[KVG_DIGEST_HEX_LEN + 8];

	kvg_digest_format(side->policy->digest, hex);
	snprintf(digest, sizeof(digest), "sha256:%s", hex);
	return json_pack("{s:s, s:s, s:s, s:s}", "cloud", kvg_cloud_word(side->policy->cloud),
			 "mode", kvg_mode_word(side->policy->mode), "inbound",
			 kvg_inbound_word(side->policy->inbound), "digest", digest);
}

static int print_json(const struct side *a, const struct side *b, const struct kvg_diff *diff)
{
	json_t *tags = json_object();
	json_t *root;
	int r;

	for (size_t i = 0; i < diff->tags_count; i++) {
		const struct kvg_diff_tag *tag = &diff->tags[i];

		json_object_set_new(tags, tag->name,
				    json_pack("{s:I, s:I}", "added",
					      (json_int_t)(tag->added[0] + tag->added[1]),
					      "removed",
					      (json_int_t)(tag->removed[0] + tag->removed[1])));
	}

	root = json_pack("{s:o, s:o, s:o, s:o, s:o}", "added",
			 rules_to_json(b->policy, diff->added, diff->added_count), "removed",
			 rules_to_json(a->policy, diff->removed, diff->removed_count), "by_tag",
			 tags, "old", side_to_json(a), "new", side_to_json(b));
	r = root ? json_dumpf(root, stdout, JSON_COMPACT) : -1;
	json_decref(root);
	putchar('\n');
	return r;
}

static int print(const struct diff_options *own, const struct side *a, const struct side *b,
		 const struct kvg_diff *diff)
{
	if (!own->json)
		kvg_diff_print(a->policy, b->policy, diff);
	if ((own->json && print_json(a, b, diff) < 0) || fflush(stdout) != 0) {
		kvg_log_error("cannot print the difference: %m");
		return EXIT_TROUBLE;
	}
	return diff->same ? EXIT_SAME : EXIT_DIFFER;
}

static int diff_policies(const struct diff_options *own, const struct kvg_options *shared,
			 struct side *a, struct side *b)
{
	KVG_CLEANUP(kvg_diff_done) struct kvg_diff diff = {0};

	if (shared->adhoc || shared->config || shared->profile_name || shared->ranges_count ||
	    shared->resolve || shared->policy)
		return kvg_options_usage_error(&usage, "compiled policies need no profile");

	if (kvg_options_read_policy(a->path, &a->policy) ||
	    kvg_options_read_policy(b->path, &b->policy))
		return EXIT_TROUBLE;
	if (kvg_diff_policies(a->policy, b->policy, &diff) < 0) {
		kvg_log_error("out of memory");
		return EXIT_TROUBLE;
	}
	return print(own, a, b, &diff);
}

static int diff_documents(const struct diff_options *own, struct kvg_options *shared,
			  struct side *a, struct side *b)
{
	KVG_CLEANUP(kvg_library_done) struct kvg_library others = {0};
	KVG_CLEANUP(kvg_diff_done) struct kvg_diff diff = {0};
	const struct kvg_profile *profile;

	if (kvg_options_profile(shared, KVG_RESOLV_CONF, &profile) ||
	    kvg_options_library(shared->ranges, shared->ranges_count, &others) ||
	    kvg_options_library(&a->path, 1, &a->own) || kvg_options_library(&b->path, 1, &b->own))
		return EXIT_TROUBLE;
	if (compile(a, profile, &others) || compile(b, profile, &others))
		return EXIT_TROUBLE;

	if (kvg_diff_documents(profile, &(struct kvg_diff_side){&a->view, a->policy},
			       &(struct kvg_diff_side){&b->view, b->policy}, &diff) < 0) {
		kvg_log_error("out of memory");
		return EXIT_TROUBLE;
	}
	return print(own, a, b, &diff);
}

static int run(const struct diff_options *own, struct kvg_options *shared, char **operands)
{
	KVG_CLEANUP(side_done) struct side a = {.path = operands[0]};
	KVG_CLEANUP(side_done) struct side b = {.path = operands[1]};
	bool policies[2];

	if (is_policy(a.path, &policies[0]) || is_policy(b.path, &policies[1]))
		return EXIT_TROUBLE;
	if (policies[0] != policies[1])
		return kvg_options_usage_error(&usage, "'%s' is a compiled policy and '%s' is none",
					       policies[0] ? a.path : b.path,
					       policies[0] ? b.path : a.path);
	return policies[0] ? diff_policies(own, shared, &a, &b)
			   : diff_documents(own, shared, &a, &b);
}

int kvg_cmd_diff(int argc, char **argv)
{
	KVG_CLEANUP(kvg_options_done) struct kvg_options shared = {0};
	struct diff_options own = {0};
	int status;

	status = kvg_options_parse(&usage, argc, argv, &shared, &own);
	return status == KVG_OPTIONS_GO ? run(&own, &shared, argv + optind) : status;
}
