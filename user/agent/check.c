// SPDX-License-Identifier: BSD-2-Clause
#include "agent/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/canary.h"
#include "agent/gates_state.h"
#include "base/cleanup.h"
#include "gate/effective.h"
#include "gate/gate.h"
#include "gate/mend.h"
#include "gate/own.h"
#include "gate/slots.h"

/*
 * Prefixes that one round reads back, 1 ms or 2: 500,000 take 40 minutes. That each slot holds the tries that
 * were put there, which nobody can write to, every round sees.
 */
#define RULES_PER_ROUND 2048

/* The kernel attaches no more programs to a cgroup and those above it. */
#define ABOVE_MAX KVG_EFFECTIVE_MAX

struct kvg_check {
	struct kvg_gates *gates;
	struct kvg_canary *canary;
	char *canary_parent; /* NULL: no canary */
	char **problems;
	size_t problems_count;
	size_t repaired;
	__u32 *foreign; /* program ids, each once */
	size_t foreign_count;
	__u32 ids[KVG_PROGRAM_COUNT]; /* of the set's programs */
	size_t turn;                  /* counts rounds: the canary's policy */
	size_t reading;               /* index of the policy that is being read back */
};

static void forget_problems(struct kvg_check *check)
{
	for (size_t i = 0; i < check->problems_count; i++)
		free(check->problems[i]);
	check->problems_count = 0;
	check->foreign_count = 0;
}

