// SPDX-License-Identifier: BSD-2-Clause
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "policy/explain.h"

#define EXIT_REFUSED 3

struct explain {
	bool json;
};

static const struct kvg_option options[] = {
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct explain, json),
	 .help = "print JSON"},
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

static const char *const reason_labels[] = {
#define X(name, label, meaning) [KVG_REASON_##name] = label,
	KVG_REASONS(X)
#undef X
};

static const char *const reason_meanings[] = {
#define X(name, label, meaning) [KVG_REASON_##name] = meaning,
	KVG_REASONS(X)
#undef X
};

/* The question and its answer; what prints it need not know where the answer is from. */
struct answer {
	const struct kvg_policy *policy;
	struct kvg_destination destination;
	struct kvg_explanation explanation;
};

static json_t *rule_to_json(const struct kvg_policy *policy, const struct kvg_rule *rule)
{
	char prefix[KVG_PREFIX_STRLEN];
	char service[KVG_SERVICE_STRLEN];
	json_t *allow;
	json_t *from;

	if (!rule)
		return json_null();

	allow = json_array();
	from = json_array();
	for (size_t i = 0; i < policy->services_count; i++) {
		if (rule->services & 1U << i)
			json_array_append_new(allow, json_string(kvg_service_format(
							     &policy->services[i], service)));
	}
	for (size_t i = 0; i < rule->from_count; i++)
		json_array_append_new(from, json_string(rule->from[i]));
	return json_pack("{s:s, s:o, s:o}", "prefix", kvg_prefix_format(&rule->prefix, prefix),
			 "allow", allow, "from", from);
}

static int print_json(const struct answer *answer)
{
	const struct kvg_explanation *explanation = &answer->explanation;
	bool allowed = explanation->reason == KVG_REASON_ALLOWED;
	char destination[KVG_DESTINATION_STRLEN];
	char hex[KVG_DIGEST_HEX_LEN];
	char digest[KVG_DIGEST_HEX_LEN + 8];
	json_t *root;
	int r;

	kvg_digest_format(answer->policy->digest, hex);
	snprintf(digest, sizeof(digest), "sha256:%s", hex);

	root = json_pack("{s:s, s:s, s:s?, s:o}", "destination",
			 kvg_destination_format(&answer->destination, destination), "verdict",
			 allowed ? "allowed" : "refused", "reason",
			 allowed ? NULL : reason_labels[explanation->reason], "rule",
			 rule_to_json(answer->policy, explanation->rule));
	if (root && !allowed)
		json_object_set_new(root, "nearest",
				    rule_to_json(answer->policy, explanation->nearest));
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
	char service[KVG_SERVICE_STRLEN];

	printf("  %-8s %s:", title, kvg_prefix_format(&rule->prefix, prefix));
	for (size_t i = 0; i < policy->services_count; i++) {
		if (rule->services & 1U << i)
			printf(" %s", kvg_service_format(&policy->services[i], service));
	}
	printf(", from ");
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
		printf("%s is refused (%s): %s\n", destination, reason_labels[explanation->reason],
		       reason_meanings[explanation->reason]);
	else if (explanation->rule)
		printf("%s is allowed\n", destination);
	else
		printf("%s is allowed: loopback is always reachable\n", destination);

	if (explanation->rule)
		print_rule("rule", answer->policy, explanation->rule);
	if (explanation->nearest && explanation->nearest != explanation->rule)
		print_rule("nearest", answer->policy, explanation->nearest);
	if (!allowed && answer->policy->mode == KVG_MODE_AUDIT)
		printf("  the policy is in mode audit: it would be recorded and let through\n");
}

static int find_answer(struct kvg_options *shared, struct kvg_policy **ret_policy,
		       struct answer *answer)
{
	int status = kvg_options_policy(shared, KVG_RESOLV_CONF, ret_policy);

	if (status)
		return status;

	answer->policy = *ret_policy;
	kvg_explain(answer->policy, &answer->destination, &answer->explanation);
	return 0;
}

static int run(const struct explain *explain, struct kvg_options *shared, const char *text)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	struct answer answer = {0};
	struct kvg_diag diag;
	int status;

	if (kvg_destination_parse(text, &answer.destination, &diag) < 0)
		return kvg_options_usage_error(&usage, "%s", diag.msg);

	status = find_answer(shared, &policy, &answer);
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
