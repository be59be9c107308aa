/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the agent share: agent.c starts and ends it, reload.c reads the configuration,
 * policies.c puts policies in force, variants.c knows whose resolvers are whose, place.c gates cgroups,
 * record.c writes what was refused, rounds.c does what comes round, answers.c speaks to the control
 * socket, gather.c fills the metrics, serve.c shows them.
 *
 * They log, each fault once. Nothing here decides a verdict, and no failure here opens a gate.
 */
#ifndef KVG_AGENT_CORE_H
#define KVG_AGENT_CORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "agent/agent.h"
#include "agent/check.h"
#include "agent/control.h"
#include "agent/files.h"
#include "agent/gates.h"
#include "agent/lookup.h"
#include "agent/metrics.h"
#include "agent/refresh.h"
#include "agent/targets.h"
#include "agent/watchers.h"
#include "agent/web.h"
#include "audit/recorder.h"
#include "audit/top.h"
#include "base/diag.h"
#include "discover/watch.h"
#include "discover/whose.h"
#include "policy/config.h"
#include "policy/resolvers.h"
#include "ranges/library.h"

/* X(enumerator, does it make the agent unhealthy?): what may be wrong with one part of the agent */
#define KVG_FAULTS(X)    \
	X(CONFIG, true)  \
	X(CONTROL, true) \
	X(WEB, true)     \
	X(RECORD, true)  \
	X(WATCH, true)   \
	X(CHECK, true)   \
	X(BEHIND, true)  \
	X(MEMORY, true)  \
	X(SAVING, true)  \
	X(LOOKUP, false) \
	X(REFRESH, false)

enum kvg_fault {
#define X(name, unhealthy) KVG_FAULT_##name,
	KVG_FAULTS(X)
#undef X
		KVG_FAULT_COUNT
};

/**
 * struct kvg_agent_policy - what is in force for a profile
 * @profile:    its name; owned
 * @seen:       the configuration has it still
 * @missing:    there is no policy: everything is refused
 * @from_saved: it is not that of the documents, but the last good one
 * @held:       a person holds it at this one
 * @digest:     of the policy; zeroes if there is none
 * @prefixes:   of IPv4, of IPv6
 * @problem:    why it is not that of the documents, or not in force; empty if all is well
 */
struct kvg_agent_policy {
	char *profile;
	bool seen;
	bool missing;
	bool from_saved;
	bool held;
	unsigned char digest[KVG_DIGEST_BYTES];
	size_t prefixes[2];
	struct kvg_diag problem;
};

/**
 * struct kvg_agent_sink - one place that records go to
 * @agent:   whose
 * @kind:    which
 * @open:    the recorder has it; else it is tried again
 * @problem: why lines are not written at the moment; empty if they are
 */
struct kvg_agent_sink {
	struct kvg_agent *agent;
	enum kvg_sink_kind kind;
	bool open;
	struct kvg_diag problem;
};

/**
 * struct kvg_agent_variant - see policy/variant.h
 * @name:      profile and tag
 * @resolvers: what the tag stands for
 */
struct kvg_agent_variant {
	char name[KVG_PROFILE_LEN];
	struct kvg_resolvers resolvers;
};

/**
 * struct kvg_agent - all of it
 * @options:        as given
 * @lock:           of the run folder
 * @event:          the loop
 * @text:           the configuration in force, as it was read; owned
 * @text_size:      its bytes
 * @refused:        digest of the configuration that was refused last
 * @config:         the same, parsed; matches of targets point into it
 * @totals:         what was refused and let through since the agent started
 * @policies:       by profile
 * @policies_count: how many
 * @node:           the node's own resolvers, as of the last plan
 * @variants:       of profiles with automatic resolvers; each in force
 * @variants_count: how many
 * @last_day:       of each document in use, as of struct kvg_document; 0 if there is none
 * @faults:         by enum kvg_fault; empty: none
 * @web_listen:    where @web listens, or shall; owned
 * @metrics_text:   what was gathered last, at @metrics_us; owned
 * @repaired:       what self-checks have mended, as far as it was counted
 * @save_failed:    a policy of this plan could not be kept on disk
 * @record_unread:  errno of the last read of the kernel's record; 0 if it could be read
 * @sinks:          of the record; see record.c
 * @sinks_count:    how many
 * @sinks_dropped:  lines that sinks of each kind dropped, since the start
 * @scanning:       cgroups that are told of now were there before
 * @ready:          the start is over
 */
