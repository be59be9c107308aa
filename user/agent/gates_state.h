/* SPDX-License-Identifier: BSD-2-Clause */
/* What the agent knows of its gates: shared by gates*.c and check.c, nobody else's business. */
#ifndef KVG_AGENT_GATES_STATE_H
#define KVG_AGENT_GATES_STATE_H

#include "agent/gates.h"
#include "gate/cgroup.h"
#include "gate/reclaim.h"
#include "kvg_policy.h"

/**
 * struct kvg_gates_policy - a policy that is in the kernel, once for all profiles that have it
 * @digest:  of it
 * @gate:    entry of a gate that has it, but for cgroup and generation; says the slot
 * @ids:     of the slot's tries
 * @bytes:   what @digest is the SHA-256 of; NULL: adopted, and nobody has shown the policy yet
 * @size:    of @bytes
 * @offset:  in @bytes: from here on it is compared with the kernel's next
 * @suspect: something was wrong with it in the last round
 */
struct kvg_gates_policy {
	__u8 digest[32];
	struct kvg_gate gate;
	__u32 ids[2];
	unsigned char *bytes;
	size_t size;
	size_t offset;
	bool suspect;
};

/**
 * struct kvg_gates_profile - a profile that the agent was told of
 * @name:   owned
 * @policy: NULL: it has none, its gates refuse everything
 */
struct kvg_gates_profile {
	char *name;
	struct kvg_gates_policy *policy;
};

/** struct kvg_gates - see gates.h; @others are names of sets that another version made */
struct kvg_gates {
	char *bpffs_dir;
	char *root;
	struct kvg_set *set;
	struct kvg_reclaim *reclaim; /* NULL until there is something to free */
	int use; /* holds the set's folder: nobody removes it as long as it has no gate yet */
	struct kvg_gates_entry *entries;
	size_t entries_count;
	struct kvg_gates_policy **policies;
	size_t policies_count;
	struct kvg_gates_profile *profiles;
	size_t profiles_count;
	char **others;
	size_t others_count;
	struct kvg_totals *totals;
	bool keep_names;
};

/** kvg_gates_compare_paths() - parents before children, and those before their parent's next sibling */
int kvg_gates_compare_paths(const char *a, const char *b);

/** kvg_gates_find() - by cgroup id; NULL if there is none */
struct kvg_gates_entry *kvg_gates_find(const struct kvg_gates *gates, __u64 cgroup_id);

/** kvg_gates_add() - an entry of the set @set, otherwise empty; NULL: no memory */
struct kvg_gates_entry *kvg_gates_add(struct kvg_gates *gates, const char *cgroup, __u64 cgroup_id,
				      const char *set);

/** kvg_gates_count_one() - as kvg_gates_count(), of one gate */
void kvg_gates_count_one(struct kvg_gates *gates, struct kvg_gates_entry *entry);

/** kvg_gates_drop() - forget an entry; what is in the kernel stays */
void kvg_gates_drop(struct kvg_gates *gates, struct kvg_gates_entry *entry);

/** kvg_gates_name() - the entry's profile is @profile from here on; 0 or -ENOMEM */
int kvg_gates_name(struct kvg_gates_entry *entry, const char *profile);

/** kvg_gates_is_other() - is the gate in a set of another version? */
bool kvg_gates_is_other(const struct kvg_gates *gates, const struct kvg_gates_entry *entry);

/** kvg_gates_open_cgroup() - the entry's; as kvg_cgroup_open_known() */
int kvg_gates_open_cgroup(const struct kvg_gates *gates, const struct kvg_gates_entry *entry,
			  struct kvg_cgroup *ret);

/** kvg_gates_take_lock() - as kvg_set_lock() */
int kvg_gates_take_lock(const struct kvg_gates *gates, int *ret, struct kvg_diag *reterr_diag);

/**
 * kvg_gates_apply() - have the kernel's gate judge by what its profile has
 * @gates:       which
 * @entry:       of the agent's own set, or of another that it leaves for it
 * @reterr_diag: what went wrong; the gate is as it was
 *
 * Return: 1 changed, 0 it was so, or a negative errno
 */
