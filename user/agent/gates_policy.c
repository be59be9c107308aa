// SPDX-License-Identifier: BSD-2-Clause
/* Profiles and the policies that they have: each policy once, by its digest. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/gates.h"
#include "agent/gates_state.h"
#include "base/cleanup.h"
#include "gate/gate.h"
#include "gate/slots.h"

/* Lengths in kvg_policy_digest_bytes(). */
#define HEAD_LEN    16 /* "kvgate-policy 1\n" */
#define COUNT_AT    (HEAD_LEN + 2)
#define SERVICE_LEN 3

#define SAMPLES 256 /* prefixes that a start compares: any policy differs from any other in most */

static size_t first_rule(const struct kvg_gates_policy *policy)
{
	return COUNT_AT + 1 + SERVICE_LEN * policy->bytes[COUNT_AT];
}

size_t kvg_gates_read_rules(const struct kvg_gates_policy *policy, size_t *offset,
			    struct kvg_rule *ret, size_t max)
{
	size_t at = *offset ? *offset : first_rule(policy);
	size_t count = 0;

	while (count < max && at < policy->size) {
		const unsigned char *bytes = policy->bytes + at;
		size_t addr_len = bytes[0] == 4 ? 4 : 16;
		const unsigned char *services = bytes + 2 + addr_len;
		struct kvg_rule *rule = &ret[count++];

		*rule = (struct kvg_rule){0};
		rule->prefix.family = bytes[0] == 4 ? AF_INET : AF_INET6;
		rule->prefix.bits = bytes[1];
		memcpy(rule->prefix.addr, bytes + 2, addr_len);
		rule->services = (__u32)services[0] << 24 | services[1] << 16 | services[2] << 8 |
				 services[3];
		at += 2 + addr_len + 4;
	}
	*offset = at;
	return count;
}

/* @ret: has rules and nothing else; they are freed by the caller */
static int list_rules(const struct kvg_gates_policy *policy, struct kvg_policy *ret)
{
	size_t max = policy->size / (2 + 4 + 4);
	size_t offset = 0;

	*ret = (struct kvg_policy){.rules = calloc(max + 1, sizeof(*ret->rules))};
	if (!ret->rules)
		return -ENOMEM;
	ret->rules_count = kvg_gates_read_rules(policy, &offset, ret->rules, max);
	return 0;
}

bool kvg_gates_is_there(const struct kvg_gates *gates, const struct kvg_gates_policy *policy)
{
	__u32 ids[2];

	return kvg_slots_read_ids(gates->set, policy->gate.slot, ids) == 0 &&
	       memcmp(ids, policy->ids, sizeof(ids)) == 0;
}

int kvg_gates_fill(struct kvg_gates *gates, struct kvg_gates_policy *policy,
		   struct kvg_diag *reterr_diag)
{
	struct kvg_policy rules;
	__u32 slot;
	int r;

	if (!policy->bytes) /* another agent's, and gone: nobody here knows what was in it */
		return kvg_diag_set(reterr_diag, -ENODATA,
				    "its policy is not in the kernel any more");
	r = list_rules(policy, &rules);
	if (r < 0)
		return r;
	r = kvg_slots_fill(gates->set, &rules, &slot, reterr_diag);
	free(rules.rules);
	if (r == 0)
		r = kvg_slots_read_ids(gates->set, slot, policy->ids);
	if (r == 0)
		policy->gate.slot = slot;
	return r;
}

/*
 * Does the slot of a gate that was there already hold the policy? As many prefixes of either family, which
 * nobody can write to, and a sample of them is the policy's: the rounds of the check read back the rest.
 */
static bool is_whole(const struct kvg_gates *gates, const struct kvg_gates_policy *policy)
{
	KVG_CLEANUP(kvg_freep) struct kvg_rule *owned = NULL;
	__u32 counts[2] = {0};
	struct kvg_policy rules;
	struct kvg_slot slot;

	if (list_rules(policy, &rules) < 0)
		return false;
	owned = rules.rules;
	for (size_t i = 0; i < rules.rules_count; i++)
		counts[rules.rules[i].prefix.family != AF_INET]++;
	for (size_t i = 0; i < SAMPLES && rules.rules_count > SAMPLES; i++)
		rules.rules[i] = rules.rules[i * (rules.rules_count / SAMPLES)];
	if (rules.rules_count > SAMPLES)
		rules.rules_count = SAMPLES;
	return kvg_slots_look(gates->set, policy->gate.slot, &slot) == 0 && slot.frozen &&
	       slot.entries[0] == (counts[0] ? counts[0] : 1) &&
	       slot.entries[1] == (counts[1] ? counts[1] : 1) &&
	       kvg_slots_check(gates->set, policy->gate.slot, &rules) == 0;
}

void kvg_gates_free_policy(struct kvg_gates_policy *policy)
{
	if (policy)
		free(policy->bytes);
	free(policy);
}

static struct kvg_gates_policy *find_policy(const struct kvg_gates *gates, const __u8 digest[32])
{
	for (size_t i = 0; i < gates->policies_count; i++) {
		if (memcmp(gates->policies[i]->digest, digest, 32) == 0)
			return gates->policies[i];
	}
	return NULL;
}

static struct kvg_gates_policy *add_policy(struct kvg_gates *gates, const __u8 digest[32])
{
	struct kvg_gates_policy **more =
		reallocarray(gates->policies, gates->policies_count + 1, sizeof(*more));
	struct kvg_gates_policy *policy = calloc(1, sizeof(*policy));

	if (more)
		gates->policies = more;
	if (!more || !policy) {
		free(policy);
		return NULL;
	}
	memcpy(policy->digest, digest, sizeof(policy->digest));
	more[gates->policies_count++] = policy;
	return policy;
}

