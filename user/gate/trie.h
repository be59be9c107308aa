/* SPDX-License-Identifier: BSD-2-Clause */
/* One family's prefixes in the kernel: a trie that is filled, read back and frozen before anybody sees it. */
#ifndef KVG_GATE_TRIE_H
#define KVG_GATE_TRIE_H

#include "policy/policy.h"

/**
 * kvg_trie_build() - a frozen trie of the policy's rules of a family
 * @policy: its rules are sorted
 * @family: AF_INET or AF_INET6
 *
 * Return: its descriptor, -EIO it does not read back as written, or another negative errno
 */
int kvg_trie_build(const struct kvg_policy *policy, int family);

/**
 * kvg_trie_check() - does a trie hold these rules?
 * @trie:   descriptor
 * @policy: rules that are to be there; it may hold more
 * @family: of the trie; rules of the other one are passed over
 *
 * Return: 0, -EIO one of them is not there or grants something else, or another negative errno
 */
int kvg_trie_check(int trie, const struct kvg_policy *policy, int family);

/** kvg_trie_read() - what an address or prefix is granted; 1, 0 nothing, or a negative errno */
int kvg_trie_read(int trie, const struct kvg_prefix *address, __u32 *ret_services);

#endif
