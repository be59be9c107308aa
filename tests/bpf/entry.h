/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy of the model's, put into the kernel. */
#ifndef KVG_TESTS_BPF_ENTRY_H
#define KVG_TESTS_BPF_ENTRY_H

#include "kernel.h"
#include "model.h"

/**
 * struct kvg_entry - a policy, and where it is
 * @model:  what it shall be
 * @policy: what was compiled from it, freed by the caller; NULL if the rules went in as they are
 * @gate:   that judges by it
 */
struct kvg_entry {
	struct kvg_model_policy model;
	struct kvg_policy *policy;
	struct kvg_gate gate;
};

/**
 * kvg_entry_fill() - put a policy into the kernel
 * @kernel:     where
 * @entry:      its model says what
 * @generation: tells its refusals apart
 *
 * Return: 0, or a negative errno
 */
int kvg_entry_fill(struct kvg_kernel *kernel, struct kvg_entry *entry, __u32 generation);

#endif
