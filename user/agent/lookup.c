// SPDX-License-Identifier: BSD-2-Clause
#include "agent/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/lookup_state.h"
#include "base/cleanup.h"
#include "policy/hosts.h"
#include "policy/resolve.h"

static int to_errno(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENOMEM:
		return -ENOMEM;
	case ARES_EFILE:
		return -EIO;
	default:
		return -EINVAL;
	}
}

static int open_parts(struct kvg_lookup *lookup, struct kvg_diag *diag)
{
	int status, r;

	status = ares_library_init(ARES_LIB_INIT_ALL);
	lookup->library = status == ARES_SUCCESS;
	if (status == ARES_SUCCESS)
		status = kvg_lookup_open_channel(lookup, &lookup->channel);
	if (status != ARES_SUCCESS)
		return kvg_diag_set(diag, to_errno(status), "the resolver library cannot start: %s",
				    ares_strerror(status));
	r = sd_event_add_time(lookup->event, &lookup->timer, CLOCK_BOOTTIME, 0, 0,
			      kvg_lookup_on_timer, lookup);
	if (r < 0)
		return kvg_diag_set(diag, r, "no timer for names: %s", strerror(-r));
	sd_event_source_set_enabled(lookup->timer, SD_EVENT_OFF);
	return kvg_lookup_read(lookup);
}

int kvg_lookup_open(struct sd_event *event, const struct kvg_lookup_options *options,
		    void (*changed)(void *data), void *data, struct kvg_lookup **ret,
		    struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_lookup_closep) struct kvg_lookup *lookup = calloc(1, sizeof(*lookup));
	int r;

	if (!lookup)
		return -ENOMEM;
	lookup->event = sd_event_ref(event);
	lookup->changed = changed;
	lookup->data = data;
	lookup->grace_us = (int64_t)options->grace_s * KVG_LOOKUP_S;
	if (asprintf(&lookup->path, "%s/names.json", options->state_dir) < 0) {
		lookup->path = NULL;
		return -ENOMEM;
	}
	if (options->servers) {
		lookup->servers = strdup(options->servers);
		if (!lookup->servers)
			return -ENOMEM;
	}
	r = open_parts(lookup, reterr_diag);
	if (r < 0)
		return r;
	*ret = KVG_TAKE_PTR(lookup);
	return 0;
}

static int want_hosts(struct kvg_lookup *lookup, const struct kvg_profile *profile)
{
	KVG_CLEANUP(kvg_freep) struct kvg_policy_host *hosts = NULL;
	size_t count;
	int r;

	r = kvg_hosts_list(profile, &hosts, &count);
	for (size_t i = 0; i < count && r == 0; i++) {
		struct kvg_lookup_host *host;

		if (hosts[i].ranged)
			continue;
		host = kvg_lookup_hosts_add(&lookup->hosts, hosts[i].name);
		if (host)
			host->wanted = true;
		else
			r = -ENOMEM;
	}
	return r;
}

int kvg_lookup_want(struct kvg_lookup *lookup, const struct kvg_config *config)
{
	int r = 0;

	for (size_t i = 0; i < lookup->hosts.count; i++)
		lookup->hosts.list[i]->wanted = false;
	for (size_t i = 0; i < config->profiles_count && r == 0; i++)
		r = want_hosts(lookup, &config->profiles[i].profile);

	/* Without memory nothing is forgotten, and all goes on. */
	for (size_t i = 0; i < lookup->hosts.count && r < 0; i++)
		lookup->hosts.list[i]->wanted = true;
	if (kvg_lookup_hosts_forget_unwanted(&lookup->hosts) > 0)
		kvg_lookup_save(lookup);
	kvg_lookup_schedule(lookup);
	return r;
}

static int add_host(const struct kvg_lookup *lookup, const struct kvg_policy_host *host,
		    struct kvg_profile *profile, struct kvg_notes *notes)
{
	const struct kvg_lookup_host *known = kvg_lookup_hosts_find(&lookup->hosts, host->name);
	int r = 0;

	if (!known || !known->addresses_count)
		return kvg_notes_add(notes, "no address of '%s' is known: nothing allows it",
				     host->name);
	for (size_t i = 0; i < known->addresses_count && r == 0; i++)
		r = kvg_resolve_add_answer(profile, host, &known->addresses[i].prefix, notes);
	return r;
}

int kvg_lookup_add_resolved(const struct kvg_lookup *lookup, struct kvg_profile *profile,
			    struct kvg_notes *notes)
{
	KVG_CLEANUP(kvg_freep) struct kvg_policy_host *hosts = NULL;
	size_t count;
	int r;

	kvg_profile_clear_resolved(profile);
	r = kvg_hosts_list(profile, &hosts, &count);
	for (size_t i = 0; i < count && r == 0; i++) {
		if (!hosts[i].ranged)
			r = add_host(lookup, &hosts[i], profile, notes);
	}
	return r;
}

const char *kvg_lookup_problem(const struct kvg_lookup *lookup, size_t index)
{
	if (lookup->read_problem[0] && index-- == 0)
		return lookup->read_problem;
	if (lookup->save_problem[0] && index-- == 0)
		return lookup->save_problem;
	for (size_t i = 0; i < lookup->hosts.count; i++) {
		if (lookup->hosts.list[i]->problem[0] && index-- == 0)
			return lookup->hosts.list[i]->problem;
	}
	return NULL;
}

struct kvg_lookup *kvg_lookup_close(struct kvg_lookup *lookup)
{
	if (!lookup)
		return NULL;
	if (lookup->dirty)
		kvg_lookup_save(lookup);
	if (lookup->channel)
		ares_destroy(lookup->channel);
	while (lookup->sockets_count > 0)
		sd_event_source_disable_unref(lookup->sockets[--lookup->sockets_count].source);
	sd_event_source_disable_unref(lookup->timer);
	if (lookup->library)
		ares_library_cleanup();
	kvg_lookup_hosts_done(&lookup->hosts);
	sd_event_unref(lookup->event);
	free(lookup->sockets);
	free(lookup->path);
	free(lookup->servers);
	free(lookup);
	return NULL;
}

void kvg_lookup_closep(struct kvg_lookup **lookup)
{
	kvg_lookup_close(*lookup);
}
