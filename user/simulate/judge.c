// SPDX-License-Identifier: BSD-2-Clause
#include "simulate/judge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* What Linux gives to those who ask for no port of their own: net.ipv4.ip_local_port_range. */
#define EPHEMERAL_FIRST 32768

static int compare_keys(const void *a, const void *b)
{
	const struct kvg_outcome *left = a;
	const struct kvg_outcome *right = b;

	return memcmp(&left->key, &right->key, sizeof(left->key));
}

void kvg_judgement_done(struct kvg_judgement *judgement)
{
	tdestroy(judgement->outcomes, free);
	judgement->outcomes = NULL;
	judgement->count = 0;
}

static bool is_service_port(__be16 port, __be16 other)
{
	return ntohs(port) < EPHEMERAL_FIRST && ntohs(other) >= EPHEMERAL_FIRST;
}

enum kvg_claim kvg_judge_claim(const struct kvg_traffic *traffic, const struct kvg_seen *seen,
			       bool *ret_assumed)
{
	const struct kvg_seen *back;
	__u32 asked = KVG_SIGN_ANSWERS;
	__u32 asks = KVG_SIGN_OPENS;

	*ret_assumed = false;
	if (seen->key.flow.protocol != IPPROTO_TCP || seen->key.flow.fault)
		return KVG_CLAIM_NONE;

	/* A connection that both sides seem to have opened is the client's own, as in the kernel. */
	back = kvg_traffic_find(traffic, &seen->key, true);
	if (seen->signs & asks || (back && back->signs & asked))
		return KVG_CLAIM_NONE;
	if (seen->signs & asked || (back && back->signs & asks) ||
	    kvg_traffic_listens(traffic, seen->key.sport))
		return KVG_CLAIM_REPLY;

	*ret_assumed = is_service_port(seen->key.sport, seen->key.flow.dport);
	return *ret_assumed ? KVG_CLAIM_REPLY : KVG_CLAIM_NONE;
}

static void make_key(const struct kvg_seen *seen, enum kvg_reason reason, enum kvg_claim claim,
		     struct kvg_outcome_key *ret)
{
	*ret = (struct kvg_outcome_key){.flow = seen->key.flow, .reason = reason};
	if (claim == KVG_CLAIM_NONE)
		return;
	memset(ret->flow.daddr, 0, sizeof(ret->flow.daddr));
	ret->flow.dport = seen->key.sport;
	ret->inbound = true;
}

static struct kvg_outcome *find_or_add(struct kvg_judgement *judgement,
				       const struct kvg_outcome_key *key,
				       const struct kvg_flow *flow, enum kvg_claim claim)
{
	struct kvg_outcome wanted = {.key = *key};
	struct kvg_outcome **node = tfind(&wanted, &judgement->outcomes, compare_keys);
	struct kvg_explanation explanation;
	struct kvg_outcome *fresh;

	if (node)
		return *node;
	fresh = malloc(sizeof(*fresh));
	if (!fresh)
		return NULL;
	kvg_explain_flow(judgement->policy, flow, claim, &explanation);
	wanted.rule = key->inbound ? NULL : explanation.rule;
	wanted.nearest = key->inbound ? NULL : explanation.nearest;
	*fresh = wanted;
	if (!tsearch(fresh, &judgement->outcomes, compare_keys)) {
		free(fresh);
		return NULL;
	}
	judgement->count++;
	return fresh;
}

static bool has_process(const char *names, const char *name, size_t size)
{
	for (const char *at = strstr(names, name); at; at = strstr(at + 1, name)) {
		if ((at == names || at[-1] == ' ') && (!at[size] || at[size] == ','))
			return true;
	}
	return false;
}

/* Names are whatever a process calls itself: only what a terminal bears is kept. */
static void add_process(struct kvg_outcome *outcome, const char *process)
{
	char *names = outcome->processes;
	size_t size = strlen(process);
	char name[KVG_SEEN_PROCESS_LEN];

	if (!size || strlen(names) + size + 3 > sizeof(outcome->processes))
		return;
	for (size_t i = 0; i <= size; i++)
		name[i] = process[i] && (process[i] < ' ' || process[i] > '~') ? '?' : process[i];
	if (has_process(names, name, size))
		return;
	if (names[0])
		strcat(names, ", ");
	strcat(names, name);
}

/* struct run - of one input */
struct run {
	struct kvg_judgement *judgement;
	const struct kvg_traffic *traffic;
	const struct kvg_clients *clients;
	long judged;
};

static void judge(void *data, const struct kvg_seen *seen)
{
	struct run *run = data;
	struct kvg_judgement *judgement = run->judgement;
	struct kvg_outcome_key key;
	struct kvg_outcome *outcome;
	enum kvg_reason reason;
	enum kvg_claim claim;
	struct kvg_sum *sum;
	bool assumed;

	if (!seen->key.flow.family && run->clients->how != KVG_CLIENTS_SENT)
		judgement->unattributed += seen->packets;
	if (judgement->error || !kvg_clients_sent(run->clients, run->traffic, seen))
		return;

	claim = kvg_judge_claim(run->traffic, seen, &assumed);
	reason = kvg_explain_reason(judgement->policy, &seen->key.flow, claim);
	make_key(seen, reason, claim, &key);
	outcome = find_or_add(judgement, &key, &seen->key.flow, claim);
	if (!outcome) {
		judgement->error = -ENOMEM;
		return;
	}
	add_process(outcome, seen->process);
	outcome->flows++;
	outcome->packets += seen->packets;
	outcome->bytes += seen->bytes;

	sum = reason == KVG_REASON_ALLOWED ? &judgement->allowed : &judgement->refused;
	sum->flows++;
	sum->packets += seen->packets;
	judgement->assumed += assumed;
	run->judged++;
}

long kvg_judgement_add(struct kvg_judgement *judgement, const struct kvg_traffic *traffic,
		       const struct kvg_clients *clients)
{
	struct run run = {judgement, traffic, clients, 0};

	kvg_traffic_walk(traffic, judge, &run);
	return judgement->error ? judgement->error : run.judged;
}

struct list {
	const struct kvg_outcome **items;
	size_t count;
};

static void collect(const void *node, VISIT when, void *data)
{
	struct list *list = data;

	if (when == postorder || when == leaf)
		list->items[list->count++] = *(struct kvg_outcome *const *)node;
}

static int compare_weights(const void *a, const void *b)
{
	const struct kvg_outcome *left = *(const struct kvg_outcome *const *)a;
	const struct kvg_outcome *right = *(const struct kvg_outcome *const *)b;
	bool left_fine = left->key.reason == KVG_REASON_ALLOWED;
	bool right_fine = right->key.reason == KVG_REASON_ALLOWED;

	if (left_fine != right_fine)
		return left_fine ? 1 : -1;
	if (left->flows != right->flows)
		return left->flows > right->flows ? -1 : 1;
	if (left->packets != right->packets)
		return left->packets > right->packets ? -1 : 1;
	return compare_keys(left, right);
}

const struct kvg_outcome **kvg_judgement_list(const struct kvg_judgement *judgement)
{
	struct list list = {.items = malloc((judgement->count + 1) * sizeof(*list.items))};

	if (!list.items)
		return NULL;
	twalk_r(judgement->outcomes, collect, &list);
	qsort(list.items, list.count, sizeof(*list.items), compare_weights);
	return list.items;
}