static void add_problem(struct kvg_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Without memory for its sentence a problem is not told, but mended all the same. */
static void add_problem(struct kvg_check *check, const char *format, ...)
{
	char **more =
		reallocarray(check->problems, check->problems_count + 1, sizeof(*check->problems));
	va_list args;

	if (!more)
		return;
	check->problems = more;
	va_start(args, format);
	if (vasprintf(&more[check->problems_count], format, args) >= 0)
		check->problems_count++;
	va_end(args);
}

int kvg_check_open(struct kvg_gates *gates, const char *canary_parent, struct kvg_check **ret)
{
	struct kvg_check *check = calloc(1, sizeof(*check));

	if (!check)
		return -ENOMEM;
	check->gates = gates;
	if (canary_parent) {
		check->canary_parent = strdup(canary_parent);
		if (!check->canary_parent) {
			free(check);
			return -ENOMEM;
		}
	}
	*ret = check;
	return 0;
}

struct kvg_check *kvg_check_close(struct kvg_check *check)
{
	if (!check)
		return NULL;
	kvg_canary_close(check->canary);
	forget_problems(check);
	free(check->problems);
	free(check->foreign);
	free(check->canary_parent);
	free(check);
	return NULL;
}

void kvg_check_closep(struct kvg_check **check)
{
	*check = kvg_check_close(*check);
}

size_t kvg_check_problems(const struct kvg_check *check, const char *const **ret)
{
	*ret = (const char *const *)check->problems;
	return check->problems_count;
}

size_t kvg_check_repaired(const struct kvg_check *check)
{
	return check->repaired;
}

size_t kvg_check_foreign(const struct kvg_check *check)
{
	return check->foreign_count;
}

__u64 kvg_check_canary_id(const struct kvg_check *check)
{
	return check->canary ? kvg_canary_id(check->canary) : 0;
}

/* --- policies ------------------------------------------------------------------------------------ */

/* Into a slot anew, and every gate that has it goes there. */
static void fill_again(struct kvg_check *check, struct kvg_gates_policy *policy, const char *why)
{
	struct kvg_gates *gates = check->gates;
	char digest[KVG_DIGEST_HEX_LEN];
	struct kvg_diag diag = {0};
	int r = kvg_gates_fill(gates, policy, &diag);

	kvg_digest_format(policy->digest, digest);
	policy->suspect = true;
	policy->offset = 0;
	for (size_t i = 0; r == 0 && i < gates->profiles_count; i++) {
		if (gates->profiles[i].policy == policy)
			r = kvg_gates_apply_all(gates, gates->profiles[i].name, &diag);
	}
	if (r < 0) {
		add_problem(check, "policy %.12s: %s; it cannot be put right: %s", digest, why,
			    diag.msg[0] ? diag.msg : strerror(-r));
		return;
	}
	add_problem(check, "policy %.12s: %s; put in force again", digest, why);
	check->repaired++;
}

static bool is_policy_told(const struct kvg_gates_policy *policy)
{
	return policy->bytes;
}

static const char *find_fault(const struct kvg_gates *gates, struct kvg_gates_policy *policy,
			      size_t *budget)
{
	KVG_CLEANUP(kvg_freep) struct kvg_rule *rules = calloc(*budget + 1, sizeof(*rules));
	struct kvg_policy part = {.rules = rules};
	struct kvg_slot slot;
	int r;

	if (!rules)
		return NULL;
	if (!policy->offset &&
	    (kvg_slots_look(gates->set, policy->gate.slot, &slot) < 0 || !slot.frozen))
		return "its prefixes in the kernel can be written to";
	part.rules_count = kvg_gates_read_rules(policy, &policy->offset, rules, *budget);
	*budget -= part.rules_count;
	r = kvg_slots_check(gates->set, policy->gate.slot, &part);
	return r < 0 ? "its prefixes in the kernel are not those that were put there" : NULL;
}

/* Return: was it read to its end? */
static bool read_back(struct kvg_check *check, struct kvg_gates_policy *policy, size_t *budget)
{
	const char *fault = find_fault(check->gates, policy, budget);

	if (fault) {
		fill_again(check, policy, fault);
		return true;
	}
	if (policy->offset < policy->size)
		return false;
	policy->offset = 0;
	policy->suspect = false;
	return true;
}

static void check_policies(struct kvg_check *check)
{
	struct kvg_gates *gates = check->gates;
	size_t budget = RULES_PER_ROUND;

	for (size_t i = 0; i < gates->policies_count; i++) {
		struct kvg_gates_policy *policy = gates->policies[i];

		if (is_policy_told(policy) && !kvg_gates_is_there(gates, policy))
			fill_again(check, policy, "its prefixes are gone from the kernel");
	}
	for (size_t i = 0; budget && i < gates->policies_count; i++) {
		struct kvg_gates_policy *policy;

		if (check->reading >= gates->policies_count)
			check->reading = 0;
		policy = gates->policies[check->reading];
		if (!is_policy_told(policy) || read_back(check, policy, &budget))
			check->reading++;
	}
}

/* --- gates --------------------------------------------------------------------------------------- */

static bool holds(const char *outer, const char *inner)
{
	size_t len = strlen(outer);

	return strncmp(outer, inner, len) == 0 && inner[len] == '/';
}

/*
 * struct above - the gates above the one that is looked at, outermost first
 *
 * A program runs once for each of them. They come before it, so that each is met on the way.
 */
struct above {
	size_t entries[ABOVE_MAX];
	size_t count;
};

/* How often the programs run on @at's cgroup. */
static __u32 count_gates(const struct kvg_gates *gates, size_t at, struct above *above)
{
	const char *path = gates->entries[at].cgroup;
	__u32 count = 1;

	while (above->count &&
	       !holds(gates->entries[above->entries[above->count - 1]].cgroup, path))
		above->count--;
	for (size_t i = 0; i < above->count; i++)
		count += !kvg_gates_is_other(gates, &gates->entries[above->entries[i]]);
	if (above->count < ABOVE_MAX)
		above->entries[above->count++] = at;
	return count;
}

static void add_foreign(struct kvg_check *check, __u32 id)
{
	__u32 *more;

	for (size_t i = 0; i < check->foreign_count; i++) {
		if (check->foreign[i] == id)
			return;
	}
	more = reallocarray(check->foreign, check->foreign_count + 1, sizeof(*more));
	if (!more)
		return;
	check->foreign = more;
	more[check->foreign_count++] = id;
}

/* Does the kernel run the set's program as often as it should? */
static bool is_in_force(struct kvg_check *check, const struct kvg_cgroup *cgroup,
			enum kvg_program which, __u32 wanted)
{
	struct kvg_effective effective;
	__u32 found = 0;

	if (!check->ids[which])
		return true;
	if (kvg_effective_read(cgroup->fd, which, &effective) < 0)
		return !kvg_programs()[which].required;
	for (__u32 i = 0; i < effective.count; i++) {
		if (effective.ids[i] == check->ids[which])
			found++;
		else
			add_foreign(check, effective.ids[i]);
	}
	return found >= wanted ||
	       (which == KVG_PROGRAM_SOCKET && !kvg_gate_has(check->gates->set, cgroup->id, which));
}

/* The gate holds without it; what could be mended is by now. */
static void check_hearing(struct kvg_check *check, const struct kvg_gates_entry *entry,
			  const struct kvg_cgroup *cgroup, __u32 wanted)
{
	if (check->ids[KVG_PROGRAM_INGRESS] &&
	    is_in_force(check, cgroup, KVG_PROGRAM_INGRESS, wanted))
		return;
	add_problem(check,
		    "%s: the %s program cannot be attached: the gate holds, but its records do not "
		    "say which names the client looks up",
		    entry->cgroup, kvg_programs()[KVG_PROGRAM_INGRESS].label);
}

static void check_programs(struct kvg_check *check, const struct kvg_gates_entry *entry,
			   const struct kvg_cgroup *cgroup, __u32 wanted)
{
	struct kvg_diag diag = {0};
	const char *broken = NULL;
	int r;

	for (int i = 0; i < KVG_PROGRAM_COUNT; i++) {
		if (!is_in_force(check, cgroup, i, wanted) && !broken)
			broken = kvg_programs()[i].label;
	}
	if (!broken)
		return;
	r = kvg_mend(check->gates->set, cgroup, &diag);
	if (r < 0) {
		add_problem(check, "%s", diag.msg[0] ? diag.msg : strerror(-r));
		return;
	}
	/* 0: it is one above this one that is broken. */
	if (r > 0)
		add_problem(check, "%s: the %s program was not in force; attached again",
			    entry->cgroup, broken);
	check->repaired += r;
}

static void check_entry(struct kvg_check *check, struct kvg_gates_entry *entry)
{
	struct kvg_diag diag = {0};
	int r;

	if (!kvg_gates_knows(check->gates, entry->profile))
		return;
	r = kvg_gates_apply(check->gates, entry, &diag);
	if (r < 0)
		add_problem(check, "%s: it does not judge by its policy, and cannot be told: %s",
			    entry->cgroup, diag.msg[0] ? diag.msg : strerror(-r));
	else if (r > 0)
		add_problem(check, "%s: it did not judge by its policy; put right", entry->cgroup);
	check->repaired += r > 0;
}

/* Another cgroup has its path: gated in its place, or, if that is refused, told. */
static void take_place(struct kvg_check *check, size_t at)
{
	struct kvg_gates *gates = check->gates;
	KVG_CLEANUP(kvg_freep) char *path = strdup(gates->entries[at].cgroup);
	KVG_CLEANUP(kvg_freep) char *profile = strdup(gates->entries[at].profile);
	struct kvg_diag diag = {0};
	int r = path && profile ? 0 : -ENOMEM;

	if (r == 0)
		r = kvg_gates_take_away(gates, &gates->entries[at], &diag);
	if (r == 0)
		r = kvg_gates_put_locked(gates, path, profile, &diag);
	if (r < 0) {
		add_problem(check, "%s: another cgroup is in its place, and cannot be gated: %s",
			    path ? path : "?", diag.msg[0] ? diag.msg : strerror(-r));
		return;
	}
	add_problem(check, "%s: another cgroup was in its place; gated", path);
	check->repaired++;
}

static void check_gates(struct kvg_check *check)
{
	struct kvg_gates *gates = check->gates;
	struct above above = {0};

	for (size_t i = 0; i < gates->entries_count; i++) {
		__u32 wanted = count_gates(gates, i, &above);
		KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;
		int r = kvg_gates_open_cgroup(gates, &gates->entries[i], &cgroup);

		if (r == -ESTALE) {
			take_place(check, i);
		} else if (r == 0) {
			if (!kvg_gates_is_other(gates, &gates->entries[i])) {
				check_programs(check, &gates->entries[i], &cgroup, wanted);
				check_hearing(check, &gates->entries[i], &cgroup, wanted);
			}
			check_entry(check, &gates->entries[i]);
		} else if (r != -ENOENT && r != -ENODEV) { /* those are gone, kvg_gates_tidy() */
			add_problem(check, "%s: the cgroup cannot be opened: %s",
				    gates->entries[i].cgroup, strerror(-r));
		}
	}
}

/* --- all of it ----------------------------------------------------------------------------------- */

static void leave_own_out(struct kvg_check *check)
{
	KVG_CLEANUP(kvg_own_done) struct kvg_own own = {0};
	size_t kept = 0;

	if (!check->foreign_count || kvg_own_read(check->gates->bpffs_dir, &own) < 0)
		return;
	for (size_t i = 0; i < check->foreign_count; i++) {
		if (!kvg_own_has(&own, check->foreign[i]))
			check->foreign[kept++] = check->foreign[i];
	}
	check->foreign_count = kept;
}

static void try_canary(struct kvg_check *check)
{
	static const struct kvg_gate nothing;
	const struct kvg_gates *gates = check->gates;
	const struct kvg_gate *gate = &nothing;
	struct kvg_diag diag = {0};
	int r = 0;

	if (!check->canary_parent)
		return;
	if (!check->canary)
		r = kvg_canary_open(gates->set, gates->root, check->canary_parent, &check->canary,
				    &diag);
	if (gates->policies_count)
		gate = &gates->policies[check->turn++ % gates->policies_count]->gate;
	if (r == 0)
		r = kvg_canary_try(check->canary, gate, &diag);
	if (r == 0)
		return;
	add_problem(check, "%s", diag.msg[0] ? diag.msg : strerror(-r));
	check->canary =
		kvg_canary_close(check->canary); /* its cgroup may be gone: anew next time */
}

int kvg_check_round(struct kvg_check *check)
{
	KVG_CLEANUP(kvg_closep) int lock = -1;
	int r = kvg_gates_take_lock(check->gates, &lock, NULL);

	if (r < 0)
		return r;
	forget_problems(check);
	for (int i = 0; i < KVG_PROGRAM_COUNT; i++) {
		int program = kvg_set_program(check->gates->set, i);

		check->ids[i] = program < 0 ? 0 : kvg_own_program_id(program);
	}
	r = kvg_gates_find_new(check->gates);
	if (r < 0)
		return r;
	check_policies(check);
	check_gates(check);
	leave_own_out(check);
	try_canary(check);
	return (int)check->problems_count;
}
