// SPDX-License-Identifier: BSD-2-Clause
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/places.h"
#include "cmd/rule_text.h"
#include "gate/ask.h"
#include "gate/gate.h"
#include "policy/explain.h"
#include "policy/saved_policy.h"
#include "policy/words.h"

#define EXIT_REFUSED 3

struct explain {
	bool json;
	const char *cgroup;
	struct kvg_places places;
};

static const struct kvg_option options[] = {
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct explain, json),
	 .help = "print JSON"},
	{.name = "cgroup",
	 .argument = "PATH",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct explain, cgroup),
	 .help = "ask what the kernel holds for this gated cgroup, not a file; which tag allows\n"
		 "                                     it is known if `attach` kept the policy"},
	KVG_PLACES_OPTIONS(offsetof(struct explain, places)),
	{0},
};

static const struct kvg_usage usage = {
	.command = "explain",
	.operands = "DEST",
	.help = "Says whether a policy lets ADDR:PORT[/tcp|udp] through, why, and by which tag.\n"
		"IPv6 addresses stand in brackets; tcp is the default.",
	.exit_status = "0 allowed, 3 refused, 1 cannot say, 2 usage or configuration",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.profile_options = true,
};

/*
 * The question and its answer; what prints it need not know where the answer is from. Without a
 * policy (of a gate whose policy nobody kept) there are no rules to show.
 */
struct answer {
	const struct kvg_policy *policy;
	const unsigned char *digest;
	enum kvg_mode mode;
	struct kvg_destination destination;
	struct kvg_explanation explanation;
};

static int print_json(const struct answer *answer)
{
	const struct kvg_explanation *explanation = &answer->explanation;
	bool allowed = explanation->reason == KVG_REASON_ALLOWED;
	char destination[KVG_DESTINATION_STRLEN];
	char hex[KVG_DIGEST_HEX_LEN];
	char digest[KVG_DIGEST_HEX_LEN + 8];
	json_t *root;
	int r;

	kvg_digest_format(answer->digest, hex);
	snprintf(digest, sizeof(digest), "sha256:%s", hex);

	root = json_pack("{s:s, s:s, s:s?, s:o}", "destination",
			 kvg_destination_format(&answer->destination, destination), "verdict",
			 allowed ? "allowed" : "refused", "reason",
			 allowed ? NULL : kvg_reason_word(explanation->reason), "rule",
			 kvg_rule_to_json(answer->policy, explanation->rule));
	if (root && !allowed)
		json_object_set_new(root, "nearest",
				    kvg_rule_to_json(answer->policy, explanation->nearest));
	if (root)
		json_object_set_new(root, "digest", json_string(digest));

	r = root ? json_dumpf(root, stdout, JSON_COMPACT) : -1;
	json_decref(root);
	putchar('\n');
	return r;
}

static void print_rule(const char *title, const struct kvg_policy *policy,
		       const struct kvg_rule *rule)
{
	char prefix[KVG_PREFIX_STRLEN];
	char services[KVG_RULE_SERVICES_STRLEN];

	printf("  %-8s %s: %s, from ", title, kvg_prefix_format(&rule->prefix, prefix),
	       kvg_rule_services(policy, rule, services));
	for (size_t i = 0; i < rule->from_count; i++)
		printf("%s%s", i ? ", " : "", rule->from[i]);
	putchar('\n');
}

static void print_text(const struct answer *answer)
{
	const struct kvg_explanation *explanation = &answer->explanation;
	bool allowed = explanation->reason == KVG_REASON_ALLOWED;
	char destination[KVG_DESTINATION_STRLEN];

	kvg_destination_format(&answer->destination, destination);
	if (!allowed)
		printf("%s is refused (%s): %s\n", destination,
		       kvg_reason_word(explanation->reason),
		       kvg_reason_meaning(explanation->reason));
	else if (explanation->rule || !answer->policy)
		printf("%s is allowed\n", destination);
	else
		printf("%s is allowed: loopback is always reachable\n", destination);

	if (explanation->rule)
		print_rule("rule", answer->policy, explanation->rule);
	if (explanation->nearest && explanation->nearest != explanation->rule)
		print_rule("nearest", answer->policy, explanation->nearest);
	if (!allowed && answer->mode == KVG_MODE_AUDIT)
		printf("  the policy is in mode audit: it would be recorded and let through\n");
}

