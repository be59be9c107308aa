// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/fetch_text.h"
#include "cmd/options.h"
#include "policy/needs.h"
#include "ranges/fetch.h"

#define TIMEOUT_MAX_S 86400L

struct fetch {
	const char *config_file;
	const char *state_dir;
	const char *directory;
	unsigned int clouds; /* bit set of 1 << enum kvg_cloud */
	unsigned int timeout_s;
	bool accept;
	bool now;
	bool json;
	struct kvg_config *config; /* NULL: there is none */
	size_t reports;
	char *standard_directory;
};

static int add_cloud(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	unsigned int *clouds = field;
	enum kvg_cloud cloud;

	if (kvg_cloud_parse(argument, &cloud) < 0 || cloud == KVG_CLOUD_GERMANY)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "unknown cloud '%s': expected public, usgov or china",
				    argument);
	*clouds |= 1U << cloud;
	return 0;
}

static int set_timeout(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	char *end;
	long seconds = strtol(argument, &end, 10);

	if (end == argument || *end || seconds < 1 || seconds > TIMEOUT_MAX_S)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "bad time '%s': expected seconds, 1 to 86400", argument);
	*(unsigned int *)field = (unsigned int)seconds;
	return 0;
}

static const struct kvg_option options[] = {
	{.name = "config",
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct fetch, config_file),
	 .help = "whose profiles say what is needed (" KVG_CONFIG_FILE ")"},
	{.name = "cloud",
	 .argument = "CLOUD",
	 .set = add_cloud,
	 .offset = offsetof(struct fetch, clouds),
	 .help = "public, usgov or china; repeatable (default: those of the profiles)"},
	{.name = "directory",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct fetch, directory),
	 .help = "where the documents go (default: as configured, or below the state folder)"},
	{.name = "state-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct fetch, state_dir),
	 .help = "kvgate's own files (" KVG_STATE_DIR ")"},
	{.name = "accept",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct fetch, accept),
	 .help = "take what was refused, after a look at it; nothing is downloaded"},
	{.name = "now",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct fetch, now),
	 .help = "ask although a server wants to be left alone"},
	{.name = "timeout",
	 .argument = "SECONDS",
	 .set = set_timeout,
	 .offset = offsetof(struct fetch, timeout_s),
	 .help = "for each download in all (300)"},
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct fetch, json),
	 .help = "print JSON"},
	{0},
};

static const struct kvg_usage usage = {
	.command = "fetch",
	.help = "Downloads the newest range documents of the clouds that the profiles name, judges "
		"them,\n"
		"and puts them into use; what they replace is kept in \"previous\". A document "
		"that "
		"lacks\n"
		"what a profile needs, or takes too much away, is refused: the old one stays.",
	.exit_status = "0 all are the newest, 1 one is not, 2 usage or configuration",
	.options = options,
};

static void fetch_done(struct fetch *fetch)
{
	kvg_config_free(fetch->config);
	free(fetch->standard_directory);
}

/* Without a configuration there are the defaults; one that was named must be there. */
static int load_config(struct fetch *fetch)
{
	if (!fetch->config_file && access(KVG_CONFIG_FILE, F_OK) != 0)
		return 0;
	return kvg_options_read_config(fetch->config_file ? fetch->config_file : KVG_CONFIG_FILE,
				       &fetch->config);
}

static void choose_clouds(struct fetch *fetch)
{
	if (fetch->clouds)
		return;
	for (size_t i = 0; fetch->config && i < fetch->config->profiles_count; i++)
		fetch->clouds |= 1U << fetch->config->profiles[i].profile.cloud;
	if (!fetch->clouds)
		fetch->clouds = 1U << KVG_CLOUD_PUBLIC;
}

static int choose_directory(struct fetch *fetch)
{
	if (!fetch->state_dir)
		fetch->state_dir = KVG_STATE_DIR;
	if (fetch->directory)
		return 0;
	if (fetch->config && fetch->config->ranges_directory) {
		fetch->directory = fetch->config->ranges_directory;
		return 0;
	}
	if (asprintf(&fetch->standard_directory, "%s/ranges", fetch->state_dir) < 0) {
		fetch->standard_directory = NULL;
		kvg_log_error("out of memory");
		return KVG_EXIT_FAILED;
	}
	fetch->directory = fetch->standard_directory;
	return 0;
}

