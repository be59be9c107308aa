// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the agent shows at metrics.listen. Whoever reaches the address can read it: numbers by profile, and
 * whether all is well; what is wrong, and names of cgroups, are for `kvgate status`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core.h"
#include "base/cleanup.h"
#include "base/log.h"

/* However often it is asked, metrics are gathered ten times a second. */
#define METRICS_KEPT_US 100000

static int answer_words(struct kvg_web_answer *ret, unsigned int status, char *text)
{
	*ret = (struct kvg_web_answer){status, "text/plain; charset=utf-8", text};
	return text ? 0 : -ENOMEM;
}

static int on_metrics(void *data, struct kvg_web_answer *ret)
{
	struct kvg_agent *agent = data;
	unsigned long long now = kvg_agent_now_us();
	int r;

	if (!agent->metrics_text || now - agent->metrics_us >= METRICS_KEPT_US) {
		free(KVG_TAKE_PTR(agent->metrics_text));
		r = kvg_agent_format_metrics(agent, &agent->metrics_text);
		if (r < 0)
			return r;
		agent->metrics_us = now;
	}
	r = answer_words(ret, 200, strdup(agent->metrics_text));
	ret->type = "text/plain; version=0.0.4; charset=utf-8";
	return r;
}

/* The loop turns: all that restarting the agent could change. */
static int on_healthz(void *data, struct kvg_web_answer *ret)
{
	(void)data;
	return answer_words(ret, 200, strdup("ok\n"));
}

static int on_readyz(void *data, struct kvg_web_answer *ret)
{
	const struct kvg_agent *agent = data;
	json_t *problems = kvg_agent_problems(agent);
	size_t count = json_array_size(problems);
	char *text = NULL;

	json_decref(problems);
	if (!agent->ready)
		return answer_words(ret, 503, strdup("starting\n"));
	if (!count)
		return answer_words(ret, 200, strdup("ok\n"));
	if (asprintf(&text, "%zu problems: see kvgate status\n", count) < 0)
		text = NULL;
	return answer_words(ret, 503, text);
}

static const struct kvg_web_row rows[] = {
	{"/metrics", on_metrics},
	{"/healthz", on_healthz},
	{"/readyz", on_readyz},
	{},
};

void kvg_agent_close_web(struct kvg_agent *agent)
{
	agent->web = kvg_web_close(agent->web);
	free(KVG_TAKE_PTR(agent->web_listen));
	free(KVG_TAKE_PTR(agent->metrics_text));
}

static bool is_listening(const struct kvg_agent *agent)
{
	return agent->web && strcmp(agent->web_listen, agent->config->metrics_listen) == 0;
}

/* An address that the configuration does not name any more is left before another one is tried. */
void kvg_agent_open_web(struct kvg_agent *agent)
{
	const struct kvg_web_options options = {
		.listen = agent->config->metrics_listen,
		.event = agent->event,
		.rows = rows,
		.data = agent,
	};
	struct kvg_diag diag = {};

	if (options.listen && is_listening(agent))
		return;
	kvg_agent_close_web(agent);
	if (!options.listen) {
		kvg_agent_mended(agent, KVG_FAULT_WEB);
		return;
	}
	agent->web_listen = strdup(options.listen);
	if (!agent->web_listen || kvg_web_open(&options, &agent->web, &diag) < 0) {
		kvg_agent_fault(agent, KVG_FAULT_WEB, "no metrics: %s",
				diag.msg[0] ? diag.msg : strerror(ENOMEM));
		return;
	}
	kvg_agent_mended(agent, KVG_FAULT_WEB);
	kvg_log_note("metrics at %s", options.listen);
}
