// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/places.h"
#include "cmd/recording.h"
#include "gate/gate.h"
#include "gate/netdev.h"
#include "gate/ports.h"
#include "gate/slots.h"
#include "gate/sockets.h"
#include "gate/status.h"
#include "policy/saved_policy.h"

#define FD_PATH_LEN 32 /* "/proc/self/fd/" and a number */

/* struct attach - options, and what they lead to */
struct attach {
	struct kvg_options shared;
	struct kvg_places places;
	struct kvg_recording_to to;
	const char *cgroup_parent;
	const char *interface;
	pid_t pid;
	bool dhcp;
	struct kvg_netdev *netdevs;
	size_t netdevs_count;
	char *root;
	struct kvg_cgroup cgroup;
	int resolv_fd;
	struct kvg_policy *policy;
	struct kvg_set *set;
	struct kvg_gate gate;
	struct kvg_gate_info info;
	__u8 old_digest[KVG_DIGEST_BYTES]; /* zero if the cgroup was not gated */
	size_t closed;                     /* connections that the policy does not let through */
};

static int set_pid(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(argument, &end, 10);
	if (end == argument || *end || errno || value <= 0 || value != (pid_t)value)
		return kvg_diag_set(reterr_diag, -EINVAL, "'%s' is no process id", argument);
	*(pid_t *)field = value;
	return 0;
}

static const struct kvg_option options[] = {
	{.name = "pid",
	 .argument = "PID",
	 .set = set_pid,
	 .offset = offsetof(struct attach, pid),
	 .help = "a process of CGROUP: gates the host side of its network interfaces, too;\n"
		 "                                     --resolver auto reads its resolv.conf"},
	{.name = "interface",
	 .argument = "NAME",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct attach, interface),
	 .help = "gates this interface, too: the host side of a container's veth"},
	{.name = "dhcp",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct attach, dhcp),
	 .help = "requests to DHCP servers pass the interface"},
	{.name = "audit-file",
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct attach, to.file),
	 .help = "append refused flows as JSON lines, from the background until the gate is\n"
		 "                                     gone; - is stdout, from here until SIGTERM"},
	KVG_RECORDING_OPTIONS(offsetof(struct attach, to)),
	{.name = "cgroup-parent",
	 .argument = "PATH",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct attach, cgroup_parent),
	 .help = "CGROUP is below this one"},
	KVG_PLACES_OPTIONS(offsetof(struct attach, places)),
	KVG_PLACES_RUN_DIR_OPTION(offsetof(struct attach, places)),
	{0},
};

static const struct kvg_usage usage = {
	.command = "attach",
	.operands = "CGROUP",
	.help = "Gates a cgroup of the v2 hierarchy, and with --pid or --interface what leaves its "
		"network\n"
		"namespace; the gate stays when kvgate ends. A cgroup that is gated already gets "
		"the new\n"
		"policy in one flip: no packet is judged by a mixture, and if anything fails, the "
		"old policy\n"
		"stays in force.",
	.exit_status = "0 the policy is in force, 1 it is not, 2 usage",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.profile_options = true,
};

static int find_cgroup(struct attach *attach, const char *operand)
{
	KVG_CLEANUP(kvg_freep) char *joined = NULL;
	struct kvg_diag diag = {0};
	const char *path = operand;

	if (attach->cgroup_parent && *operand) {
		if (asprintf(&joined, "%s/%s", attach->cgroup_parent, operand) < 0) {
			joined = NULL;
			kvg_log_error("out of memory");
			return KVG_EXIT_FAILED;
		}
		path = joined;
	}
	if (kvg_cgroup_open(attach->root, path, &attach->cgroup, &diag) < 0 ||
	    kvg_places_refuse_own(&attach->places, attach->cgroup.path, &diag) < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_EXIT_FAILED;
	}
	return 0;
}

static int check_pid(const struct attach *attach)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	const char *gated = attach->cgroup.path;
	size_t len = strlen(gated);
	int r = kvg_cgroup_of(attach->pid, &path);

	if (r < 0) {
		kvg_log_error("process %d: %s", attach->pid,
			      r == -ENOENT ? "it has no cgroup v2" : strerror(-r));
		return KVG_EXIT_FAILED;
	}
	if (strncmp(path, gated, len) == 0 && (path[len] == '\0' || path[len] == '/'))
		return 0;
	kvg_log_error("process %d is in cgroup '%s', not in '%s'", attach->pid, path, gated);
	return KVG_EXIT_FAILED;
}

