// SPDX-License-Identifier: BSD-2-Clause
#include "gate/counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* @ret: zeroes for every CPU that there may ever be, freed by the caller; returns how many, or -errno */
static int allocate(struct kvg_counters **ret)
{
	int count = libbpf_num_possible_cpus();

	if (count < 0)
		return count;
	*ret = calloc(count, sizeof(**ret));
	return *ret ? count : -ENOMEM;
}

int kvg_counters_read(int map, const void *key, struct kvg_counters *ret)
{
	KVG_CLEANUP(kvg_freep) struct kvg_counters *cpus = NULL;
	int count = allocate(&cpus);

	if (count < 0)
		return count;
	if (bpf_map_lookup_elem(map, key, cpus) < 0)
		return -errno;

	memset(ret, 0, sizeof(*ret));
	for (int cpu = 0; cpu < count; cpu++) {
		ret->allowed += cpus[cpu].allowed;
		for (int i = 0; i < KVG_REASON_COUNT; i++) {
			ret->refused[i] += cpus[cpu].refused[i];
			ret->flows[i] += cpus[cpu].flows[i];
		}
	}
	return 0;
}

int kvg_counters_clear(int map, const void *key)
{
	KVG_CLEANUP(kvg_freep) struct kvg_counters *cpus = NULL;
	int count = allocate(&cpus);

	if (count < 0)
		return count;
	return bpf_map_update_elem(map, key, cpus, BPF_ANY) < 0 ? -errno : 0;
}
