// SPDX-License-Identifier: BSD-2-Clause
/*
 * The claims become a path-compressed binary trie, at most two nodes a claim. Three words per node:
 *
 *   own        what is claimed for exactly this prefix
 *   effective  what every address in it gets from here and above: own and all outer ones'
 *   common     what every address in it gets from anywhere: where both halves are filled by children,
 *              what these have in common; else effective, for some address has no more
 *
 * A node is a rule where its common differs from its parent's: a child with equal common would say
 * again what the parent says, and two siblings with equal common have a parent that says it for them.
 * So the rules depend only on what the addresses get. Last, a rule both of whose halves are filled by
 * longer rules is never the longest match of anything, and goes.
 *
 * Children are made after their parents, so a loop forward sees parents first, a loop backward
 * children first. Depth is at most 129: recursion is safe.
 */
#include "policy/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/address.h"

#define NONE ((__u32)-1)

struct node {
	struct kvg_prefix prefix;
	__u32 own;
	__u32 effective;
	__u32 common;
	bool wanted; /* its common differs from its parent's */
	bool filled; /* every address in it has a rule of this node or longer */
	__u32 parent;
	__u32 child[2]; /* by the first bit after the prefix */
	__u32 claims;   /* the first of its own */
	__u32 claims_count;
};

struct trie {
	const struct kvg_claim *claims;
	struct node *nodes;
	size_t count;
};

/* Names move while they grow: a rule's "from" is set when all are there; until then starts[] has it. */
struct names {
	const char **all;
	size_t count;
	size_t allocated;
	size_t *starts;
};

static int compare_claims(const void *a, const void *b)
{
	const struct kvg_claim *x = a;
	const struct kvg_claim *y = b;

	return kvg_prefix_compare(&x->prefix, &y->prefix);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first claim of lo..hi whose bit at @position is set; all agree on the bits before. */
static size_t split_at(const struct trie *trie, size_t lo, size_t hi, unsigned int position)
{
	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (kvg_address_bit(&trie->claims[middle].prefix, position))
			hi = middle;
		else
			lo = middle + 1;
	}
	return lo;
}

/* The node over the claims lo..hi-1, of one family and at least one; returns its index. */
static __u32 plant(struct trie *trie, size_t lo, size_t hi, __u32 parent)
{
	const struct kvg_claim *claims = trie->claims;
	unsigned int bits = kvg_address_common_bits(&claims[lo].prefix, &claims[hi - 1].prefix);
	__u32 self = (__u32)trie->count++;
	struct node *node = &trie->nodes[self];
	size_t middle;

	*node = (struct node){
		.prefix = kvg_address_truncate(&claims[lo].prefix, bits),
		.parent = parent,
		.child = {NONE, NONE},
		.claims = (__u32)lo,
	};

	/* The shorter prefix sorts first, so one that holds all the others is the first. */
	while (lo < hi && claims[lo].prefix.bits == bits) {
		node->own |= claims[lo++].services;
		node->claims_count++;
	}
	if (lo == hi)
		return self;

	middle = split_at(trie, lo, hi, bits);
	if (middle > lo)
		node->child[0] = plant(trie, lo, middle, self);
	if (middle < hi)
		node->child[1] = plant(trie, middle, hi, self);
	return self;
}

/* The child that is exactly one half of @node, or NULL. */
static const struct node *half(const struct trie *trie, const struct node *node, int side)
{
	const struct node *child;

	if (node->child[side] == NONE)
		return NULL;

	child = &trie->nodes[node->child[side]];
	return child->prefix.bits == node->prefix.bits + 1 ? child : NULL;
}

static bool halves_filled(const struct trie *trie, const struct node *node)
{
	const struct node *left = half(trie, node, 0);
	const struct node *right = half(trie, node, 1);

	return left && right && left->filled && right->filled;
}

static void judge(struct trie *trie)
{
	for (size_t i = 0; i < trie->count; i++) {
		struct node *node = &trie->nodes[i];

		node->effective = node->own;
		if (node->parent != NONE)
			node->effective |= trie->nodes[node->parent].effective;
	}

	for (size_t i = trie->count; i-- > 0;) {
		struct node *node = &trie->nodes[i];
		const struct node *left = half(trie, node, 0);
		const struct node *right = half(trie, node, 1);

		node->common = left && right ? left->common & right->common : node->effective;
	}

	for (size_t i = trie->count; i-- > 0;) {
		struct node *node = &trie->nodes[i];
		__u32 above = node->parent == NONE ? 0 : trie->nodes[node->parent].common;

		node->wanted = node->common != above;
		node->filled = node->wanted || halves_filled(trie, node);
	}
}

static int add_name(struct names *names, const char *name)
{
	if (names->count == names->allocated) {
		size_t more = names->allocated ? 2 * names->allocated : 64;
		const char **all = reallocarray(names->all, more, sizeof(*all));

		if (!all)
			return -ENOMEM;
		names->all = all;
		names->allocated = more;
	}
	names->all[names->count++] = name;
	return 0;
}

