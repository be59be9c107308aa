/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The gate of the cgroup that the running program is attached to: its entry and its counters. */
#ifndef KVG_GATE_BPF_H
#define KVG_GATE_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "config.bpf.h"
#include "kvg_event.h"
#include "kvg_policy.h"
#include "maps.bpf.h"

/* See kvg_cfg_test; tests read and write them through the skeleton. */
struct kvg_gate kvg_test_gate;
struct kvg_counters kvg_test_counters;

static __always_inline const struct kvg_gate *kvg_own_gate(void)
{
	if (kvg_cfg_test)
		return &kvg_test_gate;
	return bpf_get_local_storage(&kvg_gates, 0);
}

static __always_inline struct kvg_counters *kvg_own_counters(void)
{
	if (kvg_cfg_test)
		return &kvg_test_counters;
	return bpf_get_local_storage(&kvg_counts, 0);
}

#endif
