// SPDX-License-Identifier: BSD-2-Clause
/*
 * libcyaml loads the file by the schema; libyaml's tree says where a fault is; the functions of
 * profile.h say what is a good value, the same as for options.
 */
#include "policy/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/config_reader.h"
#include "policy/config_schema.h"
#include "policy/config_tree.h"
#include "policy/explain.h"

/* libcyaml's log is not needed: the tree knows better. */
static const cyaml_config_t cyaml = {
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
};

static void reader_done(struct kvg_config_reader *reader)
{
	if (reader->raw)
		cyaml_free(&cyaml, &kvg_config_schema, reader->raw, 0);
	kvg_config_tree_done(&reader->tree);
	kvg_config_free(reader->config);
}

struct kvg_config *kvg_config_free(struct kvg_config *config)
{
	if (!config)
		return NULL;

	for (size_t i = 0; i < config->profiles_count; i++) {
		struct kvg_config_profile *profile = &config->profiles[i];

		for (size_t j = 0; j < profile->selects_count; j++)
			kvg_config_select_done(&profile->selects[j]);
		free(profile->selects);
		kvg_profile_done(&profile->profile);
	}
	free(config->profiles);
	kvg_config_ranges_done(config);
	free(config->audit.file);
	free(config->metrics_listen);
	free(config);
	return NULL;
}

void kvg_config_freep(struct kvg_config **config)
{
	kvg_config_free(*config);
}

struct kvg_config_profile *kvg_config_find(struct kvg_config *config, const char *name)
{
	for (size_t i = 0; i < config->profiles_count; i++) {
		if (strcmp(config->profiles[i].profile.name, name) == 0)
			return &config->profiles[i];
	}
	return NULL;
}

int kvg_config_place(struct kvg_config_reader *reader, int error, const char *format, ...)
{
	char path[KVG_CONFIG_PATH_LEN];
	va_list args;

	if (!reader->diag || error != -EINVAL)
		return error;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	kvg_config_tree_locate(&reader->tree, path, reader->diag);
	return error;
}

int kvg_config_bad(struct kvg_config_reader *reader, const char *path, const char *text,
		   const char *expected)
{
	kvg_diag_set(reader->diag, -EINVAL, "bad value '%s' of '%s': expected %s", text, path,
		     expected);
	return kvg_config_place(reader, -EINVAL, "%s", path);
}

int kvg_config_copy(char **ret, const char *text)
{
	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int read_metrics(struct kvg_config_reader *reader, const struct kvg_raw_metrics *raw)
{
	struct kvg_destination address;

	if (!raw || !raw->listen)
		return kvg_config_copy(&reader->config->metrics_listen, KVG_CONFIG_LISTEN);
	if (strcmp(raw->listen, "none") == 0)
		return 0;
	if (strchr(raw->listen, '/') || kvg_destination_parse(raw->listen, &address, NULL) < 0)
		return kvg_config_bad(reader, "metrics.listen", raw->listen,
				      "none, or ADDR:PORT, such as 127.0.0.1:9435");
	return kvg_config_copy(&reader->config->metrics_listen, raw->listen);
}

/* A list of words, each by the function that an option would call. */
struct words {
	const char *key;
	char **words;
	unsigned int count;
	int (*add)(struct kvg_profile *, const char *, struct kvg_diag *);
};

static int read_words(struct kvg_config_reader *reader, const char *path,
		      struct kvg_profile *profile, const struct words *words)
{
	for (unsigned int i = 0; i < words->count; i++) {
		int r = words->add(profile, words->words[i], reader->diag);

		if (r < 0)
			return kvg_config_place(reader, r, "%s.%s[%u]", path, words->key, i);
	}
	return 0;
}

static int read_word(struct kvg_config_reader *reader, const char *path,
		     struct kvg_profile *profile, const struct words *word)
{
	int r;

	if (!*word->words)
		return 0;
	r = word->add(profile, *word->words, reader->diag);
	return r < 0 ? kvg_config_place(reader, r, "%s.%s", path, word->key) : 0;
}

static int read_lists(struct kvg_config_reader *reader, const char *path,
		      struct kvg_profile *profile, struct kvg_raw_profile *raw)
{
	struct kvg_raw_crl none = {0};
	struct kvg_raw_crl *crl = raw->crl ? raw->crl : &none;
	const struct words lists[] = {
		{"functions", raw->functions, raw->functions_count, kvg_profile_add_function},
		{"identity", raw->identity, raw->identity_count, kvg_profile_add_identity},
		{"adfs_hosts", raw->adfs_hosts, raw->adfs_hosts_count, kvg_profile_add_adfs_host},
		{"regions", raw->regions, raw->regions_count, kvg_profile_add_region},
		{"resolvers", raw->resolvers, raw->resolvers_count, kvg_profile_add_resolver},
		{"crl.prefixes", crl->prefixes, crl->prefixes_count, kvg_profile_add_crl_prefix},
		{"crl.tags", crl->tags, crl->tags_count, kvg_profile_add_crl_tag},
	};
	const struct words words[] = {
		{"cloud", &raw->cloud, 1, kvg_profile_set_cloud},
		{"crl.hosts", &crl->hosts, 1, kvg_profile_set_crl_hosts},
		{"names.private", raw->names ? &raw->names->private : &none.hosts, 1,
		 kvg_profile_set_private_names},
		{"inbound", &raw->inbound, 1, kvg_profile_set_inbound},
		{"mode", &raw->mode, 1, kvg_profile_set_mode},
	};
	int r = 0;

	if (raw->functions_count)
		profile->functions = 0;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(words) && r == 0; i++)
		r = read_word(reader, path, profile, &words[i]);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(lists) && r == 0; i++)
		r = read_words(reader, path, profile, &lists[i]);
	return r;
}