/* Links in a container's file system lead to places in that file system. */
static int open_below(int root_fd, const char *path)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	KVG_CLEANUP(kvg_closep) int fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return KVG_TAKE_FD(fd);
}

/* What --resolver auto reads: @ret is a path for it. */
static int find_resolv_conf(struct attach *attach, char ret[FD_PATH_LEN])
{
	KVG_CLEANUP(kvg_closep) int root_fd = -1;
	char path[64];

	snprintf(ret, FD_PATH_LEN, "%s", KVG_RESOLV_CONF);
	if (!attach->pid || !attach->shared.profile.auto_resolvers)
		return 0;

	snprintf(path, sizeof(path), "/proc/%d/root", attach->pid);
	root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	attach->resolv_fd = root_fd < 0 ? -errno : open_below(root_fd, KVG_RESOLV_CONF);
	if (attach->resolv_fd < 0) {
		kvg_log_error("%s%s: %s; give --resolver", path, KVG_RESOLV_CONF,
			      strerror(-attach->resolv_fd));
		return KVG_EXIT_FAILED;
	}
	snprintf(ret, FD_PATH_LEN, "/proc/self/fd/%d", attach->resolv_fd);
	return 0;
}

/* What cannot be written to is found before anything is gated. */
static int check_sinks(const struct attach *attach)
{
	KVG_CLEANUP(kvg_recording_sinks_done) struct kvg_recording_sinks sinks = {};

	return kvg_recording_open_sinks(&attach->to, &sinks);
}

/* @ret: room for one more, which is not counted yet */
static int add_room(struct attach *attach, struct kvg_netdev **ret)
{
	struct kvg_netdev *more =
		reallocarray(attach->netdevs, attach->netdevs_count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	attach->netdevs = more;
	*ret = &more[attach->netdevs_count];
	return 0;
}

/* One that is found by its container may be named as well. */
static int add_named(struct attach *attach, struct kvg_diag *reterr_diag)
{
	struct kvg_netdev *named;
	int r = add_room(attach, &named);

	if (r == 0)
		r = kvg_netdev_open(attach->interface, named, reterr_diag);
	for (size_t i = 0; r == 0 && i < attach->netdevs_count; i++) {
		if (attach->netdevs[i].ifindex == named->ifindex)
			return 0;
	}
	attach->netdevs_count += r == 0;
	return r;
}

static int find_netdevs(struct attach *attach)
{
	struct kvg_diag diag = {0};
	int r = 0;

	if (attach->pid)
		r = kvg_netdev_find(attach->pid, &attach->netdevs, &attach->netdevs_count, &diag);
	if (r == 0 && attach->interface)
		r = add_named(attach, &diag);
	if (r == 0)
		return 0;
	kvg_log_error("%s", diag.msg);
	return KVG_EXIT_FAILED;
}

static int prepare(struct attach *attach, const char *operand)
{
	char resolv_conf[FD_PATH_LEN];
	int status;

	if (attach->dhcp && !attach->pid && !attach->interface)
		return kvg_options_usage_error(&usage, "--dhcp goes with --pid or --interface");
	status = kvg_places_cgroup_root(&attach->places, &attach->root);
	if (status == 0)
		status = find_cgroup(attach, operand);
	if (status == 0 && attach->pid)
		status = check_pid(attach);
	if (status == 0)
		status = find_netdevs(attach);
	if (status == 0)
		status = find_resolv_conf(attach, resolv_conf);
	if (status == 0)
		status = kvg_options_policy(&attach->shared, resolv_conf, &attach->policy);
	if (status == 0)
		status = check_sinks(attach);
	return status;
}

/* Only a set of one gate that nobody else records may get a recorder here. */
static int check_recorder(const struct attach *attach, struct kvg_diag *reterr_diag)
{
	char own[KVG_PLACES_SET_LEN];

	if (!kvg_recording_is_wanted(&attach->to))
		return 0;
	if (attach->info.run_pid)
		return kvg_diag_set(
			reterr_diag, -EBUSY,
			"\"%s\" is recorded by kvgate run, process %u: --audit-file has "
			"no place here",
			attach->cgroup.path, attach->info.run_pid);
	if (strcmp(kvg_set_name(attach->set), kvg_places_set_name(attach->cgroup.id, own)) != 0)
		return kvg_diag_set(reterr_diag, -EBUSY,
				    "\"%s\" is recorded together with the other gates of \"%s\": "
				    "--audit-file has no place here",
				    attach->cgroup.path, kvg_set_name(attach->set));
	return 0;
}

static int gate_netdevs(struct attach *attach, struct kvg_diag *reterr_diag)
{
	const struct kvg_ports_plan plan = {
		.netdevs = attach->netdevs,
		.count = attach->netdevs_count,
		.dhcp = attach->dhcp,
		.hook = KVG_PORT_HOOK_TCX,
	};

	return plan.count ? kvg_ports_attach(attach->set, &attach->cgroup, &plan, reterr_diag) : 0;
}

/* New interfaces first, by the old policy: then nothing but the flip can fail, and that undoes itself. */
static int replace_all(struct attach *attach, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) struct kvg_port *before = NULL;
	size_t count = 0;
	int r = kvg_ports_list(attach->set, attach->cgroup.id, &before, &count);

	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "the gate's interfaces cannot be read: %s",
				    strerror(-r));
	r = gate_netdevs(attach, reterr_diag);
	if (r < 0)
		return r;
	r = kvg_gate_replace(attach->set, attach->cgroup.id, attach->policy, reterr_diag);
	if (r < 0 && kvg_ports_restore(attach->set, attach->cgroup.id, before, count) < 0)
		kvg_log_note("an interface that was not gated before is gated by the old policy "
			     "now: kvgate status tells which");
	return r;
}

