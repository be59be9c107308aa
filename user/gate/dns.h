/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf/dns.bpf.c: where it can be loaded, and on a set's maps. */
#ifndef KVG_GATE_DNS_H
#define KVG_GATE_DNS_H

#include "gate/set.h"

/**
 * kvg_dns_load() - load the program that hears name servers' answers
 * @set: its maps are the program's
 * @ret: descriptor, owned by the caller; untouched on failure
 *
 * Return: 0, or a negative errno: the gates hold without it
 */
int kvg_dns_load(const struct kvg_set *set, int *ret);

#endif