static int ask_policy(struct kvg_options *shared, struct kvg_policy **ret_policy,
		      struct answer *answer)
{
	int status = kvg_options_policy(shared, KVG_RESOLV_CONF, ret_policy);

	if (status)
		return status;

	answer->policy = *ret_policy;
	answer->digest = answer->policy->digest;
	answer->mode = answer->policy->mode;
	kvg_explain(answer->policy, &answer->destination, &answer->explanation);
	return 0;
}

static int find_gate(const struct explain *explain, struct kvg_set **ret, __u64 *ret_cgroup_id)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;
	KVG_CLEANUP(kvg_freep) char *root = NULL;
	struct kvg_diag diag = {0};
	int r;

	if (kvg_places_cgroup_root(&explain->places, &root))
		return KVG_EXIT_FAILED;
	r = kvg_cgroup_open(root, explain->cgroup, &cgroup, &diag);
	if (r == 0)
		r = kvg_gate_find(kvg_places_bpffs(&explain->places), cgroup.id, ret, &diag);
	if (r < 0) {
		kvg_log_error("'%s': %s", explain->cgroup, diag.msg);
		return KVG_EXIT_FAILED;
	}
	*ret_cgroup_id = cgroup.id;
	return 0;
}

/* The verdict is the kernel's; the rules that go with it are from the policy that attach kept. */
static int ask_kernel(const struct explain *explain, const struct kvg_options *shared,
		      struct kvg_gate_info *info, struct kvg_policy **ret_policy,
		      struct answer *answer)
{
	KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = NULL;
	struct kvg_gate gate = {0};
	struct kvg_diag diag = {0};
	__u64 cgroup_id;
	int r;

	if (find_gate(explain, &set, &cgroup_id))
		return KVG_EXIT_FAILED;
	r = kvg_gate_read(set, cgroup_id, NULL, info);
	if (r == 0)
		r = kvg_ask(set, cgroup_id, &answer->destination, &gate, &diag);
	if (r < 0) {
		kvg_log_error("'%s': %s", explain->cgroup, diag.msg[0] ? diag.msg : strerror(-r));
		return KVG_EXIT_FAILED;
	}

	if (kvg_saved_policy_get(shared->state_dir, info->digest, ret_policy) == 0) {
		answer->policy = *ret_policy;
		kvg_explain(answer->policy, &answer->destination, &answer->explanation);
	}
	answer->explanation.reason = r;
	answer->digest = info->digest;
	answer->mode = gate.mode;
	return 0;
}

static int run(const struct explain *explain, struct kvg_options *shared, const char *text)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	struct kvg_gate_info info = {0};
	struct answer answer = {0};
	struct kvg_diag diag;
	int status;

	if (kvg_destination_parse(text, &answer.destination, &diag) < 0)
		return kvg_options_usage_error(&usage, "%s", diag.msg);
	if (explain->cgroup && (shared->adhoc || shared->policy || shared->config ||
				shared->profile_name || shared->ranges_count))
		return kvg_options_usage_error(
			&usage, "--cgroup asks the kernel: no policy can be given with it");

	status = explain->cgroup ? ask_kernel(explain, shared, &info, &policy, &answer)
				 : ask_policy(shared, &policy, &answer);
	if (status)
		return status;

	if (!explain->json)
		print_text(&answer);
	if ((explain->json && print_json(&answer) < 0) || fflush(stdout) != 0) {
		kvg_log_error("cannot print the answer: %m");
		return KVG_EXIT_FAILED;
	}
	return answer.explanation.reason == KVG_REASON_ALLOWED ? 0 : EXIT_REFUSED;
}

int kvg_cmd_explain(int argc, char **argv)
{
	KVG_CLEANUP(kvg_options_done) struct kvg_options shared = {0};
	struct explain explain = {0};
	int status;

	status = kvg_options_parse(&usage, argc, argv, &shared, &explain);
	return status == KVG_OPTIONS_GO ? run(&explain, &shared, argv[optind]) : status;
}
