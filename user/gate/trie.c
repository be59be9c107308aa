// SPDX-License-Identifier: BSD-2-Clause
#include "gate/trie.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kvg_policy.h"

/* The kernel's key of either family: its length says which. */
union lpm_key {
	struct kvg_lpm4_key ipv4;
	struct kvg_lpm6_key ipv6;
};

/*
 * Small LPM updates fail with ENOMEM now and then on a healthy machine: the kernel's per-CPU caches
 * are refilled in the background. 1 ms apart, a hundred tries outlast any refill.
 */
#define UPDATE_TRIES 100

/* Fewer look-ups than this are done before a thread has started. */
#define CHECK_THREAD_MIN 1000

static void set_key(const struct kvg_prefix *prefix, union lpm_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (prefix->family == AF_INET) {
		ret->ipv4.prefixlen = prefix->bits;
		memcpy(&ret->ipv4.addr, prefix->addr, sizeof(ret->ipv4.addr));
	} else {
		ret->ipv6.prefixlen = prefix->bits;
		memcpy(ret->ipv6.addr, prefix->addr, sizeof(ret->ipv6.addr));
	}
}

static size_t key_size(int family)
{
	return family == AF_INET ? sizeof(struct kvg_lpm4_key) : sizeof(struct kvg_lpm6_key);
}

static int put_one(int trie, const void *key, const struct kvg_grant *grant)
{
	for (int i = 0;; i++) {
		if (bpf_map_update_elem(trie, key, grant, BPF_ANY) == 0)
			return 0;
		if (errno != ENOMEM || i == UPDATE_TRIES)
			return -errno;
		usleep(1000);
	}
}

/* struct rules - one family's rules as the kernel takes them: parallel arrays */
struct rules {
	int family;
	unsigned char *keys;
	struct kvg_grant *grants;
	__u32 count;
};

static void rules_done(struct rules *rules)
{
	free(rules->keys);
	free(rules->grants);
}

/* @rules: for rules_done(), also on failure */
static int rules_init(struct rules *rules, const struct kvg_policy *policy, int family)
{
	size_t size = key_size(family);

	*rules = (struct rules){.family = family};
	rules->keys = malloc(policy->rules_count * size + 1);
	rules->grants = malloc(policy->rules_count * sizeof(*rules->grants) + 1);
	if (!rules->keys || !rules->grants)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct kvg_rule *rule = &policy->rules[i];
		union lpm_key key;

		if (rule->prefix.family != family)
			continue;
		set_key(&rule->prefix, &key);
		memcpy(rules->keys + rules->count * size, &key, size);
		rules->grants[rules->count++].services = rule->services;
	}
	return 0;
}

