// SPDX-License-Identifier: BSD-2-Clause
#include "audit/policies.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "policy/history.h"
#include "policy/saved_policy.h"

/* struct slot - a policy, or the memory of one that could not be had: then @row.policy is NULL */
struct slot {
	unsigned char digest[KVG_DIGEST_BYTES];
	struct kvg_policies_row row;
	struct kvg_policy *owned;
	unsigned long long used; /* the highest is the latest; 0: nothing is in it */
	time_t tried_s;
};

struct kvg_policies {
	char *state_dir;
	struct slot known; /* never pushed out */
	struct slot slots[KVG_POLICIES_MAX];
	unsigned long long uses;
};

int kvg_policies_open(const char *state_dir, struct kvg_policies **ret)
{
	KVG_CLEANUP(kvg_policies_closep)
	struct kvg_policies *policies = calloc(1, sizeof(*policies));

	if (!policies)
		return -ENOMEM;
	if (state_dir) {
		policies->state_dir = strdup(state_dir);
		if (!policies->state_dir)
			return -ENOMEM;
	}
	*ret = KVG_TAKE_PTR(policies);
	return 0;
}

static void empty(struct slot *slot)
{
	kvg_nearest_close(slot->row.nearest);
	kvg_policy_free(slot->owned);
	*slot = (struct slot){0};
}

static int fill(struct slot *slot, const struct kvg_policy *policy)
{
	int r = kvg_nearest_open(policy, &slot->row.nearest);

	if (r == 0)
		slot->row.policy = policy;
	return r;
}

int kvg_policies_know(struct kvg_policies *policies, const struct kvg_policy *policy)
{
	empty(&policies->known);
	memcpy(policies->known.digest, policy->digest, sizeof(policies->known.digest));
	policies->known.used = 1;
	return fill(&policies->known, policy);
}

static bool is_it(const struct kvg_policy *policy, const unsigned char *digest)
{
	return memcmp(policy->digest, digest, KVG_DIGEST_BYTES) == 0;
}

/* Each place has it or not; a file of another policy is no reason to look no further. */
static struct kvg_policy *read_policy(const char *state_dir, const char *profile,
				      const unsigned char *digest)
{
	struct kvg_policy *policy = NULL;

	if (!kvg_saved_policy_is_short(state_dir, profile, digest, KVG_POLICIES_MAX_BYTES))
		return NULL;
	if (kvg_saved_policy_get(state_dir, digest, &policy) == 0)
		return policy;
	if (kvg_saved_policy_get_last(state_dir, profile, &policy) == 0 && is_it(policy, digest))
		return policy;
	policy = kvg_policy_free(policy);
	if (kvg_history_held(state_dir, profile, &policy, NULL) == 0 && is_it(policy, digest))
		return policy;
	return kvg_policy_free(policy);
}

static time_t now_s(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

static void read_slot(const struct kvg_policies *policies, struct slot *slot, const char *profile)
{
	slot->tried_s = now_s();
	slot->owned = read_policy(policies->state_dir, profile, slot->digest);
	if (slot->owned)
		fill(slot, slot->owned);
}

/* The slot of the policy, or that which is least missed. */
static struct slot *find_slot(struct kvg_policies *policies, const unsigned char *digest)
{
	struct slot *oldest = &policies->slots[0];

	for (size_t i = 0; i < KVG_POLICIES_MAX; i++) {
		struct slot *slot = &policies->slots[i];

		if (slot->used && memcmp(slot->digest, digest, sizeof(slot->digest)) == 0)
			return slot;
		if (slot->used < oldest->used)
			oldest = slot;
	}
	empty(oldest);
	memcpy(oldest->digest, digest, sizeof(oldest->digest));
	oldest->tried_s = -KVG_POLICIES_RETRY_S;
	return oldest;
}

const struct kvg_policies_row *kvg_policies_find(struct kvg_policies *policies, const char *profile,
						 const unsigned char *digest)
{
	struct slot *slot = &policies->known;

	if (!slot->used || memcmp(slot->digest, digest, sizeof(slot->digest)) != 0) {
		if (!policies->state_dir)
			return NULL;
		slot = find_slot(policies, digest);
		slot->used = ++policies->uses;
		if (!slot->row.policy && now_s() - slot->tried_s >= KVG_POLICIES_RETRY_S)
			read_slot(policies, slot, profile);
	}
	return slot->row.policy ? &slot->row : NULL;
}

struct kvg_policies *kvg_policies_close(struct kvg_policies *policies)
{
	if (!policies)
		return NULL;
	empty(&policies->known);
	for (size_t i = 0; i < KVG_POLICIES_MAX; i++)
		empty(&policies->slots[i]);
	free(policies->state_dir);
	free(policies);
	return NULL;
}

void kvg_policies_closep(struct kvg_policies **policies)
{
	*policies = kvg_policies_close(*policies);
}
