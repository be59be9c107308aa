// SPDX-License-Identifier: BSD-2-Clause
/*
 * oci-hook: between a container's creation and its first instruction. The agent is asked; without one
 * the hook does the agent's work for this container by what the agent left on disk, in the agent's own
 * set, where the next agent finds it. Whatever goes wrong for a container that a profile is for, or that
 * may be one of those, stops it: the runtime shows the one line that is printed here. As some runtimes
 * keep what hooks print to themselves (crun does by default), the line goes to the system's log, too.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "agent/gates.h"
#include "agent/targets.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/places.h"
#include "discover/oci_state.h"
#include "discover/request.h"
#include "discover/resolv_conf.h"
#include "discover/told.h"
#include "gate/cgroup.h"
#include "policy/history.h"
#include "policy/resolvers.h"
#include "policy/saved_policy.h"
#include "policy/variant.h"
#include "ranges/json.h"

/* An agent that is busy with 200 containers at once is done with this one by then. */
#define ASK_TIMEOUT_MS 2000

/* Of all: whoever holds a lock for longer does not come back. Runtimes' own limits are no shorter. */
#define TIMEOUT_S 20

/* Of the system's log, which holds up whoever writes to it while nobody reads it and its queue is full. */
#define LOG_TIMEOUT_S 1

/* struct hook - options, and the container */
struct hook {
	struct kvg_places places;
	const char *config_file;
	const char *state_dir;
	struct kvg_identity_roots roots;
	struct kvg_oci_state state;
	struct kvg_config *config;
	struct kvg_targets targets;
	char *root;
	struct kvg_gates *gates;
	struct kvg_diag agent; /* why it was of no help */
};

static const struct kvg_option options[] = {
	{.name = "config",
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct hook, config_file),
	 .help = "profiles and whom they are for (" KVG_CONFIG_FILE ")"},
	{.name = "state-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct hook, state_dir),
	 .help = "the agent's last good policies (" KVG_STATE_DIR ")"},
	{.name = "run-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct hook, places.run_dir),
	 .help = "the agent's control socket (" KVG_RUN_DIR ")"},
	KVG_PLACES_OPTIONS(offsetof(struct hook, places)),
	{.name = "runtime-run",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct hook, roots.run),
	 .help = "what container runtimes call /run"},
	{.name = "runtime-lib",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct hook, roots.var_lib),
	 .help = "what container runtimes call /var/lib"},
	{0},
};

static const struct kvg_usage usage = {
	.command = "oci-hook",
	.help = "Gates a container before its first instruction: the hook of an OCI runtime, at "
		"stage\n"
		"createRuntime or prestart, with the container's state on standard input. Asks the "
		"agent,\n"
		"or without one gates by the profile's last good policy. A container that a "
		"profile "
		"is for\n"
		"and that cannot be gated does not start.",
	.exit_status = "0 gated, or no profile is for it; 1 the container must not start",
	.options = options,
	.usage_status = KVG_EXIT_FAILED,
};

static void hook_done(struct hook *hook)
{
	kvg_gates_close(hook->gates);
	free(hook->root);
	kvg_targets_done(&hook->targets);
	kvg_config_free(hook->config);
	kvg_oci_state_done(&hook->state);
}

static void on_slow_log(int signal)
{
	(void)signal;
	_exit(KVG_EXIT_FAILED);
}

/* The last thing before the hook fails: what the log does not take in time is on standard error. */
static void tell(const char *line)
{
	kvg_log_error("%s", line);
	signal(SIGALRM, on_slow_log);
	alarm(LOG_TIMEOUT_S);
	openlog("kvgate", LOG_PID, LOG_DAEMON);
	syslog(LOG_ERR, "%s", line);
	closelog();
}

static int stop(const struct hook *hook, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int stop(const struct hook *hook, const char *format, ...)
{
	char why[900], line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	snprintf(line, sizeof(line), "container '%s' must not start: %s",
		 hook->state.id ? hook->state.id : "?", why);
	for (char *c = line; *c; c++)
		*c = (unsigned char)*c < ' ' || *c == '\x7f' ? '?' : *c;
	tell(line);
	return KVG_EXIT_FAILED;
}

static void on_alarm(int signal)
{
	static const char message[] = "kvgate: the container must not start: the hook took too "
				      "long; is a kvgate hanging?\n";

	(void)signal;
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(KVG_EXIT_FAILED);
	_exit(KVG_EXIT_FAILED);
}

static int read_state(struct hook *hook)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	struct kvg_diag diag = {};
	size_t size;
	int r = kvg_file_read("-", KVG_OCI_STATE_MAX_BYTES, &text, &size);

	if (r < 0)
		kvg_diag_set(&diag, r, "%s", strerror(-r));
	else
		r = kvg_oci_state_parse(text, size, &hook->state, &diag);
	if (r == 0)
		return 0;
	return stop(hook, "its state on standard input: %s", diag.msg);
}

