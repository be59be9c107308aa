// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "agent/metrics.h"
#include "base/cleanup.h"

static int open_metrics(void **state)
{
	struct kvg_metrics *metrics = NULL;
	int r = kvg_metrics_open(&metrics);

	*state = metrics;
	return r;
}

static int close_metrics(void **state)
{
	kvg_metrics_close(*state);
	return 0;
}

static char *format(void **state)
{
	char *text = NULL;

	assert_int_equal(kvg_metrics_format(*state, &text), 0);
	return text;
}

/* A whole line of the text. */
static void assert_line(void **state, const char *line)
{
	KVG_CLEANUP(kvg_freep) char *text = format(state);
	size_t size = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++) {
		if ((at == text || at[-1] == '\n') && at[size] == '\n')
			return;
	}
	fail_msg("no line '%s' in:\n%s", line, text);
}

static void assert_absent(void **state, const char *words)
{
	KVG_CLEANUP(kvg_freep) char *text = format(state);

	assert_null(strstr(text, words));
}

static void counters_are_there_from_the_start(void **state)
{
	assert_line(state, "# TYPE kvgate_config_reload_failures_total counter");
	assert_line(state, "kvgate_config_reload_failures_total 0");
	assert_line(state, "kvgate_attach_seconds_count 0");
}

static void a_counter_adds_up(void **state)
{
	kvg_metrics_add(*state, KVG_METRIC_CONFIG_RELOAD_FAILURES, 1);
	kvg_metrics_add(*state, KVG_METRIC_CONFIG_RELOAD_FAILURES, 2);
	assert_line(state, "kvgate_config_reload_failures_total 3");
}

static void a_gauge_has_its_last_value(void **state)
{
	kvg_metrics_set(*state, KVG_METRIC_GATE_UNHEALTHY, 4);
	kvg_metrics_set(*state, KVG_METRIC_GATE_UNHEALTHY, 1);
	assert_line(state, "kvgate_gate_unhealthy 1");
}

static void labels_tell_series_apart(void **state)
{
	kvg_metrics_set_of(*state, KVG_METRIC_GATES, "payments", "enforce", 2);
	kvg_metrics_set_of(*state, KVG_METRIC_GATES, "payments", "audit", 5);
	kvg_metrics_set_of(*state, KVG_METRIC_GATES, "payments", "enforce", 3);
	assert_line(state, "kvgate_gates{profile=\"payments\",mode=\"enforce\"} 3");
	assert_line(state, "kvgate_gates{profile=\"payments\",mode=\"audit\"} 5");
}

static void a_label_is_escaped(void **state)
{
	kvg_metrics_set_of(*state, KVG_METRIC_POLICY_GENERATION, "a\"b\\c\nd", NULL, 1);
	assert_line(state, "kvgate_policy_generation{profile=\"a\\\"b\\\\c\\nd\"} 1");
}

static void series_that_are_forgotten_are_gone(void **state)
{
	kvg_metrics_set_of(*state, KVG_METRIC_POLICY_GENERATION, "payments", NULL, 1);
	kvg_metrics_forget(*state, KVG_METRIC_POLICY_GENERATION);
	assert_absent(state, "profile=\"payments\"");
}

static void a_histogram_is_cumulative_and_holds_its_bounds(void **state)
{
	kvg_metrics_observe(*state, KVG_METRIC_ATTACH_SECONDS, 0.005);
	kvg_metrics_observe(*state, KVG_METRIC_ATTACH_SECONDS, 0.0051);
	kvg_metrics_observe(*state, KVG_METRIC_ATTACH_SECONDS, 100);
	assert_line(state, "kvgate_attach_seconds_bucket{le=\"0.0025\"} 0");
	assert_line(state, "kvgate_attach_seconds_bucket{le=\"0.005\"} 1");
	assert_line(state, "kvgate_attach_seconds_bucket{le=\"0.01\"} 2");
	assert_line(state, "kvgate_attach_seconds_bucket{le=\"10\"} 2");
	assert_line(state, "kvgate_attach_seconds_bucket{le=\"+Inf\"} 3");
	assert_line(state, "kvgate_attach_seconds_count 3");
	assert_line(state, "kvgate_attach_seconds_sum 100.0101");
}

#define METRIC_TEST(test) cmocka_unit_test_setup_teardown(test, open_metrics, close_metrics)

int main(void)
{
	const struct CMUnitTest tests[] = {
		METRIC_TEST(counters_are_there_from_the_start),
		METRIC_TEST(a_counter_adds_up),
		METRIC_TEST(a_gauge_has_its_last_value),
		METRIC_TEST(labels_tell_series_apart),
		METRIC_TEST(a_label_is_escaped),
		METRIC_TEST(series_that_are_forgotten_are_gone),
		METRIC_TEST(a_histogram_is_cumulative_and_holds_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
