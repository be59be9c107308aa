/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose container, pod and image a record is of: identities of the gates that refused something lately. */
#ifndef KVG_DISCOVER_WHOSE_H
#define KVG_DISCOVER_WHOSE_H

#include "audit/record.h"
#include "discover/identity.h"

/* Gates remembered, some 500 bytes each; the one not asked for for the longest time is forgotten. */
#define KVG_WHOSE_MAX 512

/* A runtime writes a moment later whose cgroup it has made; what was not there is looked for again. */
#define KVG_WHOSE_RETRY_S 5

struct kvg_whose;

/** kvg_whose_open() - @roots: as of kvg_identity_read(), its strings must stay; Return: 0 or -ENOMEM */
int kvg_whose_open(const struct kvg_identity_roots *roots, struct kvg_whose **ret);

/**
 * kvg_whose_fill() - say whose the gate of a record is
 * @whose:  reads the runtime's files at the first record of a gate
 * @record: with its gate; gains container, image, namespace and pod, which hold until the next call
 */
void kvg_whose_fill(struct kvg_whose *whose, struct kvg_record *record);

/** kvg_whose_close() - forget them; NULL is fine; Return: NULL */
struct kvg_whose *kvg_whose_close(struct kvg_whose *whose);

/** kvg_whose_closep() - for KVG_CLEANUP */
void kvg_whose_closep(struct kvg_whose **whose);

#endif
