// SPDX-License-Identifier: BSD-2-Clause
/*
 * detach: gates are found by where their cgroup is now, or, if it is gone, by where it was when it
 * was gated. The cgroup itself is not opened: also one that holds kvgate may be set free.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/places.h"
#include "cmd/recording.h"
#include "cmd/run.h"
#include "gate/gate.h"
#include "policy/saved_policy.h"

/* struct detach - options, and what was done */
struct detach {
	struct kvg_places places;
	bool all;
	char *root;
	char *path; /* of the cgroup to detach; NULL for all */
	const char *state_dir;
	size_t detached;
	size_t failed;
	int unread; /* why a set could not be read, first one */
	struct kvg_diag why_unread;
};

static const struct kvg_option options[] = {
	{.name = "all",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct detach, all),
	 .help = "every gate, also of cgroups that are gone, and what half-made ones left"},
	{.name = "state-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct detach, state_dir),
	 .help = "where attach kept the policies (default " KVG_STATE_DIR ")"},
	KVG_PLACES_OPTIONS(offsetof(struct detach, places)),
	KVG_PLACES_RUN_DIR_OPTION(offsetof(struct detach, places)),
	{0},
};

static const struct kvg_usage usage = {
	.command = "detach",
	.operands = "CGROUP | --all",
	.help = "Removes a gate: programs, maps and pins. What ran behind it can reach everything\n"
		"from then on. Its recorder, if any, writes its last records and ends.",
	.exit_status = "0 removed (with --all also if there was none), 1 not gated or not removed, "
		       "2 usage",
	.options = options,
	.max_operands = 1,
};

static void detach_done(struct detach *detach)
{
	free(detach->root);
	free(detach->path);
}

/* Where the gate's cgroup is, or was. */
static int find_path(const struct detach *detach, __u64 cgroup_id, const struct kvg_gate_info *info,
		     char **ret)
{
	if (kvg_cgroup_find_by_id(detach->root, cgroup_id, ret) == 0)
		return 0;
	*ret = strndup(info->cgroup, sizeof(info->cgroup));
	return *ret ? 0 : -ENOMEM;
}

static void detach_gate(struct detach *detach, struct kvg_set *set, __u64 cgroup_id)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct kvg_diag diag = {0};
	struct kvg_gate_info info;
	int r;

	if (kvg_gate_read(set, cgroup_id, NULL, &info) < 0 ||
	    find_path(detach, cgroup_id, &info, &path) < 0 ||
	    (detach->path && strcmp(path, detach->path) != 0))
		return;

	r = kvg_places_refuse_agents(&detach->places, kvg_set_name(set), path, &info, &diag);
	if (r == 0)
		r = kvg_gate_detach(set, cgroup_id, &diag);
	if (r < 0) {
		kvg_log_error("cannot detach '%s': %s", path, diag.msg);
		detach->failed++;
		return;
	}
	if (!kvg_gate_is_policy_used(kvg_places_bpffs(&detach->places), info.digest))
		kvg_saved_policy_drop(detach->state_dir, info.digest);
	printf("detached %s\n", path);
	detach->detached++;
}

static void remove_set(struct detach *detach, const char *name)
{
	int r = kvg_set_remove(kvg_places_bpffs(&detach->places), name);
	struct kvg_diag diag;

	if (r < 0 && r != -ENOENT) {
		kvg_diag_set(&diag, r, "cannot remove '%s/%s': %s",
			     kvg_places_bpffs(&detach->places), name, strerror(-r));
		kvg_places_log(r, &diag);
		detach->failed++;
	}
}