/* Where no profile says what is needed, all that a client of this cloud may need is. */
static int add_default_needs(const struct kvg_document *document, struct kvg_guard_needs *ret)
{
	struct kvg_profile profile;
	int r;

	r = kvg_profile_init(&profile, "default");
	if (r < 0)
		return r;
	profile.cloud = document->cloud;
	r = kvg_needs_add(&profile, document, ret);
	kvg_profile_done(&profile);
	return r;
}

static int add_needs(void *data, const struct kvg_document *document, struct kvg_guard_needs *ret)
{
	const struct fetch *fetch = data;
	bool any = false;
	int r = 0;

	for (size_t i = 0; fetch->config && i < fetch->config->profiles_count && r == 0; i++) {
		const struct kvg_profile *profile = &fetch->config->profiles[i].profile;

		any |= profile->cloud == document->cloud;
		r = kvg_needs_add(profile, document, ret);
	}
	return r < 0 || any ? r : add_default_needs(document, ret);
}

static bool is_wanted(const struct kvg_fetch_source *source, enum kvg_document_kind kind)
{
	return kind == KVG_DOCUMENT_KIND_M365 ? source->m365 : source->service_tags;
}

static int fetch_one(struct fetch *own, struct kvg_fetch *fetch, json_t *list, enum kvg_cloud cloud,
		     enum kvg_document_kind kind)
{
	KVG_CLEANUP(kvg_fetch_report_done) struct kvg_fetch_report report = {0};
	struct kvg_fetch_source source = kvg_config_source(own->config, cloud);

	if (own->accept) {
		if (!kvg_fetch_accept(fetch, kind, cloud, &report))
			return 0;
	} else if (is_wanted(&source, kind)) {
		kvg_fetch_document(fetch, &source, kind, &report);
	} else {
		return 0;
	}

	own->reports++;
	if (own->json)
		json_array_append_new(list, kvg_fetch_report_json(&report));
	else
		kvg_fetch_report_print(&report);
	return report.result == KVG_FETCH_UNCHANGED || report.result == KVG_FETCH_UPDATED
		       ? 0
		       : KVG_EXIT_FAILED;
}

static int print_json(const struct fetch *own, json_t *list)
{
	json_t *root = json_pack("{s:s, s:O}", "directory", own->directory, "documents", list);
	int r = root ? json_dumpf(root, stdout, JSON_COMPACT) : -1;

	json_decref(root);
	putchar('\n');
	return r < 0 || fflush(stdout) != 0 ? KVG_EXIT_FAILED : 0;
}

static int fetch_all(struct fetch *own, struct kvg_fetch *fetch)
{
	json_t *list = json_array();
	int status = 0;
	int r;

	for (enum kvg_cloud cloud = 0; cloud < KVG_CLOUD_COUNT; cloud++) {
		if (!(own->clouds & 1U << cloud))
			continue;
		for (enum kvg_document_kind kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++)
			status |= fetch_one(own, fetch, list, cloud, kind);
	}
	if (own->accept && !own->json && own->reports == 0)
		kvg_log_note("nothing was refused: there is nothing to accept");

	r = kvg_fetch_save(fetch);
	if (r < 0)
		kvg_log_note("what was learned cannot be kept in '%s/.fetch.json': %s",
			     own->directory, strerror(-r));
	if (own->json)
		status |= print_json(own, list);
	json_decref(list);
	return status;
}

static int run(struct fetch *own)
{
	KVG_CLEANUP(kvg_fetch_closep) struct kvg_fetch *fetch = NULL;
	struct kvg_fetch_options how = {
		.http.timeout_s = own->timeout_s,
		.max_shrink_percent = KVG_CONFIG_MAX_SHRINK_PERCENT,
		.now = own->now,
		.needs = add_needs,
		.data = own,
	};
	struct kvg_diag diag;
	int status;

	status = load_config(own);
	if (status == 0)
		status = choose_directory(own);
	if (status)
		return status;

	choose_clouds(own);
	how.directory = own->directory;
	how.state_dir = own->state_dir;
	if (own->config) {
		how.http.proxy = own->config->ranges_proxy;
		how.http.ca_file = own->config->ranges_ca_file;
		how.max_shrink_percent = own->config->ranges_max_shrink_percent;
		how.grace_s = own->config->ranges_grace_s;
	}
	if (kvg_fetch_open(&how, &fetch, &diag) < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_EXIT_FAILED;
	}
	return fetch_all(own, fetch);
}

int kvg_cmd_fetch(int argc, char **argv)
{
	KVG_CLEANUP(fetch_done) struct fetch fetch = {0};
	int status;

	status = kvg_options_parse(&usage, argc, argv, NULL, &fetch);
	return status == KVG_OPTIONS_GO ? run(&fetch) : status;
}
