// SPDX-License-Identifier: BSD-2-Clause
#include "gate/status.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/cgroup.h"
#include "gate/effective.h"
#include "gate/gate.h"
#include "gate/own.h"
#include "gate/pins.h"
#include "gate/ports.h"

static int add_problem(struct kvg_gate_status *gate, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int add_problem(struct kvg_gate_status *gate, const char *format, ...)
{
	char **more = realloc(gate->problems, (gate->problems_count + 1) * sizeof(*more));
	va_list args;
	int r;

	if (!more)
		return -ENOMEM;
	gate->problems = more;
	va_start(args, format);
	r = vasprintf(&more[gate->problems_count], format, args);
	va_end(args);
	if (r < 0)
		return -ENOMEM;
	gate->problems_count++;
	return 0;
}

static int add_foreign(struct kvg_foreign **list, size_t *count, __u32 id, enum kvg_program which)
{
	struct kvg_foreign *more = realloc(*list, (*count + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	*list = more;
	more[*count] = (struct kvg_foreign){.id = id, .hook = kvg_programs()[which].label};
	kvg_effective_program_name(id, more[*count].name);
	(*count)++;
	return 0;
}

static int list_foreign(struct kvg_own *own, int cgroup_fd, struct kvg_foreign **ret,
			size_t *ret_count)
{
	for (int i = 0; i < KVG_PROGRAM_COUNT; i++) {
		struct kvg_effective effective;
		int r = kvg_effective_read(cgroup_fd, i, &effective);

		if (r < 0 && !kvg_programs()[i].required)
			continue; /* the kernel has no such hook */
		for (__u32 j = 0; r == 0 && j < effective.count; j++) {
			if (!kvg_own_has(own, effective.ids[j]))
				r = add_foreign(ret, ret_count, effective.ids[j], i);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int kvg_status_list_foreign(const char *bpffs_dir, int cgroup_fd, struct kvg_foreign **ret,
			    size_t *ret_count)
{
	KVG_CLEANUP(kvg_own_done) struct kvg_own own = {};
	int r = kvg_own_read(bpffs_dir, &own);

	*ret = NULL;
	*ret_count = 0;
	return r < 0 ? r : list_foreign(&own, cgroup_fd, ret, ret_count);
}

/* Is the gate's program among those that the kernel runs, and the pinned link what keeps it there? */
static void check_hook(struct kvg_gate_status *gate, const struct kvg_set *set,
		       enum kvg_program which, int cgroup_fd)
{
	KVG_CLEANUP(kvg_closep) int link = -1;
	const char *label = kvg_programs()[which].label;
	__u32 id = kvg_own_program_id(kvg_set_program(set, which));
	struct bpf_link_info info = {};
	struct kvg_effective effective;
	__u32 size = sizeof(info);
	char folder[64];

	snprintf(folder, sizeof(folder), "links/%llu", (unsigned long long)gate->cgroup_id);
	link = kvg_pins_get(kvg_set_path(set), folder, label);
	if (link == -ENOENT && which == KVG_PROGRAM_INGRESS) {
		add_problem(gate,
			    "%s: not attached: the gate holds, but its records do not say "
			    "which names the client looks up",
			    label);
		return;
	}
	if (link == -ENOENT && !kvg_programs()[which].required)
		return; /* where it could not be attached */
	if (which == KVG_PROGRAM_SOCKET)
		gate->lsm = true;
	if (link < 0)
		add_problem(gate, "%s: the pinned link is gone (%s)", label, strerror(-link));
	else if (bpf_obj_get_info_by_fd(link, &info, &size) < 0 || info.prog_id != id)
		add_problem(gate, "%s: the pinned link holds another program", label);
	else if (info.cgroup.cgroup_id != gate->cgroup_id)
		add_problem(gate, "%s: the pinned link is not on this cgroup any more", label);

	if (kvg_effective_read(cgroup_fd, which, &effective) < 0)
		add_problem(gate, "%s: the kernel does not say which programs it runs (%s)", label,
			    strerror(errno));
	else if (!kvg_effective_has(&effective, id))
		add_problem(gate, "%s: the program is not in force on the cgroup", label);
}

static void check_policy(struct kvg_gate_status *gate, const struct kvg_set *set)
{
	__u32 slot = gate->gate.slot, id;

	if (!slot) {
		add_problem(gate, "no policy is in force: everything is refused");
		return;
	}
	if (bpf_map_lookup_elem(kvg_set_map(set, KVG_MAP_TRIES4), &slot, &id) < 0 ||
	    bpf_map_lookup_elem(kvg_set_map(set, KVG_MAP_TRIES6), &slot, &id) < 0)
		add_problem(gate,
			    "the policy's prefixes are gone from slot %u: everything is refused",
			    slot);
	if (memcmp(&gate->gate.policy_id, gate->info.digest, sizeof(gate->gate.policy_id)) != 0)
		add_problem(gate, "the policy in force is not the one that was recorded for it");
}

static int by_count(const void *a, const void *b)
{
	const struct kvg_refused_flow *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

static int read_flows(struct kvg_gate_status *gate, const struct kvg_set *set)
{
	KVG_CLEANUP(kvg_closep) int tallies = -1;
	struct kvg_refusal key, *previous = NULL;
	struct kvg_tally tally;
	__u32 zero = 0, id;

	if (bpf_map_lookup_elem(kvg_set_map(set, KVG_MAP_TALLIES), &zero, &id) < 0)
		return errno == ENOENT ? 0 : -errno; /* nobody asked for counts yet */
	tallies = bpf_map_get_fd_by_id(id);
	if (tallies < 0)
		return -errno;

	gate->flows = calloc(KVG_TALLIES_MAX, sizeof(*gate->flows));
	if (!gate->flows)
		return -ENOMEM;
	while (gate->flows_count < KVG_TALLIES_MAX &&
	       bpf_map_get_next_key(tallies, previous, &key) == 0) {
		previous = &key;
		if (key.cgroup_id != gate->cgroup_id ||
		    bpf_map_lookup_elem(tallies, &key, &tally) < 0)
			continue;
		gate->flows[gate->flows_count++] =
			(struct kvg_refused_flow){.refusal = key, .count = tally.count};
	}
	qsort(gate->flows, gate->flows_count, sizeof(*gate->flows), by_count);
	if (gate->flows_count > KVG_STATUS_FLOWS_MAX)
		gate->flows_count = KVG_STATUS_FLOWS_MAX;
	return 0;
}

/* The interfaces are there whether or not the cgroup still is. */
static int read_ports(struct kvg_gate_status *gate, const struct kvg_set *set, struct kvg_own *own)
{
	KVG_CLEANUP(kvg_freep) struct kvg_port *ports = NULL;
	int r = kvg_ports_list(set, gate->cgroup_id, &ports, &gate->ports_count);

	if (r < 0)
		return add_problem(gate, "its interfaces cannot be read: %s", strerror(-r));
	gate->ports = calloc(gate->ports_count + 1, sizeof(*gate->ports));
	if (!gate->ports)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < gate->ports_count; i++) {
		struct kvg_diag diag = {};

		gate->ports[i].port = ports[i];
		kvg_ports_read_counters(set, ports[i].ifindex, &gate->ports[i].counters);
		r = kvg_ports_check(set, &ports[i], kvg_own_has, own, &diag);
		if (r < 0)
			r = add_problem(gate, "%s", diag.msg[0] ? diag.msg : strerror(-r));
		else if (memcmp(&ports[i].gate, &gate->gate, sizeof(gate->gate)) != 0)
			r = add_problem(gate,
					"interface \"%s\" does not judge by the gate's policy",
					ports[i].name);
	}
	return r;
}

static int open_by_path(const char *root, const char *path)
{
	KVG_CLEANUP(kvg_freep) char *full = NULL;

	if (asprintf(&full, "%s%s", root, path) < 0)
		return -1;
	return open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What the kernel holds on the gate's cgroup; @gate->cgroup says where that is. */
static int read_live(struct kvg_gate_status *gate, const struct kvg_set *set, const char *root,
		     struct kvg_own *own)
{
	KVG_CLEANUP(kvg_closep) int cgroup_fd = open_by_path(root, gate->cgroup);

	if (cgroup_fd < 0)
		return add_problem(gate, "the cgroup cannot be opened: %s", strerror(errno));
	for (int i = 0; i < KVG_PROGRAM_COUNT; i++)
		check_hook(gate, set, i, cgroup_fd);
	if (kvg_gate_read(set, gate->cgroup_id, &gate->gate, NULL) == 0)
		check_policy(gate, set);
	else
		add_problem(gate, "the kernel has no entry for the gate: everything is refused");
	kvg_gate_read_counters(set, gate->cgroup_id, &gate->counters);
	return list_foreign(own, cgroup_fd, &gate->foreign, &gate->foreign_count);
}

static int read_gate(struct kvg_gate_status *gate, const struct kvg_set *set, const char *root,
		     struct kvg_own *own)
{
	int r;

	gate->set = strdup(kvg_set_name(set));
	if (!gate->set)
		return -ENOMEM;
	kvg_gate_read(set, gate->cgroup_id, NULL, &gate->info);

	r = kvg_cgroup_find_by_id(root, gate->cgroup_id, &gate->cgroup);
	if (r < 0) {
		gate->cgroup = strdup(gate->info.cgroup);
		if (!gate->cgroup)
			return -ENOMEM;
		r = add_problem(gate,
				"the cgroup is gone (kvgate detach --all removes what is left)");
	} else {
		r = read_live(gate, set, root, own);
	}
	if (r == 0)
		r = read_ports(gate, set, own);
	return r < 0 ? r : read_flows(gate, set);
}

/* struct list - gates found so far */
struct list {
	struct kvg_gate_status *gates;
	size_t count;
};

static struct kvg_gate_status *list_add(struct list *list)
{
	struct kvg_gate_status *more =
		realloc(list->gates, (list->count + 1) * sizeof(*list->gates));

	if (!more)
		return NULL;
	list->gates = more;
	more[list->count] = (struct kvg_gate_status){0};
	return &more[list->count++];
}

static int add_unreadable(struct list *list, const char *name, const char *why)
{
	struct kvg_gate_status *gate = list_add(list);

	if (!gate)
		return -ENOMEM;
	gate->set = strdup(name);
	gate->cgroup = strdup("?");
	if (!gate->set || !gate->cgroup)
		return -ENOMEM;
	return add_problem(gate, "the set cannot be read: %s", why);
}

static int read_set(struct list *list, const char *bpffs_dir, const char *name, const char *root,
		    struct kvg_own *own)
{
	KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = NULL;
	KVG_CLEANUP(kvg_freep) __u64 *ids = NULL;
	struct kvg_diag diag = {};
	size_t count = 0;
	int r;

	r = kvg_set_open(bpffs_dir, name, &set, &diag);
	if (r == 0)
		r = kvg_gate_list(set, &ids, &count);
	if (r < 0)
		return add_unreadable(list, name, diag.msg[0] ? diag.msg : strerror(-r));

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct kvg_gate_status *gate = list_add(list);

		if (!gate)
			return -ENOMEM;
		gate->cgroup_id = ids[i];
		r = read_gate(gate, set, root, own);
	}
	return r;
}

int kvg_status_read(const char *bpffs_dir, const char *cgroup_root, struct kvg_gate_status **ret,
		    size_t *ret_count, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_own_done) struct kvg_own own = {};
	struct list list = {};
	char **names = NULL;
	int r;

	r = kvg_own_read(bpffs_dir, &own);
	if (r == 0)
		r = kvg_set_list(bpffs_dir, &names);
	for (char **name = names; r == 0 && *name; name++)
		r = read_set(&list, bpffs_dir, *name, cgroup_root, &own);
	kvg_set_list_free(names);
	if (r < 0) {
		kvg_status_free(list.gates, list.count);
		return kvg_diag_set(reterr_diag, r, "cannot read the gates in %s: %s", bpffs_dir,
				    strerror(-r));
	}
	*ret = list.gates;
	*ret_count = list.count;
	return 0;
}

void kvg_status_done(struct kvg_gate_status *gate)
{
	for (size_t i = 0; i < gate->problems_count; i++)
		free(gate->problems[i]);
	free(gate->problems);
	free(gate->foreign);
	free(gate->ports);
	free(gate->flows);
	free(gate->cgroup);
	free(gate->set);
}

void kvg_status_free(struct kvg_gate_status *gates, size_t count)
{
	for (size_t i = 0; i < count; i++)
		kvg_status_done(&gates[i]);
	free(gates);
}