int kvg_gates_apply(struct kvg_gates *gates, struct kvg_gates_entry *entry,
		    struct kvg_diag *reterr_diag);

/** kvg_gates_apply_all() - to every gate of a profile; the first error, after all were tried */
int kvg_gates_apply_all(struct kvg_gates *gates, const char *profile, struct kvg_diag *reterr_diag);

/** kvg_gates_take_away() - as kvg_gates_remove(), under the lock */
int kvg_gates_take_away(struct kvg_gates *gates, struct kvg_gates_entry *entry,
			struct kvg_diag *reterr_diag);

/** kvg_gates_put_locked() - as kvg_gates_put(), under the lock */
int kvg_gates_put_locked(struct kvg_gates *gates, const char *cgroup, const char *profile,
			 struct kvg_diag *reterr_diag);

/** kvg_gates_adopt() - find or make the set, take in what is there; under the lock; 0 or -errno */
int kvg_gates_adopt(struct kvg_gates *gates, struct kvg_diag *reterr_diag);

/**
 * kvg_gates_find_new() - gates that are in the set's maps and not among the entries; under the lock
 * @gates: takes in what a hook has gated meanwhile, forgets what belongs to cgroups that are gone
 *
 * Return: 0 or a negative errno
 */
int kvg_gates_find_new(struct kvg_gates *gates);

/** kvg_gates_adopt_gate() - one that is in the set's maps; 0, -ESTALE its cgroup is gone, ... */
int kvg_gates_adopt_gate(struct kvg_gates *gates, __u64 cgroup_id);

/** kvg_gates_leave_other() - remove a gate from another version's set, and with the last one the set */
void kvg_gates_leave_other(struct kvg_gates *gates, const char *set, __u64 cgroup_id);

/**
 * kvg_gates_take_over() - have a gate of ours do all that its like in another version's set does
 * @gates:       which
 * @cgroup:      gated in both
 * @other:       the other set; with its last gate it goes
 * @reterr_diag: why not; both are in force then
 *
 * Return: 0, or a negative errno
 */
int kvg_gates_take_over(struct kvg_gates *gates, const struct kvg_cgroup *cgroup, const char *other,
			struct kvg_diag *reterr_diag);

/** kvg_gates_profile() - by name; made, with what its gates are judged by, if there is none; NULL: no memory */
struct kvg_gates_profile *kvg_gates_profile(struct kvg_gates *gates, const char *name);

/** kvg_gates_knows() - was the agent told of this profile? */
bool kvg_gates_knows(const struct kvg_gates *gates, const char *name);

/** kvg_gates_adopt_policy() - a gate that is there has this policy in its slot; 0 or -ENOMEM */
int kvg_gates_adopt_policy(struct kvg_gates *gates, const struct kvg_gate *gate,
			   const __u8 digest[32]);

/** kvg_gates_fill() - put a policy of ours into the kernel (again); 0 or a negative errno */
int kvg_gates_fill(struct kvg_gates *gates, struct kvg_gates_policy *policy,
		   struct kvg_diag *reterr_diag);

/** kvg_gates_is_there() - are the policy's tries those in its slot? */
bool kvg_gates_is_there(const struct kvg_gates *gates, const struct kvg_gates_policy *policy);

/**
 * kvg_gates_read_rules() - the next rules of a policy
 * @policy: one with bytes
 * @offset: where they begin, set behind them; 0 is the first rule, and the end of the bytes the last's end
 * @ret:    room for @max rules; without names
 * @max:    how many at most
 *
 * Return: how many
 */
size_t kvg_gates_read_rules(const struct kvg_gates_policy *policy, size_t *offset,
			    struct kvg_rule *ret, size_t max);

/** kvg_gates_free_policy() - frees the memory; the kernel's tries stay */
void kvg_gates_free_policy(struct kvg_gates_policy *policy);

#endif
