// SPDX-License-Identifier: BSD-2-Clause
/*
 * run: a fresh cgroup, a gate on it, CMD born inside. The order is what holds it: the gate is in
 * force before there is a process, and it is removed only when there is none any more. If kvgate is
 * killed meanwhile, the gate stays, pinned, until a later run or detach --all finds the cgroup empty.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/explaining.h"
#include "cmd/places.h"
#include "cmd/recording.h"
#include "cmd/run.h"
#include "cmd/run_child.h"
#include "gate/gate.h"

#define KILL_AFTER_S      10
#define KILL_AFTER_MAX_S  86400
#define CLEAN_UP_MS       5000 /* for processes to die that were killed */
#define CGROUP_NAME_TRIES 16   /* process ids come again; a cgroup of one may have been left */

/* struct run - options, and what is made and removed again; sinks belong to the recorder once it is */
struct run {
	struct kvg_options shared;
	struct kvg_places places;
	struct kvg_recording_to to;
	const char *cgroup_parent;
	const char *user_name;
	int kill_after_s;
	bool quiet;
	struct kvg_run_user user;
	struct kvg_policy *policy;
	struct kvg_recording_sinks sinks;
	struct kvg_run_signals signals;
	char *root;
	struct kvg_cgroup cgroup;
	char set_name[KVG_PLACES_SET_LEN];
	struct kvg_set *set;
	struct kvg_recorder *recorder;
	struct kvg_explaining explaining;
	pid_t child;
};

static int set_seconds(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(argument, &end, 10);
	if (end == argument || *end || errno || value < 0 || value > KILL_AFTER_MAX_S)
		return kvg_diag_set(reterr_diag, -EINVAL, "expected 0..%d seconds, not '%s'",
				    KILL_AFTER_MAX_S, argument);
	*(int *)field = value;
	return 0;
}

static const struct kvg_option options[] = {
	{.name = "audit-file",
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct run, to.file),
	 .help = "append refused flows as JSON lines; - is stdout"},
	KVG_RECORDING_OPTIONS(offsetof(struct run, to)),
	{.name = "cgroup-parent",
	 .argument = "PATH",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct run, cgroup_parent),
	 .help = "make the cgroup below this one (default: kvgate's own)"},
	{.name = "user",
	 .argument = "NAME",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct run, user_name),
	 .help = "start CMD as this user, with all of its groups"},
	{.name = "kill-after",
	 .argument = "SECONDS",
	 .set = set_seconds,
	 .offset = offsetof(struct run, kill_after_s),
	 .help = "kill CMD if SIGTERM does not end it (default 10)"},
	{.name = "quiet",
	 .letter = 'q',
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct run, quiet),
	 .help = "no refused flows on stderr"},
	KVG_PLACES_OPTIONS(offsetof(struct run, places)),
	{0},
};

static const struct kvg_usage usage = {
	.command = "run",
	.operands = "-- CMD [ARG...]",
	.help = "Runs CMD in a fresh cgroup behind a gate that is in force before its first\n"
		"instruction. Refused flows are printed on stderr as they happen. When CMD has "
		"ended,\n"
		"what it left running is killed, and gate and cgroup are removed.",
	.exit_status = "CMD's own, 128+N if signal N killed it; 125 kvgate failed, 126 CMD cannot "
		       "be\nexecuted, 127 CMD is not found",
	.options = options,
	.min_operands = 1,
	.max_operands = -1,
	.profile_options = true,
	.stop_at_operand = true,
	.usage_status = KVG_RUN_FAILED,
};

static int find_user(struct run *run)
{
	int r;

	if (!run->user_name)
		return 0;
	r = kvg_run_user_find(run->user_name, &run->user);
	if (r == 0)
		return 0;
	kvg_log_error("no user '%s': %s", run->user_name,
		      r == -ENOENT ? "the user database does not know it" : strerror(-r));
	return KVG_RUN_FAILED;
}

/* All that needs no kernel state, so that most faults are found before there is any. */
static int prepare(struct run *run)
{
	int r;

	if (find_user(run) || kvg_places_cgroup_root(&run->places, &run->root) ||
	    kvg_options_policy(&run->shared, KVG_RESOLV_CONF, &run->policy))
		return KVG_RUN_FAILED;
	if (!run->quiet && kvg_recording_open_words(&run->sinks))
		return KVG_RUN_FAILED;
	if (kvg_recording_open_sinks(&run->to, &run->sinks))
		return KVG_RUN_FAILED;

	r = kvg_run_signals_init(&run->signals);
	if (r < 0) {
		kvg_log_error("cannot take signals: %s", strerror(-r));
		return KVG_RUN_FAILED;
	}
	return 0;
}

static int make_cgroup(struct run *run, struct kvg_diag *reterr_diag)
{
	char name[64];
	int r = -EEXIST;

	for (int i = 1; i <= CGROUP_NAME_TRIES && r == -EEXIST; i++) {
		snprintf(name, sizeof(name), i == 1 ? "%s%d" : "%s%d-%d", KVG_RUN_CGROUP_PREFIX,
			 getpid(), i);
		r = kvg_cgroup_create(run->root, run->cgroup_parent, name, &run->cgroup,
				      reterr_diag);
	}
	return r;
}