struct kvg_agent {
	const struct kvg_agent_options *options;
	int lock;
	sd_event *event;
	struct kvg_metrics *metrics;
	struct kvg_totals *totals;
	struct kvg_files *files;
	char *text;
	size_t text_size;
	unsigned char refused[KVG_DIGEST_BYTES];
	struct kvg_config *config;
	struct kvg_gates *gates;
	struct kvg_check *check;
	struct kvg_watch *watch;
	struct kvg_control *control;
	struct kvg_web *web;
	char *web_listen;
	char *metrics_text;
	unsigned long long metrics_us;
	struct kvg_lookup *lookup;
	char *lookup_servers;
	unsigned long lookup_grace_s;
	struct kvg_refresh *refresh;
	struct kvg_recorder *recorder;
	struct kvg_context *context;
	struct kvg_whose *whose;
	struct kvg_watchers *watchers;
	struct kvg_top *top;
	struct kvg_agent_sink sinks[KVG_RECORDER_SINKS_MAX];
	int record_unread;
	size_t sinks_count;
	__u64 sinks_dropped[KVG_SINK_KIND_COUNT];
	sd_event_source *record_io;
	sd_event_source *record_timer;
	sd_event_source *replan_timer;
	sd_event_source *expiry_timer;
	sd_event_source *retry_timer;
	sd_event_source *tidy_timer;
	sd_event_source *round_timer;
	sd_event_source *status_timer;
	struct kvg_targets targets;
	struct kvg_agent_policy *policies;
	size_t policies_count;
	struct kvg_resolvers_node node;
	struct kvg_agent_variant *variants;
	size_t variants_count;
	unsigned int last_day[KVG_DOCUMENT_KIND_COUNT][KVG_CLOUD_COUNT];
	struct kvg_diag faults[KVG_FAULT_COUNT];
	size_t repaired;
	bool save_failed;
	bool scanning;
	bool ready;
};

/* --- faults and timers: core.c --- */

