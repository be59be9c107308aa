/* SPDX-License-Identifier: BSD-2-Clause */
/* Gates: one policy on one cgroup, put in force, changed in one flip, removed, looked at. */
#ifndef KVG_GATE_GATE_H
#define KVG_GATE_GATE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "gate/cgroup.h"
#include "gate/set.h"
#include "kvg_event.h"
#include "policy/policy.h"

/**
 * kvg_gate_attach() - gate a cgroup that has no gate of this set yet
 * @set:         programs and maps
 * @cgroup:      what to gate
 * @policy:      by what
 * @run_pid:     see struct kvg_gate_info
 * @reterr_diag: what went wrong
 *
 * Between the first program and the policy everything is refused (no_policy), never let through. On
 * failure nothing is attached.
 *
 * Return: 0, or a negative errno: -EPERM privileges, or a foreign program that allows none beside it
 */
int kvg_gate_attach(struct kvg_set *set, const struct kvg_cgroup *cgroup,
		    const struct kvg_policy *policy, __u32 run_pid, struct kvg_diag *reterr_diag);

/**
 * kvg_gate_attach_by() - gate a cgroup by what is in the kernel already
 * @set:         programs and maps
 * @cgroup:      what to gate; has no gate of this set yet
 * @gate:        its entry; the slot is filled, or 0, and may be other gates', too
 * @info:        its name; @abi and @cgroup are set here
 * @reterr_diag: what went wrong
 *
 * Waits for nothing. Otherwise as kvg_gate_attach().
 *
 * Return: as kvg_gate_attach()
 */
int kvg_gate_attach_by(struct kvg_set *set, const struct kvg_cgroup *cgroup,
		       const struct kvg_gate *gate, struct kvg_gate_info *info,
		       struct kvg_diag *reterr_diag);

/**
 * kvg_gate_flip() - have a gate and its interfaces judge by another slot, each in one flip
 * @set:         the gate's set
 * @gate:        its new entry; the slot is filled, or 0
 * @info:        its new name
 * @reterr_diag: what went wrong; the old policy is in force then
 *
 * Return: 0, -ENOENT no such gate, or another negative errno
 */
int kvg_gate_flip(struct kvg_set *set, const struct kvg_gate *gate,
		  const struct kvg_gate_info *info, struct kvg_diag *reterr_diag);

/**
 * kvg_gate_restore() - make a gate whole, whatever is left of it
 * @set:         the gate's set
 * @cgroup:      its cgroup
 * @gate:        its entry; the slot is filled, or 0
 * @info:        its name
 * @reterr_diag: what could not be done; what is in force then stays so
 *
 * Return: 0, or a negative errno
 */
int kvg_gate_restore(struct kvg_set *set, const struct kvg_cgroup *cgroup,
		     const struct kvg_gate *gate, const struct kvg_gate_info *info,
		     struct kvg_diag *reterr_diag);

/**
 * kvg_gate_replace() - put another policy in force on a gate and its interfaces, each in one flip
 * @set:         the gate's set
 * @cgroup_id:   the gate
 * @policy:      the new policy
 * @reterr_diag: what went wrong; the old policy is in force then
 *
 * The old policy's prefixes stay in the kernel until kvg_slots_tidy().
 *
 * Return: 0, -ENOENT no such gate, or another negative errno
 */
int kvg_gate_replace(struct kvg_set *set, __u64 cgroup_id, const struct kvg_policy *policy,
		     struct kvg_diag *reterr_diag);

/**
 * kvg_gate_remove() - remove one gate from a set, not its policy
 * @set:         the gate's set
 * @cgroup_id:   the gate; its cgroup may be gone
 * @reterr_diag: what went wrong; the gate is in force then
 *
 * Return: 0, or a negative errno: see kvg_ports_detach()
 */
int kvg_gate_remove(struct kvg_set *set, __u64 cgroup_id, struct kvg_diag *reterr_diag);

/** kvg_gate_retire() - as kvg_gate_remove(), but what it is called stays, for the record of what it refused */
int kvg_gate_retire(struct kvg_set *set, __u64 cgroup_id, struct kvg_diag *reterr_diag);

/** kvg_gate_remove_links() - all that holds a gate on its cgroup, in a set that need not be whole */
void kvg_gate_remove_links(const char *set_path, __u64 cgroup_id);

/**
 * kvg_gate_detach() - remove one gate from a set, and its policy unless another gate has the same
 * @set:         the gate's set
 * @cgroup_id:   the gate; its cgroup may be gone
 * @reterr_diag: what went wrong; the gate is in force then
 *
 * Return: 0, or a negative errno: see kvg_ports_detach()
 */
int kvg_gate_detach(struct kvg_set *set, __u64 cgroup_id, struct kvg_diag *reterr_diag);

/** kvg_gate_list() - cgroup ids of a set's gates, freed by the caller; 0 or a negative errno */
int kvg_gate_list(const struct kvg_set *set, __u64 **ret, size_t *ret_count);

/** kvg_gate_read() - the gate's entry and name; Return: 0, -ENOENT no such gate, ... */
int kvg_gate_read(const struct kvg_set *set, __u64 cgroup_id, struct kvg_gate *ret_gate,
		  struct kvg_gate_info *ret_info);

/**
 * kvg_gate_read_other() - the name of a gate in a set that another version of kvgate made
 * @set_path:  folder of the set, which need not be whole
 * @cgroup_id: the gate
 * @ret:       without the cgroup's path, see struct kvg_gate_info
 *
 * Return: 0, -ENOENT no such gate, -EPROTO a layout that nobody promised, or another negative errno
 */
int kvg_gate_read_other(const char *set_path, __u64 cgroup_id, struct kvg_gate_info *ret);

/** kvg_gate_tell() - put an entry in place of what the cgroup's storage says; -ENOENT it has none */
int kvg_gate_tell(struct kvg_set *set, const struct kvg_gate *gate);

/** kvg_gate_read_counters() - of the cgroup's programs, summed over the CPUs; Return: 0, or a negative errno */
int kvg_gate_read_counters(const struct kvg_set *set, __u64 cgroup_id, struct kvg_counters *ret);

/**
 * kvg_gate_find() - which set gates a cgroup
 * @bpffs_dir:   where the sets are
 * @cgroup_id:   the cgroup
 * @ret:         the set, for kvg_set_close()
 * @reterr_diag: what went wrong
 *
 * Return: 0, -ENOENT if none does, or another negative errno
 */
int kvg_gate_find(const char *bpffs_dir, __u64 cgroup_id, struct kvg_set **ret,
		  struct kvg_diag *reterr_diag);

/** kvg_gate_is_policy_used() - is the policy of @digest in force on a gate of any set? */
bool kvg_gate_is_policy_used(const char *bpffs_dir, const __u8 digest[32]);

/** kvg_gate_has() - is there a link of this program? A gate holds without those that are not required */
bool kvg_gate_has(const struct kvg_set *set, __u64 cgroup_id, enum kvg_program which);

#endif