/* --- the agent ------------------------------------------------------------------------------- */

/* Return: the exit status, or -1: it has to be done here */
static int ask_agent(struct hook *hook)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *request = kvg_oci_state_request(&hook->state);
	KVG_CLEANUP(kvg_json_decrefp) json_t *answer = NULL;
	const char *result, *problem;

	if (!request)
		return stop(hook, "out of memory");
	if (kvg_request_send(kvg_places_run_dir(&hook->places), request, ASK_TIMEOUT_MS, &answer,
			     &hook->agent) < 0)
		return -1;
	result = json_string_value(json_object_get(answer, "result"));
	problem = json_string_value(json_object_get(answer, "problem"));
	if (result && (strcmp(result, "gated") == 0 || strcmp(result, "none") == 0))
		return 0;
	if (result && strcmp(result, "failed") == 0)
		return stop(hook, "%s", problem ? problem : "the agent does not say why");
	kvg_diag_set(&hook->agent, 0, "the agent does not answer this user: %s",
		     problem ? problem : "no reason given");
	return -1;
}

/* --- without it ------------------------------------------------------------------------------ */

static int read_config(struct hook *hook)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	const char *path = hook->config_file;
	struct kvg_diag diag = {};
	size_t size;
	int r = kvg_file_read(path, KVG_CONFIG_MAX_BYTES, &text, &size);

	if (r < 0)
		return stop(hook, "%s, and the configuration '%s' cannot be read: %s",
			    hook->agent.msg, path, strerror(-r));
	r = kvg_config_parse(text, size, &hook->config, &diag);
	if (r < 0)
		return stop(hook, "%s, and %s:%u:%u: %s", hook->agent.msg, path, diag.line,
			    diag.column, diag.msg);
	return 0;
}

static int open_gates(struct hook *hook, struct kvg_diag *diag)
{
	const struct kvg_gates_options where = {
		.bpffs_dir = kvg_places_bpffs(&hook->places),
		.cgroup_root = hook->root,
	};

	return hook->gates ? 0 : kvg_gates_open(&where, &hook->gates, diag);
}

/* What `resolvers: [auto]` is for it; a resolv.conf that cannot be used is none. */
static int read_resolvers(const struct hook *hook, const struct kvg_target *target,
			  struct kvg_resolvers *ret)
{
	KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {};
	const struct kvg_resolv_conf_container container = {.bundle = target->bundle};
	struct kvg_resolvers_node node = {};
	struct kvg_diag diag = {};
	int r = kvg_resolvers_read_node(KVG_RESOLV_CONF, KVG_RESOLVERS_UPSTREAM, &node, &notes);

	*ret = node.own;
	if (r == 0 && target->bundle)
		r = kvg_resolv_conf_read(&container, &node, ret, &notes, &diag);
	if (diag.msg[0])
		kvg_log_note("container '%s': %s", hook->state.id, diag.msg);
	for (size_t i = 0; i < notes.count; i++)
		kvg_log_note("container '%s': %s", hook->state.id, notes.lines[i]);
	return r == -ENOMEM ? r : 0;
}

/* @policy becomes that of the cgroup's variant, and @ret its name. */
static int vary(const struct hook *hook, const struct kvg_target *target,
		struct kvg_policy **policy, char ret[KVG_PROFILE_LEN], struct kvg_diag *diag)
{
	const struct kvg_profile *profile = &target->matches[0].profile->profile;
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *base = NULL;
	char tag[KVG_VARIANT_TAG_LEN] = KVG_VARIANT_NODE;
	struct kvg_resolvers resolvers;
	int r;

	snprintf(ret, KVG_PROFILE_LEN, "%s", profile->name);
	if (!profile->auto_resolvers)
		return 0;
	r = read_resolvers(hook, target, &resolvers);
	if (r < 0)
		return r;
	if (target->bundle)
		kvg_variant_tag(&resolvers, tag);
	kvg_variant_name(profile->name, tag, ret);
	base = KVG_TAKE_PTR(*policy);
	r = kvg_resolvers_keep(kvg_places_run_dir(&hook->places), tag, &resolvers);
	return r < 0 ? r : kvg_variant_make(base, &resolvers, policy, diag);
}