/* Its last gate is gone: so is the set, and whoever recorded it. */
static void detach_set(struct detach *detach, const char *name)
{
	KVG_CLEANUP(kvg_set_closep) struct kvg_set *set = NULL;
	KVG_CLEANUP(kvg_freep) __u64 *ids = NULL;
	KVG_CLEANUP(kvg_freep) __u64 *left = NULL;
	size_t before = detach->detached;
	struct kvg_diag diag = {0};
	size_t count = 0;
	size_t left_count = 0;
	long agent = 0;
	int r;

	r = kvg_set_open(kvg_places_bpffs(&detach->places), name, &set, &diag);
	if (r < 0 && r != -ENOENT && !detach->unread) {
		detach->unread = r;
		detach->why_unread = diag;
	}
	if (r == 0 && kvg_gate_list(set, &ids, &count) == 0) {
		for (size_t i = 0; i < count; i++)
			detach_gate(detach, set, ids[i]);
		if (kvg_gate_list(set, &left, &left_count) < 0)
			left_count = count;
	}
	if (!detach->all && (detach->detached == before || left_count))
		return;
	if (kvg_places_has_agent(&detach->places, name, &agent)) {
		if (r < 0) {
			kvg_log_error("%s/%s is of an agent that runs (process %ld): stop it first",
				      kvg_places_bpffs(&detach->places), name, agent);
			detach->failed++;
		}
		return;
	}

	remove_set(detach, name);
	if (kvg_recording_stop(&detach->places, name) < 0)
		kvg_log_error("the recorder of '%s' does not end", name);
}

static int detach_sets(struct detach *detach)
{
	const char *bpffs_dir = kvg_places_bpffs(&detach->places);
	KVG_CLEANUP(kvg_closep) int lock = -1;
	struct kvg_diag diag = {0};
	char **names = NULL;
	int r;

	r = kvg_set_lock(bpffs_dir, &lock, &diag);
	if (r < 0) {
		kvg_places_log(r, &diag);
		return KVG_EXIT_FAILED;
	}
	if (detach->all)
		kvg_run_sweep(bpffs_dir, detach->root, NULL); /* takes the empty cgroups, too */
	r = kvg_set_list(bpffs_dir, &names);
	if (r < 0 && r != -ENOENT) {
		kvg_log_error("%s: %s", bpffs_dir, strerror(-r));
		return KVG_EXIT_FAILED;
	}
	for (char **name = names; name && *name; name++)
		detach_set(detach, *name);
	kvg_set_list_free(names);
	rmdir(bpffs_dir); /* taking the lock may have made it; not empty: gates are left */
	return 0;
}

static int check_operands(struct detach *detach, int count, const char *operand)
{
	if (detach->all && count)
		return kvg_options_usage_error(&usage, "--all goes without '%s'", operand);
	if (!detach->all && !count)
		return kvg_options_usage_error(&usage, "expected CGROUP or --all");
	if (kvg_places_cgroup_root(&detach->places, &detach->root))
		return KVG_EXIT_FAILED;
	if (!detach->all && kvg_places_cgroup_path(detach->root, operand, &detach->path) < 0) {
		kvg_log_error("out of memory");
		return KVG_EXIT_FAILED;
	}
	return 0;
}

int kvg_cmd_detach(int argc, char **argv)
{
	KVG_CLEANUP(detach_done) struct detach detach = {.state_dir = KVG_STATE_DIR};
	int status;

	status = kvg_options_parse(&usage, argc, argv, NULL, &detach);
	if (status != KVG_OPTIONS_GO)
		return status;
	status = check_operands(&detach, argc - optind, argv[optind]);
	if (status)
		return status;

	status = detach_sets(&detach);
	if (status)
		return status;
	if (!detach.all && !detach.detached && !detach.failed) {
		if (detach.unread) {
			kvg_places_log(detach.unread, &detach.why_unread);
			return KVG_EXIT_FAILED;
		}
		kvg_log_error("'%s' is not gated", *detach.path ? detach.path : "/");
		return KVG_EXIT_FAILED;
	}
	if (detach.all && !detach.detached && !detach.failed)
		printf("no gates\n");
	return detach.failed ? KVG_EXIT_FAILED : 0;
}