static int replace(struct attach *attach, struct kvg_diag *reterr_diag)
{
	int r = kvg_gate_read(attach->set, attach->cgroup.id, NULL, &attach->info);

	if (r == 0)
		r = kvg_places_refuse_agents(&attach->places, kvg_set_name(attach->set),
					     attach->cgroup.path, &attach->info, reterr_diag);
	if (r == 0)
		r = check_recorder(attach, reterr_diag);
	if (r < 0)
		return r;
	memcpy(attach->old_digest, attach->info.digest, sizeof(attach->old_digest));
	return replace_all(attach, reterr_diag);
}

static int create(struct attach *attach, struct kvg_diag *reterr_diag)
{
	const char *bpffs_dir = kvg_places_bpffs(&attach->places);
	char name[KVG_PLACES_SET_LEN];
	int r;

	kvg_places_set_name(attach->cgroup.id, name);
	r = kvg_set_remove_unused(bpffs_dir, name, reterr_diag);
	if (r == 0)
		r = kvg_set_create(bpffs_dir, name, &attach->set, reterr_diag);
	if (r < 0)
		return r;
	r = kvg_gate_attach(attach->set, &attach->cgroup, attach->policy, 0, reterr_diag);
	if (r == 0)
		r = gate_netdevs(attach, reterr_diag);
	if (r < 0)
		kvg_set_remove(bpffs_dir, name);
	return r;
}

/* A flip changes the policy of programs that are there; that they still run is another matter. */
static int check_health(const struct attach *attach)
{
	struct kvg_gate_status *gates = NULL;
	struct kvg_diag diag = {0};
	size_t count = 0;
	size_t problems = 0;

	if (kvg_status_read(kvg_places_bpffs(&attach->places), attach->root, &gates, &count,
			    &diag) < 0) {
		kvg_log_error("the policy is in force on '%s', but whether it holds cannot be "
			      "seen: %s",
			      attach->cgroup.path, diag.msg);
		return KVG_EXIT_FAILED;
	}
	for (size_t i = 0; i < count; i++) {
		if (gates[i].cgroup_id != attach->cgroup.id)
			continue;
		problems += gates[i].problems_count;
		for (size_t j = 0; j < gates[i].problems_count; j++)
			kvg_log_error(
				"the gate of '%s' does not hold, detach it and attach again: %s",
				attach->cgroup.path, gates[i].problems[j]);
	}
	kvg_status_free(gates, count);
	return problems ? KVG_EXIT_FAILED : 0;
}

/* The gate holds without it, so a fault is no failure of the command. */
static void close_connections(struct attach *attach)
{
	struct kvg_diag diag = {0};

	if (kvg_sockets_close(attach->set, &attach->cgroup, &attach->closed, &diag) < 0)
		kvg_log_note("%s", diag.msg);
}