/** kvg_agent_fault() - something is wrong: logged when it is news, shown until kvg_agent_mended() */
void kvg_agent_fault(struct kvg_agent *agent, enum kvg_fault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** kvg_agent_mended() - it is not any more */
void kvg_agent_mended(struct kvg_agent *agent, enum kvg_fault fault);

/** kvg_agent_is_problem() - does this fault make the agent unhealthy? */
bool kvg_agent_is_problem(enum kvg_fault fault);

/** kvg_agent_arm() - let a timer fire once, @ms from now; @source is made if it is NULL */
void kvg_agent_arm(struct kvg_agent *agent, sd_event_source **source, unsigned long ms,
		   sd_event_time_handler_t handler);

/** kvg_agent_now_us() - of CLOCK_MONOTONIC */
unsigned long long kvg_agent_now_us(void);

/* --- configuration: reload.c --- */

/**
 * kvg_agent_read_config() - read the configuration, and take it if it is good
 * @agent:       keeps what it has if it is not
 * @reterr_diag: one line that names file, line and column
 *
 * Return: 0, or a negative errno
 */
int kvg_agent_read_config(struct kvg_agent *agent, struct kvg_diag *reterr_diag);

/** kvg_agent_reload() - read it again and put it in force; 0, or a negative errno as above */
int kvg_agent_reload(struct kvg_agent *agent, struct kvg_diag *reterr_diag);

/** kvg_agent_config_changed() - reload if its bytes are others; callback of kvg_files_open() */
void kvg_agent_config_changed(void *data);

/** kvg_agent_open_lookup() - names without ranges; on reload, too. What was known is known at once */
void kvg_agent_open_lookup(struct kvg_agent *agent);

/** kvg_agent_open_refresh() - keep the documents fresh; on reload, too */
void kvg_agent_open_refresh(struct kvg_agent *agent);

/* --- policies: policies.c --- */

/** kvg_agent_apply_policies() - plan, and put every policy in force; @tell: notes, too */
void kvg_agent_apply_policies(struct kvg_agent *agent, bool tell);

/** kvg_agent_replan_later() - documents or names have changed */
void kvg_agent_replan_later(struct kvg_agent *agent);

/** kvg_agent_free_policies() - forget what is in force; it stays so */
void kvg_agent_free_policies(struct kvg_agent *agent);

/** kvg_agent_find_policy() - what is known of a profile's, or NULL */
struct kvg_agent_policy *kvg_agent_find_policy(const struct kvg_agent *agent, const char *profile);

/* --- resolvers: variants.c --- */

/** kvg_agent_find_profile() - the configuration's, by its name or that of a variant; NULL if it has none */
const struct kvg_config_profile *kvg_agent_find_profile(const struct kvg_agent *agent,
							const char *name);

/**
 * kvg_agent_plan_variants() - read the node's resolvers; know the variants that gates have
 * @agent: whose
 * @tell:  log what was left out
 *
 * Before a plan: kvg_agent_put_policy() is about these variants.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_agent_plan_variants(struct kvg_agent *agent, bool tell);

/** kvg_agent_put_policy() - as kvg_gates_set_policy(), of a profile or of each of its variants */
int kvg_agent_put_policy(struct kvg_agent *agent, const char *profile,
			 const struct kvg_policy *policy, struct kvg_diag *reterr_diag);

/**
 * kvg_agent_choose_variant() - by which name of its profile a cgroup is to be gated
 * @agent:       knows the variant afterwards, and has put its policy in force
 * @target:      decided, with a profile
 * @ret:         for kvg_gates_put()
 * @ret_problem: why it has fewer resolvers than its resolv.conf says; untouched if it has not
 * @reterr_diag: what went wrong
 *
 * Return: 0, or a negative errno
 */
int kvg_agent_choose_variant(struct kvg_agent *agent, struct kvg_target *target,
			     char ret[KVG_PROFILE_LEN], struct kvg_diag *ret_problem,
			     struct kvg_diag *reterr_diag);

/** kvg_agent_drop_variants() - forget those that no gate has; Return: were there any? */
bool kvg_agent_drop_variants(struct kvg_agent *agent);

/** kvg_agent_free_variants() - free the memory */
void kvg_agent_free_variants(struct kvg_agent *agent);

/* --- cgroups: place.c --- */

/** kvg_agent_watch_ops - what the watch tells; its data is to be the agent */
extern const struct kvg_watch_ops kvg_agent_watch_ops;

/**
 * kvg_agent_place() - decide about a cgroup, and gate it if it shall be
 * @agent:  whose
 * @target: one of its targets
 *
 * Return: 0, also if it needs no gate of its own; or a negative errno, and @target->problem says why
 */
int kvg_agent_place(struct kvg_agent *agent, struct kvg_target *target);

/** kvg_agent_place_all() - every cgroup anew; then remove the gates that nothing asks for any more */
void kvg_agent_place_all(struct kvg_agent *agent);

/** kvg_agent_retry() - those cgroups that could not be gated */
void kvg_agent_retry(struct kvg_agent *agent);

/* --- the record: record.c --- */

/** kvg_agent_open_record() - write refused flows where the configuration says; on reload, too */
void kvg_agent_open_record(struct kvg_agent *agent);

/** kvg_agent_retry_record() - open what could not be opened: the record itself, or a sink */
void kvg_agent_retry_record(struct kvg_agent *agent);

/** kvg_agent_close_record() - write what is left */
void kvg_agent_close_record(struct kvg_agent *agent);

/** kvg_agent_gather_record() - what was refused and let through, into the metrics */
void kvg_agent_gather_record(struct kvg_agent *agent);

/** kvg_agent_rotate_record() - a file of records begins anew with the next line */
void kvg_agent_rotate_record(struct kvg_agent *agent);

/** kvg_agent_gather_sinks() - what the sinks dropped, for the metrics */
void kvg_agent_gather_sinks(struct kvg_agent *agent);

/* --- what explains it: explain.c --- */

/** kvg_agent_explain_record() - have the recorder say what the agent knows, too */
void kvg_agent_explain_record(struct kvg_agent *agent);

/** kvg_agent_close_context() - forget it, after the record was closed */
void kvg_agent_close_context(struct kvg_agent *agent);

/* --- rounds: rounds.c --- */

/** kvg_agent_start_rounds() - self-check every ten seconds */
int kvg_agent_start_rounds(struct kvg_agent *agent);

/** kvg_agent_tidy_later() - something may be left to tidy */
void kvg_agent_tidy_later(struct kvg_agent *agent);

/** kvg_agent_tell_status() - to the service manager and the metrics, after a change */
void kvg_agent_tell_status(struct kvg_agent *agent);

/** kvg_agent_tell_status_later() - the same, once for a burst of changes */
void kvg_agent_tell_status_later(struct kvg_agent *agent);

/* --- metrics: gather.c --- */

/** kvg_agent_format_metrics() - all of them as they are now; @ret is freed with free(3); 0, or -ENOMEM */
int kvg_agent_format_metrics(struct kvg_agent *agent, char **ret);

/* --- what is shown: serve.c --- */

/** kvg_agent_open_web() - listen where the configuration says, if not yet; on reload and rounds, too */
void kvg_agent_open_web(struct kvg_agent *agent);

/** kvg_agent_close_web() - stop listening */
void kvg_agent_close_web(struct kvg_agent *agent);

/* --- questions: answers.c --- */

/** kvg_agent_recall() - what hooks told, also to an agent before or to none, and is still true */
void kvg_agent_recall(struct kvg_agent *agent);

/** kvg_agent_forget() - what hooks told of a cgroup that is gone */
void kvg_agent_forget(struct kvg_agent *agent, const char *cgroup);

/** kvg_agent_rows - what the control socket answers */
extern const struct kvg_control_row kvg_agent_rows[];

/** kvg_agent_problems() - all that makes the agent unhealthy: an array of sentences; NULL on ENOMEM */
json_t *kvg_agent_problems(const struct kvg_agent *agent);

#endif
