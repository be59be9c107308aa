// SPDX-License-Identifier: BSD-2-Clause
/* The configuration: read, refused as a whole or taken as a whole. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core.h"
#include "agent/notify.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"

static int describe(struct kvg_diag *ret, int error, const char *file, const struct kvg_diag *diag)
{
	if (diag->line && diag->column)
		return kvg_diag_set(ret, error, "%s:%u:%u: %s", file, diag->line, diag->column,
				    diag->msg);
	if (diag->line)
		return kvg_diag_set(ret, error, "%s:%u: %s", file, diag->line, diag->msg);
	return kvg_diag_set(ret, error, "%s: %s", file, diag->msg);
}

int kvg_agent_read_config(struct kvg_agent *agent, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_config_freep) struct kvg_config *config = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	const char *path = agent->options->config;
	struct kvg_diag fault = {};
	size_t size;
	int r;

	r = kvg_file_read(path, KVG_CONFIG_MAX_BYTES, &text, &size);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot read the configuration '%s': %s", path,
				    strerror(-r));
	r = kvg_config_parse(text, size, &config, &fault);
	if (r < 0) {
		kvg_digest(text, size, agent->refused);
		return describe(reterr_diag, r, path, &fault);
	}

	/* Matches point into the configuration that goes now; the caller decides anew at once. */
	for (size_t i = 0; i < agent->targets.count; i++)
		agent->targets.list[i]->count = 0;
	kvg_config_free(agent->config);
	free(agent->text);
	agent->config = KVG_TAKE_PTR(config);
	agent->text = KVG_TAKE_PTR(text);
	agent->text_size = size;
	return 0;
}

int kvg_agent_reload(struct kvg_agent *agent, struct kvg_diag *reterr_diag)
{
	int r;

	kvg_notify_reloading();
	r = kvg_agent_read_config(agent, reterr_diag);
	if (r < 0) {
		/* Each attempt is told, also the same fault again: somebody asked for it. */
		kvg_agent_mended(agent, KVG_FAULT_CONFIG);
		kvg_agent_fault(agent, KVG_FAULT_CONFIG, "%s; the configuration before stays",
				reterr_diag->msg);
		kvg_metrics_add(agent->metrics, KVG_METRIC_CONFIG_RELOAD_FAILURES, 1);
	} else {
		kvg_agent_mended(agent, KVG_FAULT_CONFIG);
		kvg_metrics_add(agent->metrics, KVG_METRIC_CONFIG_RELOADS, 1);
		kvg_agent_open_lookup(agent);
		kvg_agent_apply_policies(agent, true);
		kvg_agent_open_record(agent);
		kvg_agent_open_web(agent);
		kvg_agent_open_refresh(agent);
		kvg_agent_place_all(agent);
		kvg_log_note("the configuration was read again");
	}
	kvg_agent_tell_status(agent);
	kvg_notify_ready();
	return r;
}

void kvg_agent_config_changed(void *data)
{
	struct kvg_agent *agent = data;
	unsigned char digest[KVG_DIGEST_BYTES];
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	struct kvg_diag diag;
	size_t size;

	if (!agent->ready)
		return;
	if (kvg_file_read(agent->options->config, KVG_CONFIG_MAX_BYTES, &text, &size) == 0) {
		kvg_digest(text, size, digest);
		if (agent->faults[KVG_FAULT_CONFIG].msg[0] &&
		    memcmp(digest, agent->refused, sizeof(digest)) == 0)
			return;
		if (!agent->faults[KVG_FAULT_CONFIG].msg[0] && size == agent->text_size &&
		    memcmp(text, agent->text, size) == 0)
			return;
	}
	kvg_agent_reload(agent, &diag);
}

static void on_names(void *data)
{
	kvg_agent_replan_later(data);
}

static bool is_text_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The one before knows what it knows until the new one is there. */
static int renew_lookup(struct kvg_agent *agent, struct kvg_diag *diag)
{
	const struct kvg_lookup_options options = {
		.state_dir = agent->options->state_dir,
		.servers = agent->config->names_servers,
		.grace_s = agent->config->names_grace_s,
	};
	KVG_CLEANUP(kvg_freep) char *servers = NULL;
	struct kvg_lookup *fresh = NULL;
	int r;

	if (agent->lookup && agent->lookup_grace_s == options.grace_s &&
	    is_text_same(agent->lookup_servers, options.servers))
		return 0;
	if (options.servers) {
		servers = strdup(options.servers);
		if (!servers)
			return -ENOMEM;
	}
	r = kvg_lookup_open(agent->event, &options, on_names, agent, &fresh, diag);
	if (r < 0)
		return r;
	kvg_lookup_close(agent->lookup);
	agent->lookup = fresh;
	free(agent->lookup_servers);
	agent->lookup_servers = KVG_TAKE_PTR(servers);
	agent->lookup_grace_s = options.grace_s;
	return 0;
}

void kvg_agent_open_lookup(struct kvg_agent *agent)
{
	struct kvg_diag diag = {};
	int r = renew_lookup(agent, &diag);

	if (r >= 0 && agent->lookup)
		r = kvg_lookup_want(agent->lookup, agent->config);
	if (r < 0)
		kvg_agent_fault(agent, KVG_FAULT_LOOKUP, "names cannot be looked up: %s",
				diag.msg[0] ? diag.msg : strerror(-r));
	else
		kvg_agent_mended(agent, KVG_FAULT_LOOKUP);
}

static void on_documents(void *data)
{
	kvg_agent_replan_later(data);
}

static void on_refresh_failed(void *data, const char *sentence)
{
	struct kvg_agent *agent = data;

	kvg_agent_fault(agent, KVG_FAULT_REFRESH, "%s", sentence);
	kvg_metrics_add(agent->metrics, KVG_METRIC_RANGES_REFRESH_FAILURES, 1);
}

static void on_refresh_ended(void *data, unsigned int failures)
{
	if (!failures)
		kvg_agent_mended(data, KVG_FAULT_REFRESH);
}

static const struct kvg_refresh_ops refresh_ops = {
	.changed = on_documents,
	.failed = on_refresh_failed,
	.ended = on_refresh_ended,
};

/* Documents that --ranges names are the operator's: nothing is downloaded for them. */
void kvg_agent_open_refresh(struct kvg_agent *agent)
{
	KVG_CLEANUP(kvg_freep) char *standard = NULL;
	struct kvg_refresh_options options = {
		.config = agent->options->config,
		.state_dir = agent->options->state_dir,
		.directory = agent->config->ranges_directory,
		.every_s = agent->config->ranges_refresh_s,
	};
	struct kvg_refresh_ops ops = refresh_ops;
	struct kvg_diag diag = {};
	int r;

	if (agent->options->ranges_count)
		return;
	if (!options.directory) {
		if (asprintf(&standard, "%s/ranges", agent->options->state_dir) < 0) {
			standard = NULL;
			return;
		}
		options.directory = standard;
	}
	ops.data = agent;
	if (agent->refresh)
		r = kvg_refresh_update(agent->refresh, &options, &diag);
	else
		r = kvg_refresh_open(agent->event, &options, &ops, &agent->refresh, &diag);
	if (r < 0)
		kvg_agent_fault(agent, KVG_FAULT_REFRESH, "documents are not refreshed: %s",
				diag.msg);
}