static void report(const struct attach *attach)
{
	bool is_stdout_taken = attach->to.file && strcmp(attach->to.file, "-") == 0;
	FILE *out = is_stdout_taken ? stderr : stdout;
	const struct kvg_policy *policy = attach->policy;
	size_t ipv4 = 0;

	while (ipv4 < policy->rules_count && policy->rules[ipv4].prefix.family == AF_INET)
		ipv4++;
	fprintf(out, "gated %s by %s: %zu IPv4 and %zu IPv6 prefixes, %s, generation %u",
		attach->cgroup.path, policy->profile, ipv4, policy->rules_count - ipv4,
		kvg_mode_word(policy->mode), attach->gate.generation);
	for (size_t i = 0; i < attach->netdevs_count; i++)
		fprintf(out, "%s %s", i ? "," : ", on", attach->netdevs[i].name);
	if (attach->closed)
		fprintf(out, ", %zu connection%s closed", attach->closed,
			attach->closed > 1 ? "s" : "");
	fputc('\n', out);
	fflush(stdout);
}

static int put_in_force(struct attach *attach)
{
	const char *bpffs_dir = kvg_places_bpffs(&attach->places);
	KVG_CLEANUP(kvg_closep) int lock = -1;
	struct kvg_diag diag = {0};
	int r;

	r = kvg_set_lock(bpffs_dir, &lock, &diag);
	if (r == 0) {
		r = kvg_gate_find(bpffs_dir, attach->cgroup.id, &attach->set, &diag);
		if (r == 0)
			r = replace(attach, &diag);
		else if (r == -ENOENT)
			r = create(attach, &diag);
	}
	if (r < 0) {
		kvg_places_log(r, &diag);
		return KVG_EXIT_FAILED;
	}
	r = kvg_gate_read(attach->set, attach->cgroup.id, &attach->gate, &attach->info);
	if (r < 0) {
		kvg_log_error("the policy is in force on '%s', but the gate cannot be read: %s",
			      attach->cgroup.path, strerror(-r));
		return KVG_EXIT_FAILED;
	}
	close_connections(attach);
	if (attach->gate.generation > 1 && check_health(attach))
		return KVG_EXIT_FAILED;
	if (attach->gate.generation == 1 &&
	    !kvg_gate_has(attach->set, attach->cgroup.id, KVG_PROGRAM_INGRESS))
		kvg_log_note("the gate holds, but its records do not say which names the client "
			     "looks up: the kernel refuses the program that hears them");
	report(attach);
	kvg_slots_tidy(attach->set);
	return 0;
}

/* For `explain --cgroup`; what is enforced does not hang on it. */
static void keep_policy(const struct attach *attach)
{
	const char *state_dir = attach->shared.state_dir;
	int r = kvg_saved_policy_put(state_dir, attach->policy);

	if (!kvg_gate_is_policy_used(kvg_places_bpffs(&attach->places), attach->old_digest))
		kvg_saved_policy_drop(state_dir, attach->old_digest);

	if (r < 0)
		kvg_log_note("the policy cannot be kept in %s (%s): explain --cgroup will not know "
			     "its tags",
			     state_dir, strerror(-r));
}

static int record(const struct attach *attach)
{
	const struct kvg_recording recording = {
		.places = &attach->places,
		.root = attach->root,
		.set = kvg_set_name(attach->set),
		.gate = attach->cgroup.id,
		.state_dir = attach->shared.state_dir,
		.to = &attach->to,
	};
	int r;

	if (!kvg_recording_is_wanted(&attach->to))
		return 0;
	r = kvg_recording_stop(&attach->places, recording.set);
	if (r < 0) {
		kvg_log_error("the recorder of '%s' does not end: %s; the gate is in force",
			      recording.set, strerror(-r));
		return KVG_EXIT_FAILED;
	}
	if (attach->to.file && strcmp(attach->to.file, "-") == 0)
		return kvg_recording_follow(&recording);
	return kvg_recording_start(&recording);
}

static void attach_done(struct attach *attach)
{
	kvg_set_close(attach->set);
	kvg_policy_free(attach->policy);
	kvg_closep(&attach->resolv_fd);
	free(attach->netdevs);
	kvg_cgroup_done(&attach->cgroup);
	kvg_options_done(&attach->shared);
	free(attach->root);
}

int kvg_cmd_attach(int argc, char **argv)
{
	KVG_CLEANUP(attach_done)
	struct attach attach = {.to = KVG_RECORDING_TO, .cgroup = KVG_CGROUP_NONE, .resolv_fd = -1};
	int status;

	status = kvg_options_parse(&usage, argc, argv, &attach.shared, &attach);
	if (status != KVG_OPTIONS_GO)
		return status;

	status = prepare(&attach, argv[optind]);
	if (status == 0)
		status = put_in_force(&attach);
	if (status)
		return status;

	keep_policy(&attach);
	return record(&attach);
}