static int make_recorder(struct run *run, struct kvg_diag *reterr_diag)
{
	int r = kvg_recorder_open(run->set, 0, &run->recorder);

	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the kernel's record cannot be read: %s",
				    strerror(-r));
	kvg_recording_give_sinks(&run->sinks, run->recorder);
	kvg_explaining_open(run->set, NULL, run->policy, run->recorder, &run->explaining);
	return 0;
}

static int make_gate(struct run *run, struct kvg_diag *reterr_diag)
{
	const char *bpffs_dir = kvg_places_bpffs(&run->places);
	int r;

	r = make_cgroup(run, reterr_diag);
	if (r < 0)
		return r;

	kvg_places_set_name(run->cgroup.id, run->set_name);
	r = kvg_set_create(bpffs_dir, run->set_name, &run->set, reterr_diag);
	if (r < 0)
		return r;

	r = kvg_gate_attach(run->set, &run->cgroup, run->policy, getpid(), reterr_diag);
	if (r < 0)
		return r;
	return make_recorder(run, reterr_diag);
}

/* The lock is held until CMD is in the cgroup: before that it looks like one that was left. */
static int start(struct run *run, char **argv)
{
	struct kvg_run_child child = {
		.argv = argv,
		.user = &run->user,
		.signals = &run->signals,
	};
	KVG_CLEANUP(kvg_closep) int lock = -1;
	struct kvg_diag diag = {0};
	int r;

	r = kvg_set_lock(kvg_places_bpffs(&run->places), &lock, &diag);
	if (r == 0) {
		kvg_run_sweep(kvg_places_bpffs(&run->places), run->root, run->cgroup_parent);
		r = make_gate(run, &diag);
	}
	if (r < 0) {
		kvg_places_log(r, &diag);
		return KVG_RUN_FAILED;
	}
	child.cgroup_fd = run->cgroup.fd;
	return kvg_run_child_start(&child, &run->child);
}

static int wait_for_child(struct run *run)
{
	const struct kvg_run_wait wait = {
		.child = run->child,
		.signals = &run->signals,
		.recorder = run->recorder,
		.cgroup = &run->cgroup,
		.kill_after_ms = run->kill_after_s * 1000,
	};

	return kvg_run_wait(&wait);
}

static void remove_gate(struct run *run)
{
	KVG_CLEANUP(kvg_closep) int lock = -1;
	int r = 0;

	kvg_set_lock(kvg_places_bpffs(&run->places), &lock, NULL);
	if (run->set_name[0])
		r = kvg_set_remove(kvg_places_bpffs(&run->places), run->set_name);
	if (r < 0 && r != -ENOENT)
		kvg_log_error("cannot remove the gate '%s': %s", run->set_name, strerror(-r));

	r = kvg_cgroup_remove(run->root, &run->cgroup);
	if (r < 0)
		kvg_log_error("cannot remove cgroup '%s': %s", run->cgroup.path, strerror(-r));
}

/* Also after half of a start. The record is complete when nobody is left to be refused. */
static void clean_up(struct run *run)
{
	int recorded = 0;
	int r;

	if (run->cgroup.fd < 0)
		return;
	r = kvg_cgroup_kill(&run->cgroup, CLEAN_UP_MS);
	run->recorder = kvg_recorder_close(run->recorder, &recorded);
	if (recorded < 0)
		kvg_log_error("the last counts of refused flows could not be read: %s",
			      strerror(-recorded));
	if (r < 0) {
		kvg_log_error("processes in cgroup '%s' do not end: %s; the gate stays in force",
			      run->cgroup.path, strerror(-r));
		return;
	}
	remove_gate(run);
}

static void run_done(struct run *run)
{
	clean_up(run);
	kvg_explaining_done(&run->explaining);
	kvg_set_close(run->set);
	kvg_cgroup_done(&run->cgroup);
	kvg_run_signals_done(&run->signals);
	kvg_recording_sinks_done(&run->sinks);
	kvg_policy_free(run->policy);
	kvg_run_user_done(&run->user);
	kvg_options_done(&run->shared);
	free(run->root);
}

int kvg_cmd_run(int argc, char **argv)
{
	KVG_CLEANUP(run_done)
	struct run run = {
		.to = KVG_RECORDING_TO,
		.kill_after_s = KILL_AFTER_S,
		.signals = KVG_RUN_SIGNALS_NONE,
		.cgroup = KVG_CGROUP_NONE,
	};
	int status;

	status = kvg_options_parse(&usage, argc, argv, &run.shared, &run);
	if (status != KVG_OPTIONS_GO)
		return status;

	status = prepare(&run);
	if (status == 0)
		status = start(&run, argv + optind);
	if (status == 0)
		status = wait_for_child(&run);
	return status;
}