static int read_allow(struct kvg_config_reader *reader, const char *path,
		      struct kvg_profile *profile, const struct kvg_raw_profile *raw)
{
	for (unsigned int i = 0; i < raw->allow_count; i++) {
		const struct kvg_raw_allow *allow = &raw->allow[i];
		struct kvg_service service;
		int r;

		r = kvg_service_parse(allow->service, &service, reader->diag);
		if (r < 0)
			return kvg_config_place(reader, r, "%s.allow[%u].service", path, i);
		r = kvg_profile_add_allow(profile, allow->prefix, allow->service, allow->note,
					  reader->diag);
		if (r < 0)
			return kvg_config_place(reader, r, "%s.allow[%u].prefix", path, i);
	}
	return 0;
}

static int read_profile(struct kvg_config_reader *reader, unsigned int index)
{
	struct kvg_raw_profile *raw = &reader->raw->profiles[index];
	struct kvg_config *config = reader->config;
	struct kvg_config_profile *profile = &config->profiles[index];
	char path[KVG_CONFIG_PROFILE_PATH_LEN];
	int r;

	snprintf(path, sizeof(path), "profiles[%u]", index);
	if (kvg_config_find(config, raw->name)) {
		kvg_diag_set(reader->diag, -EINVAL, "the profile '%s' stands twice", raw->name);
		return kvg_config_place(reader, -EINVAL, "%s.name", path);
	}

	r = kvg_profile_init(&profile->profile, raw->name);
	if (r < 0)
		return r;
	config->profiles_count++;

	r = kvg_profile_set_name(&profile->profile, raw->name, reader->diag);
	if (r < 0)
		return kvg_config_place(reader, r, "%s.name", path);
	r = read_lists(reader, path, &profile->profile, raw);
	if (r == 0)
		r = read_allow(reader, path, &profile->profile, raw);
	if (r == 0)
		r = kvg_config_read_selects(reader, path, profile, raw);
	if (r < 0)
		return r;

	r = kvg_profile_check(&profile->profile, reader->diag);
	return r < 0 ? kvg_config_place(reader, r, "%s", path) : 0;
}

static int convert(struct kvg_config_reader *reader)
{
	const struct kvg_raw_config *raw = reader->raw;
	struct kvg_config *config = calloc(1, sizeof(*config));
	int r;

	if (!config)
		return -ENOMEM;
	reader->config = config;
	kvg_config_ranges_init(config);
	kvg_config_audit_init(config);
	config->profiles = calloc(raw->profiles_count, sizeof(*config->profiles));
	if (!config->profiles)
		return -ENOMEM;

	r = kvg_config_read_ranges(reader, raw->ranges);
	if (r == 0)
		r = kvg_config_read_audit(reader, raw->audit);
	if (r == 0)
		r = read_metrics(reader, raw->metrics);
	if (r == 0)
		r = kvg_config_read_names(reader, raw->names);
	for (unsigned int i = 0; i < raw->profiles_count && r == 0; i++)
		r = read_profile(reader, i);
	return r;
}

static int load(struct kvg_config_reader *reader, const char *data, size_t size)
{
	cyaml_err_t error;
	int r;

	r = kvg_config_tree_load(data, size, &reader->tree, reader->diag);
	if (r == 0)
		r = kvg_config_tree_fault(&reader->tree, &kvg_config_schema, reader->diag);
	if (r < 0)
		return r;

	error = cyaml_load_data((const unsigned char *)data, size, &cyaml, &kvg_config_schema,
				(cyaml_data_t **)&reader->raw, NULL);
	if (error == CYAML_ERR_OOM)
		return -ENOMEM;
	if (error != CYAML_OK || !reader->raw) {
		kvg_diag_set(reader->diag, -EINVAL, "cannot be loaded: %s", cyaml_strerror(error));
		return kvg_config_place(reader, -EINVAL, "%s", "");
	}
	return convert(reader);
}

int kvg_config_parse(const char *data, size_t size, struct kvg_config **ret,
		     struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(reader_done) struct kvg_config_reader reader = {.diag = reterr_diag};
	int r;

	if (size > KVG_CONFIG_MAX_BYTES)
		return kvg_diag_set(reterr_diag, -EFBIG, "longer than %lu MiB",
				    KVG_CONFIG_MAX_BYTES >> 20);

	r = load(&reader, data, size);
	if (r == -ENOMEM)
		return kvg_diag_set(reterr_diag, r, "out of memory");
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(reader.config);
	return 0;
}
