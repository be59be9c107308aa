/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent counts for its operators, in one table, as Prometheus text. Names are promises: see
 * kvgate(8).
 */
#ifndef KVG_AGENT_METRICS_H
#define KVG_AGENT_METRICS_H

#include <stddef.h>

/* X(enumerator, kind, name, first label, second label, help) */
#define KVG_METRICS(X)                                                                           \
	X(BUILD_INFO, GAUGE, "kvgate_build_info", "version", NULL, "1, labelled by the version") \
	X(GATES, GAUGE, "kvgate_gates", "profile", "mode", "gates in force")                     \
	X(GATE_UNHEALTHY, GAUGE, "kvgate_gate_unhealthy", NULL, NULL,                            \
	  "what the last self-check found wrong and could not mend yet")                         \
	X(AGENT_PROBLEMS, GAUGE, "kvgate_agent_problems", NULL, NULL,                            \
	  "what keeps the agent from doing as its configuration says")                           \
	X(POLICY_GENERATION, GAUGE, "kvgate_policy_generation", "profile", NULL,                 \
	  "how often the policy of a gate was changed")                                          \
	X(POLICY_PREFIXES, GAUGE, "kvgate_policy_prefixes", "profile", "family",                 \
	  "prefixes of the policy in force")                                                     \
	X(POLICY_FALLBACK, GAUGE, "kvgate_policy_fallback", "profile", NULL,                     \
	  "1 if the last good policy is in force, 2 if everything is refused")                   \
	X(RANGES_AGE, GAUGE, "kvgate_ranges_age_seconds", "cloud", "kind",                       \
	  "since the day that the document's name says")                                         \
	X(RANGES_REFRESH_FAILURES, COUNTER, "kvgate_ranges_refresh_failures_total", NULL, NULL,  \
	  "downloads of range documents that failed or were refused")                            \
	X(CONFIG_RELOADS, COUNTER, "kvgate_config_reloads_total", NULL, NULL,                    \
	  "configurations that were put in force after the first")                               \
	X(CONFIG_RELOAD_FAILURES, COUNTER, "kvgate_config_reload_failures_total", NULL, NULL,    \
	  "configurations that were refused; the one before stayed in force")                    \
	X(POLICY_CHANGES, COUNTER, "kvgate_policy_changes_total", NULL, NULL,                    \
	  "policies that were put in force")                                                     \
	X(POLICY_SAVE_FAILURES, COUNTER, "kvgate_policy_save_failures_total", NULL, NULL,        \
	  "policies that could not be kept on disk")                                             \
	X(PACKETS_REFUSED, COUNTER, "kvgate_packets_refused_total", "profile", "reason",         \
	  "packets and socket calls that were refused, or would be in audit mode")               \
	X(FLOWS_REFUSED, COUNTER, "kvgate_flows_refused_total", "profile", "reason",             \
	  "flows of these, as far as they are told apart")                                       \
	X(PACKETS_ALLOWED, COUNTER, "kvgate_packets_allowed_total", "profile", NULL,             \
	  "packets that were let through")                                                       \
	X(EVENTS_LOST, COUNTER, "kvgate_events_lost_total", NULL, NULL,                          \
	  "events that had no room in the record; all but those of a line that says so are "     \
	  "counted")                                                                             \
	X(ATTACH_FAILURES, COUNTER, "kvgate_attach_failures_total", NULL, NULL,                  \
	  "cgroups that could not be gated when it was tried")                                   \
	X(GATES_REPAIRED, COUNTER, "kvgate_gates_repaired_total", NULL, NULL,                    \
	  "what the self-check mended")                                                          \
	X(SINK_DROPPED, COUNTER, "kvgate_sink_dropped_total", "sink", NULL,                      \
	  "lines of the record that a slow or broken sink had no room for")                      \
	X(CONTROL_REFUSED, COUNTER, "kvgate_control_refused_total", NULL, NULL,                  \
	  "connections to the control socket that were refused")                                 \
	X(ATTACH_SECONDS, HISTOGRAM, "kvgate_attach_seconds", NULL, NULL,                        \
	  "from the news of a cgroup until its gate is in force")

enum kvg_metric {
#define X(name, kind, text, label1, label2, help) KVG_METRIC_##name,
	KVG_METRICS(X)
#undef X
		KVG_METRIC_COUNT
};

struct kvg_metrics;

/** kvg_metrics_open() - all at zero, for kvg_metrics_close(); Return: 0, or -ENOMEM */
int kvg_metrics_open(struct kvg_metrics **ret);

/** kvg_metrics_close() - free it; NULL is fine; Return: NULL */
struct kvg_metrics *kvg_metrics_close(struct kvg_metrics *metrics);

/** kvg_metrics_add() - a counter without labels grows by @count */
void kvg_metrics_add(struct kvg_metrics *metrics, enum kvg_metric metric, double count);

/** kvg_metrics_set() - a gauge, or a counter that somebody else adds up, without labels */
void kvg_metrics_set(struct kvg_metrics *metrics, enum kvg_metric metric, double value);

/**
 * kvg_metrics_set_of() - one series of a metric with labels
 * @metrics: all
 * @metric:  which
 * @label1:  value of its first label
 * @label2:  value of its second label; NULL if it has none
 * @value:   the gauge
 *
 * Without memory the series is missing: metrics decide nothing.
 */
void kvg_metrics_set_of(struct kvg_metrics *metrics, enum kvg_metric metric, const char *label1,
			const char *label2, double value);

/** kvg_metrics_append_of() - as kvg_metrics_set_of(), of a series that is not there yet: without looking */
void kvg_metrics_append_of(struct kvg_metrics *metrics, enum kvg_metric metric, const char *label1,
			   const char *label2, double value);

/** kvg_metrics_forget() - drop every series of a metric with labels */
void kvg_metrics_forget(struct kvg_metrics *metrics, enum kvg_metric metric);

/** kvg_metrics_observe() - one more value of a histogram, in seconds */
void kvg_metrics_observe(struct kvg_metrics *metrics, enum kvg_metric metric, double seconds);

/** kvg_metrics_format() - Prometheus text, freed by the caller with free(3); 0, or -ENOMEM */
int kvg_metrics_format(const struct kvg_metrics *metrics, char **ret);

#endif
