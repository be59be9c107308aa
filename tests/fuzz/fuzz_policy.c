// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compiled policies. Claims, on any bytes:
 *   - what is read keeps all promises of struct kvg_policy;
 *   - it is written and read back as the same text;
 *   - the short way (policy_lines.h) and the plain way read the same;
 *   - a refusal has one of the documented errors, says why in one line, and returns nothing.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/policy.h"

#define RULES "\n  \"rules\":"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
	if (!kept)
		abort();
}

static void check_refusal(int r, const struct kvg_policy *policy, const struct kvg_diag *diag)
{
	check(r == -EINVAL || r == -EFBIG || r == -E2BIG);
	check(!policy);
	check(diag->msg[0] && strlen(diag->msg) < sizeof(diag->msg));
	check(!strpbrk(diag->msg, "\r\n"));
}

static void check_round_trip(const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *again = NULL;
	KVG_CLEANUP(kvg_freep) char *first = NULL;
	KVG_CLEANUP(kvg_freep) char *second = NULL;
	size_t size;

	check(kvg_policy_write(policy, &first, &size) == 0);
	check(kvg_policy_parse(first, size, &again, NULL) == 0);
	check(kvg_policy_write(again, &second, &size) == 0);
	check(strcmp(first, second) == 0);
}

/* The same document with every line of the rules' key indented less: that is no form for the short way. */
static char *spell_otherwise(const uint8_t *data, size_t size, size_t *ret_size)
{
	char *text = malloc(size + 1);
	char *at;

	check(text);
	memcpy(text, data, size);
	*ret_size = size;
	while ((at = memmem(text, *ret_size, RULES, strlen(RULES)))) {
		size_t after = *ret_size - (size_t)(at - text) - 2;

		memmove(at + 1, at + 2, after);
		(*ret_size)--;
	}
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *plain = NULL;
	KVG_CLEANUP(kvg_freep) char *other = NULL;
	struct kvg_diag diag = {0};
	size_t other_size;
	int r;

	r = kvg_policy_parse((const char *)data, size, &policy, &diag);
	if (r < 0) {
		check_refusal(r, policy, &diag);
	} else {
		check(kvg_policy_check(policy) == 0);
		check_round_trip(policy);
	}

	other = spell_otherwise(data, size, &other_size);
	check(kvg_policy_parse(other, other_size, &plain, NULL) == r);
	if (r == 0)
		check(memcmp(policy->digest, plain->digest, sizeof(policy->digest)) == 0 &&
		      policy->rules_count == plain->rules_count);
	return 0;
}