int kvg_gates_adopt_policy(struct kvg_gates *gates, const struct kvg_gate *gate,
			   const __u8 digest[32])
{
	struct kvg_gates_policy *policy = find_policy(gates, digest);

	if (policy)
		return 0;
	policy = add_policy(gates, digest);
	if (!policy)
		return -ENOMEM;
	policy->gate = *gate;
	policy->gate.cgroup_id = 0;
	policy->gate.generation = 0;
	kvg_slots_read_ids(gates->set, gate->slot, policy->ids); /* not there: filled when shown */
	return 0;
}

static bool is_used(const struct kvg_gates *gates, const struct kvg_gates_policy *policy)
{
	for (size_t i = 0; i < gates->profiles_count; i++) {
		if (gates->profiles[i].policy == policy)
			return true;
	}
	return !policy->bytes && kvg_gates_is_there(gates, policy);
}

static void drop_unused(struct kvg_gates *gates)
{
	size_t kept = 0;

	for (size_t i = 0; i < gates->policies_count; i++) {
		if (is_used(gates, gates->policies[i]))
			gates->policies[kept++] = gates->policies[i];
		else
			kvg_gates_free_policy(gates->policies[i]);
	}
	gates->policies_count = kept;
}

/* @policy is in the kernel when it returns 0: as it was found there, or put there now. */
static int bring_in(struct kvg_gates *gates, const struct kvg_policy *policy,
		    struct kvg_gates_policy **ret, struct kvg_diag *reterr_diag)
{
	struct kvg_gates_policy *ours = find_policy(gates, policy->digest);
	bool shown = ours && ours->bytes;
	int r;

	if (!ours)
		ours = add_policy(gates, policy->digest);
	if (!ours)
		return -ENOMEM;
	*ret = ours;
	if (shown)
		return kvg_gates_is_there(gates, ours) ? 0
						       : kvg_gates_fill(gates, ours, reterr_diag);

	r = kvg_policy_digest_bytes(policy, &ours->bytes, &ours->size);
	if (r < 0)
		return r;
	if (ours->gate.slot && kvg_gates_is_there(gates, ours) && is_whole(gates, ours))
		return 0;
	kvg_policy_gate(policy, 0, 0, 0, &ours->gate);
	return kvg_gates_fill(gates, ours, reterr_diag);
}

static struct kvg_gates_profile *find_profile(const struct kvg_gates *gates, const char *name)
{
	for (size_t i = 0; i < gates->profiles_count; i++) {
		if (strcmp(gates->profiles[i].name, name) == 0)
			return &gates->profiles[i];
	}
	return NULL;
}

bool kvg_gates_knows(const struct kvg_gates *gates, const char *name)
{
	return find_profile(gates, name);
}

/* What gates of the profile that were there already are judged by; NULL if there are none. */
static struct kvg_gates_policy *find_in_force(const struct kvg_gates *gates, const char *name)
{
	for (size_t i = 0; i < gates->entries_count; i++) {
		const struct kvg_gates_entry *entry = &gates->entries[i];

		if (!entry->policy_missing && !kvg_gates_is_other(gates, entry) &&
		    strcmp(entry->profile, name) == 0)
			return find_policy(gates, entry->digest);
	}
	return NULL;
}

struct kvg_gates_profile *kvg_gates_profile(struct kvg_gates *gates, const char *name)
{
	struct kvg_gates_profile *found = find_profile(gates, name);
	struct kvg_gates_profile *more;
	char *copy;

	if (found)
		return found;
	more = reallocarray(gates->profiles, gates->profiles_count + 1, sizeof(*more));
	if (!more)
		return NULL;
	gates->profiles = more;
	copy = strdup(name);
	if (!copy)
		return NULL;
	more[gates->profiles_count] = (struct kvg_gates_profile){
		.name = copy,
		.policy = find_in_force(gates, name),
	};
	return &more[gates->profiles_count++];
}

int kvg_gates_apply_all(struct kvg_gates *gates, const char *profile, struct kvg_diag *reterr_diag)
{
	int error = 0;

	for (size_t i = 0; i < gates->entries_count; i++) {
		struct kvg_gates_entry *entry = &gates->entries[i];
		struct kvg_diag *diag = error ? NULL : reterr_diag;
		int r;

		if (strcmp(entry->profile, profile) != 0)
			continue;
		r = kvg_gates_apply(gates, entry, diag);
		if (r < 0 && !error)
			error = r;
	}
	return error;
}

int kvg_gates_set_policy(struct kvg_gates *gates, const char *profile,
			 const struct kvg_policy *policy, struct kvg_diag *reterr_diag)
{
	struct kvg_gates_profile *ours;
	struct kvg_gates_policy *fresh = NULL;
	KVG_CLEANUP(kvg_closep) int lock = -1;
	int r = kvg_gates_take_lock(gates, &lock, reterr_diag);

	if (r < 0)
		return r;
	ours = kvg_gates_profile(gates, profile);
	if (!ours)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	if (policy)
		r = bring_in(gates, policy, &fresh, reterr_diag);
	if (r == 0) {
		ours->policy = fresh;
		r = kvg_gates_apply_all(gates, profile, reterr_diag);
	}
	drop_unused(gates);
	return r;
}

void kvg_gates_forget_profile(struct kvg_gates *gates, const char *profile)
{
	struct kvg_gates_profile *found = find_profile(gates, profile);

	if (!found)
		return;
	free(found->name);
	*found = gates->profiles[--gates->profiles_count];
	drop_unused(gates);
}