static int add_own_names(const struct trie *trie, const struct node *node, __u32 services,
			 struct names *names)
{
	for (size_t i = 0; i < node->claims_count; i++) {
		const struct kvg_claim *claim = &trie->claims[node->claims + i];
		int r;

		if (!(claim->services & services))
			continue;
		r = add_name(names, claim->from);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Those who claimed @services below a node that did not get them from above. */
static int add_names_below(const struct trie *trie, const struct node *node, __u32 services,
			   struct names *names)
{
	int r = 0;

	if ((node->effective & services) == services)
		return 0;

	for (int side = 0; side < 2 && r == 0; side++) {
		const struct node *child = &trie->nodes[node->child[side]];

		r = add_own_names(trie, child, services & ~node->effective, names);
		if (r == 0)
			r = add_names_below(trie, child, services, names);
	}
	return r;
}

static int collect_names(const struct trie *trie, const struct node *node, struct names *names)
{
	const struct node *outer = node;
	int r;

	r = add_names_below(trie, node, node->common, names);
	while (r == 0) {
		r = add_own_names(trie, outer, node->common, names);
		if (outer->parent == NONE)
			break;
		outer = &trie->nodes[outer->parent];
	}
	return r;
}

/* The names from @start on: sorted, no repeats. Return: how many */
static size_t sort_names(struct names *names, size_t start)
{
	size_t kept = start;

	qsort(names->all + start, names->count - start, sizeof(*names->all), compare_names);
	for (size_t i = start; i < names->count; i++) {
		if (kept == start || names->all[i] != names->all[kept - 1])
			names->all[kept++] = names->all[i];
	}
	names->count = kept;
	return kept - start;
}

/* Neighbours mostly have the same names: the last rule's list serves again. */
static void settle_names(struct names *names, size_t start, struct kvg_rule_set *set)
{
	struct kvg_rule *rule = &set->rules[set->count];
	size_t *rule_start = &names->starts[set->count];

	rule->from_count = sort_names(names, start);
	*rule_start = start;
	if (set->count == 0 || rule[-1].from_count != rule->from_count ||
	    memcmp(names->all + rule_start[-1], names->all + start,
		   rule->from_count * sizeof(*names->all)) != 0)
		return;

	*rule_start = rule_start[-1];
	names->count = start;
}

static int emit(const struct trie *trie, struct kvg_rule_set *set, struct names *names)
{
	for (size_t i = 0; i < trie->count; i++) {
		const struct node *node = &trie->nodes[i];
		size_t start = names->count;
		int r;

		if (!node->wanted || halves_filled(trie, node))
			continue;

		r = collect_names(trie, node, names);
		if (r < 0)
			return r;

		set->rules[set->count].prefix = node->prefix;
		set->rules[set->count].services = node->common;
		settle_names(names, start, set);
		set->count++;
	}

	for (size_t i = 0; i < set->count; i++)
		set->rules[i].from = names->all + names->starts[i];
	return 0;
}

static bool is_sorted(const struct kvg_claim *claims, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (kvg_prefix_compare(&claims[i - 1].prefix, &claims[i].prefix) > 0)
			return false;
	}
	return true;
}

static size_t count_ipv4(const struct kvg_claim *claims, size_t count)
{
	size_t ipv4 = 0;

	while (ipv4 < count && claims[ipv4].prefix.family == AF_INET)
		ipv4++;
	return ipv4;
}

int kvg_rules_build(struct kvg_claim *claims, size_t count, struct kvg_rule_set *ret)
{
	KVG_CLEANUP(kvg_freep) struct node *nodes = calloc(2 * count + 1, sizeof(*nodes));
	KVG_CLEANUP(kvg_freep) struct kvg_rule *rules = calloc(2 * count + 1, sizeof(*rules));
	KVG_CLEANUP(kvg_freep) size_t *starts = calloc(2 * count + 1, sizeof(*starts));
	struct trie trie = {.claims = claims, .nodes = nodes};
	struct kvg_rule_set set = {.rules = rules};
	struct names names = {.starts = starts};
	size_t ipv4;
	int r;

	if (!nodes || !rules || !starts || count >= NONE / 2)
		return -ENOMEM;

	if (!is_sorted(claims, count))
		qsort(claims, count, sizeof(*claims), compare_claims);
	ipv4 = count_ipv4(claims, count);
	if (ipv4 > 0)
		plant(&trie, 0, ipv4, NONE);
	if (ipv4 < count)
		plant(&trie, ipv4, count, NONE);
	judge(&trie);

	r = emit(&trie, &set, &names);
	if (r < 0) {
		free(names.all);
		return r;
	}

	set.names = names.all;
	rules = NULL; /* now the set's */
	*ret = set;
	return 0;
}