static int write_rules(int trie, const struct rules *rules)
{
	__u32 done = rules->count;
	size_t size = key_size(rules->family);

	/* In one call since Linux 5.13; older ones leave the count as it was, so it says nothing. */
	if (bpf_map_update_batch(trie, rules->keys, rules->grants, &done, NULL) == 0)
		return 0;

	for (__u32 i = 0; i < rules->count; i++) {
		int r = put_one(trie, rules->keys + i * size, &rules->grants[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* struct check - part of the rules, to be read back */
struct check {
	int trie;
	const struct rules *rules;
	__u32 first;
	__u32 end;
	int result;
};

/*
 * Looking up a prefix by its own length finds that prefix, if it is there. Every rule answers with
 * its own services, and nothing else was ever written to this trie: so it holds the policy.
 */
static void *check_part(void *data)
{
	struct check *check = data;
	const struct rules *rules = check->rules;
	size_t size = key_size(rules->family);

	for (__u32 i = check->first; i < check->end; i++) {
		struct kvg_grant grant = {};

		if (bpf_map_lookup_elem(check->trie, rules->keys + i * size, &grant) < 0 ||
		    grant.services != rules->grants[i].services)
			check->result = -EIO;
	}
	return NULL;
}

/* A look-up is a system call: of 100,000, a second thread takes half. */
static int check_rules(int trie, const struct rules *rules)
{
	__u32 middle = rules->count / 2;
	struct check head = {.trie = trie, .rules = rules, .end = middle};
	struct check tail = {.trie = trie, .rules = rules, .first = middle, .end = rules->count};
	pthread_t thread;
	bool threaded =
		middle > CHECK_THREAD_MIN && pthread_create(&thread, NULL, check_part, &tail) == 0;

	check_part(&head);
	if (threaded)
		pthread_join(thread, NULL);
	else
		check_part(&tail);
	return head.result < 0 ? head.result : tail.result;
}

/* struct content - of a trie: room for @count elements */
struct content {
	unsigned char *keys;
	struct kvg_grant *grants;
	__u32 count;
};

static void content_done(struct content *content)
{
	free(content->keys);
	free(content->grants);
}

/*
 * In one call since Linux 5.13. Return: 0, or a negative errno: this kernel cannot, or there are more
 * elements than room
 */
static int read_content(int trie, size_t size, struct content *ret)
{
	union lpm_key token;

	ret->keys = malloc(ret->count * size);
	ret->grants = malloc(ret->count * sizeof(*ret->grants));
	if (!ret->keys || !ret->grants)
		return -ENOMEM;
	/* ENOENT: that was all of it. */
	if (bpf_map_lookup_batch(trie, NULL, &token, ret->keys, ret->grants, &ret->count, NULL) ==
	    0)
		return 0;
	return errno == ENOENT ? 0 : -errno;
}

/* The grant of a key; NULL if no rule has it. Rules are sorted by address, then by length. */
static const struct kvg_grant *find_grant(const struct rules *rules, const unsigned char *key)
{
	const size_t size = key_size(rules->family), address = sizeof(__u32);
	__u32 first = 0, end = rules->count;

	while (first < end) {
		__u32 middle = first + (end - first) / 2;
		const unsigned char *there = rules->keys + middle * size;
		int order = memcmp(key + address, there + address, size - address);

		if (order == 0)
			order = (int)*(const __u32 *)key - (int)*(const __u32 *)there;
		if (order == 0)
			return &rules->grants[middle];
		if (order < 0)
			end = middle;
		else
			first = middle + 1;
	}
	return NULL;
}

/* Does the trie hold these rules and nothing else? No: perhaps this kernel cannot tell it all at once. */
static bool holds_all(int trie, const struct rules *rules)
{
	KVG_CLEANUP(content_done) struct content content = {.count = rules->count};
	const size_t size = key_size(rules->family);

	if (read_content(trie, size, &content) < 0 || content.count != rules->count)
		return false;
	for (__u32 i = 0; i < content.count; i++) {
		const struct kvg_grant *grant = find_grant(rules, content.keys + i * size);

		if (!grant || grant->services != content.grants[i].services)
			return false;
	}
	return true;
}

int kvg_trie_build(const struct kvg_policy *policy, int family)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	KVG_CLEANUP(kvg_closep) int trie = -1;
	KVG_CLEANUP(rules_done) struct rules rules = {};
	int r;

	r = rules_init(&rules, policy, family);
	if (r < 0)
		return r;

	trie = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, family == AF_INET ? "kvg_trie4" : "kvg_trie6",
			      key_size(family), sizeof(struct kvg_grant),
			      rules.count ? rules.count : 1, &options);
	if (trie < 0)
		return -errno;
	r = write_rules(trie, &rules);
	if (r == 0 && rules.count && !holds_all(trie, &rules))
		r = check_rules(trie, &rules);
	if (r < 0)
		return r;
	if (bpf_map_freeze(trie) < 0)
		return -errno;
	return KVG_TAKE_FD(trie);
}

int kvg_trie_check(int trie, const struct kvg_policy *policy, int family)
{
	KVG_CLEANUP(rules_done) struct rules rules = {};
	int r = rules_init(&rules, policy, family);

	return r < 0 ? r : check_rules(trie, &rules);
}

int kvg_trie_read(int trie, const struct kvg_prefix *address, __u32 *ret_services)
{
	struct kvg_grant grant;
	union lpm_key key;

	set_key(address, &key);
	if (bpf_map_lookup_elem(trie, &key, &grant) < 0)
		return errno == ENOENT ? 0 : -errno;
	*ret_services = grant.services;
	return 1;
}
