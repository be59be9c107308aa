// SPDX-License-Identifier: BSD-2-Clause
/* Addresses in a tree (tsearch(3)) by gate, and in two queues by age: of their gate, and of all. */
#include "audit/domains.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define NS_PER_S 1000000000ULL

/* struct domain - an address of a gate; both come first, as what the tree goes by */
struct domain {
	__u64 cgroup_id;
	__u8 addr[16];
	__u64 until_ns;
	struct gate *gate;
	TAILQ_ENTRY(domain) of_gate;
	TAILQ_ENTRY(domain) of_all;
	char name[];
};

TAILQ_HEAD(queue, domain);

/* struct gate - one with addresses, oldest first */
struct gate {
	__u64 cgroup_id;
	struct queue queue;
	size_t count;
};

struct kvg_domains {
	void *gates;
	void *tree;
	struct queue queue;
	size_t count;
};

static int compare_gates(const void *a, const void *b)
{
	__u64 left = ((const struct gate *)a)->cgroup_id;
	__u64 right = ((const struct gate *)b)->cgroup_id;

	return (left > right) - (left < right);
}

static int compare(const void *a, const void *b)
{
	const struct domain *left = a;
	const struct domain *right = b;

	if (left->cgroup_id != right->cgroup_id)
		return left->cgroup_id < right->cgroup_id ? -1 : 1;
	return memcmp(left->addr, right->addr, sizeof(left->addr));
}

int kvg_domains_open(struct kvg_domains **ret)
{
	struct kvg_domains *domains = calloc(1, sizeof(*domains));

	if (!domains)
		return -ENOMEM;
	TAILQ_INIT(&domains->queue);
	*ret = domains;
	return 0;
}

static struct domain *find(const struct kvg_domains *domains, __u64 cgroup_id, const __u8 addr[16])
{
	struct domain key = {.cgroup_id = cgroup_id};
	struct domain *const *found;

	memcpy(key.addr, addr, sizeof(key.addr));
	found = tfind(&key, &domains->tree, compare);
	return found ? *found : NULL;
}

static void forget(struct kvg_domains *domains, struct domain *domain)
{
	struct gate *gate = domain->gate;

	tdelete(domain, &domains->tree, compare);
	TAILQ_REMOVE(&domains->queue, domain, of_all);
	TAILQ_REMOVE(&gate->queue, domain, of_gate);
	domains->count--;
	free(domain);
	if (--gate->count)
		return;
	tdelete(gate, &domains->gates, compare_gates);
	free(gate);
}

static struct gate *find_gate(struct kvg_domains *domains, __u64 cgroup_id)
{
	const struct gate key = {.cgroup_id = cgroup_id};
	struct gate *const *found = tfind(&key, &domains->gates, compare_gates);
	struct gate *gate;

	if (found)
		return *found;
	gate = calloc(1, sizeof(*gate));
	if (!gate)
		return NULL;
	gate->cgroup_id = cgroup_id;
	TAILQ_INIT(&gate->queue);
	if (tsearch(gate, &domains->gates, compare_gates))
		return gate;
	free(gate);
	return NULL;
}

/* Makes room first, and looks for the gate after that: it goes with its last address. */
static void add(struct kvg_domains *domains, struct domain *domain)
{
	struct gate *gate = find_gate(domains, domain->cgroup_id);

	if (gate && gate->count >= KVG_DOMAINS_OF_GATE_MAX)
		forget(domains, TAILQ_FIRST(&gate->queue));
	else if (gate && domains->count >= KVG_DOMAINS_MAX)
		forget(domains, TAILQ_FIRST(&domains->queue));
	gate = find_gate(domains, domain->cgroup_id);
	if (!gate || !tsearch(domain, &domains->tree, compare)) {
		if (gate && !gate->count) {
			tdelete(gate, &domains->gates, compare_gates);
			free(gate);
		}
		free(domain);
		return;
	}
	domain->gate = gate;
	TAILQ_INSERT_TAIL(&gate->queue, domain, of_gate);
	TAILQ_INSERT_TAIL(&domains->queue, domain, of_all);
	gate->count++;
	domains->count++;
}

static __u64 runs_out(__u32 ttl_s, __u64 now_ns)
{
	if (ttl_s < KVG_DOMAINS_TTL_MIN_S)
		ttl_s = KVG_DOMAINS_TTL_MIN_S;
	if (ttl_s > KVG_DOMAINS_TTL_MAX_S)
		ttl_s = KVG_DOMAINS_TTL_MAX_S;
	return now_ns + ttl_s * NS_PER_S;
}

void kvg_domains_learn(struct kvg_domains *domains, __u64 cgroup_id,
		       const struct kvg_answer_names *names, __u64 now_ns)
{
	size_t size = strlen(names->name) + 1;

	for (size_t i = 0; i < names->count; i++) {
		const __u8 *addr = names->addresses[i].addr;
		struct domain *known = find(domains, cgroup_id, addr);
		struct domain *domain;

		if (known)
			forget(domains, known);
		domain = calloc(1, sizeof(*domain) + size);
		if (!domain)
			return;
		domain->cgroup_id = cgroup_id;
		memcpy(domain->addr, addr, sizeof(domain->addr));
		domain->until_ns = runs_out(names->ttl_s, now_ns);
		memcpy(domain->name, names->name, size);
		add(domains, domain);
	}
}

const char *kvg_domains_find(const struct kvg_domains *domains, __u64 cgroup_id,
			     const __u8 addr[16], __u64 now_ns)
{
	const struct domain *domain = find(domains, cgroup_id, addr);

	return domain && now_ns < domain->until_ns ? domain->name : NULL;
}

size_t kvg_domains_count(const struct kvg_domains *domains)
{
	return domains->count;
}

struct kvg_domains *kvg_domains_close(struct kvg_domains *domains)
{
	if (!domains)
		return NULL;
	while (!TAILQ_EMPTY(&domains->queue))
		forget(domains, TAILQ_FIRST(&domains->queue));
	free(domains);
	return NULL;
}

void kvg_domains_closep(struct kvg_domains **domains)
{
	*domains = kvg_domains_close(*domains);
}