/* The policy first: the programs must not be without one for longer than the agent's would be. */
static int gate(struct hook *hook, const struct kvg_target *target)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	const char *cgroup = target->cgroup, *profile = kvg_target_profile(target);
	char variant[KVG_PROFILE_LEN];
	struct kvg_diag diag = {};
	int r = kvg_history_held(hook->state_dir, profile, &policy, NULL);

	if (r < 0)
		r = kvg_saved_policy_get_last(hook->state_dir, profile, &policy);
	if (r == -ENOENT)
		return stop(hook,
			    "profile '%s' is for it, %s, and no policy of the profile is kept in "
			    "'%s': start 'kvgate agent', which makes one",
			    profile, hook->agent.msg, hook->state_dir);
	if (r < 0)
		return stop(hook,
			    "profile '%s' is for it, %s, and the policy that is kept in '%s' "
			    "cannot be read: %s",
			    profile, hook->agent.msg, hook->state_dir, strerror(-r));
	r = vary(hook, target, &policy, variant, &diag);
	if (r == 0)
		r = open_gates(hook, &diag);
	if (r == 0)
		r = kvg_gates_set_policy(hook->gates, variant, policy, &diag);
	if (r == 0)
		r = kvg_gates_put(hook->gates, cgroup, variant, &diag);
	if (r < 0)
		return stop(hook, "profile '%s' is for it, %s, and '%s' cannot be gated: %s",
			    profile, hook->agent.msg, cgroup,
			    diag.msg[0] ? diag.msg : strerror(-r));
	return 0;
}

/* As the agent does it for the request "gate"; takes over what @identity holds. */
static int place(struct hook *hook, struct kvg_identity *identity)
{
	struct kvg_target *target = NULL;
	int r = kvg_targets_add(&hook->targets, identity->cgroup, &target);

	if (r == 0) {
		target->told = calloc(1, sizeof(*target->told));
		r = target->told ? 0 : -ENOMEM;
	}
	if (r == 0) {
		*target->told = *identity;
		*identity = (struct kvg_identity){};
		r = kvg_targets_decide(&hook->targets, target, hook->config, &hook->roots);
	}
	if (r < 0)
		return stop(hook, "%s", strerror(-r));
	return kvg_target_profile(target) ? gate(hook, target) : 0;
}

static int find_root(struct hook *hook, struct kvg_diag *diag)
{
	if (!hook->places.cgroup_root)
		return kvg_cgroup_find_root(&hook->root, diag);
	hook->root = strdup(hook->places.cgroup_root);
	return hook->root ? 0 : kvg_diag_set(diag, -ENOMEM, "out of memory");
}

/* The next agent must know why there is this gate. */
static int tell_next_agent(struct hook *hook)
{
	const struct kvg_told_places places = {
		.run_dir = kvg_places_run_dir(&hook->places),
		.cgroup_root = hook->root,
	};
	struct kvg_diag diag = {};
	int r = kvg_told_keep(&places, &hook->state, &diag);

	return r < 0 && hook->gates ? stop(hook, "%s, and %s", hook->agent.msg, diag.msg) : 0;
}

static int do_without(struct hook *hook)
{
	struct kvg_identity *identities = NULL;
	struct kvg_diag diag = {};
	size_t count = 0;
	int status = read_config(hook);

	if (status)
		return status;
	if (kvg_oci_state_identify(&hook->state, &hook->roots, &identities, &count, &diag) < 0 ||
	    find_root(hook, &diag) < 0)
		status = stop(hook, "%s", diag.msg);
	for (size_t i = 0; status == 0 && i < count; i++)
		status = place(hook, &identities[i]);
	kvg_oci_state_free_identities(identities, count);
	return status ? status : tell_next_agent(hook);
}

int kvg_cmd_oci_hook(int argc, char **argv)
{
	KVG_CLEANUP(hook_done)
	struct hook hook = {.config_file = KVG_CONFIG_FILE, .state_dir = KVG_STATE_DIR};
	struct kvg_diag diag = {};
	int status;

	status = kvg_options_parse(&usage, argc, argv, NULL, &hook);
	if (status != KVG_OPTIONS_GO)
		return status;
	signal(SIGALRM, on_alarm);
	alarm(TIMEOUT_S);

	status = read_state(&hook);
	if (status)
		return status;
	if (kvg_oci_state_is_kvgate(&hook.state)) {
		kvg_log_note("container '%s' runs kvgate: no gate is put before it", hook.state.id);
		return 0;
	}
	if (kvg_oci_state_find_cgroup(&hook.state, &diag) < 0)
		return stop(&hook, "%s", diag.msg);
	status = ask_agent(&hook);
	return status >= 0 ? status : do_without(&hook);
}
