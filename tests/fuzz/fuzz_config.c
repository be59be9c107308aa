// SPDX-License-Identifier: BSD-2-Clause
/*
 * The configuration. Claims, on any bytes:
 *   - what is read has at least one profile, each named once and sound in itself;
 *   - a selector names something, and its path is one that a cgroup can have;
 *   - a refusal has one of the documented errors, says why in one line, and returns nothing;
 *   - it has a place, unless the file is empty, too long, or no text at all.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
	if (!kept)
		abort();
}

static void check_refusal(int r, const struct kvg_config *config, const struct kvg_diag *diag)
{
	check(r == -EINVAL || r == -EFBIG);
	check(!config);
	check(diag->msg[0] && strlen(diag->msg) < sizeof(diag->msg));
	check(!strpbrk(diag->msg, "\r\n"));
	check(diag->line > 0 || strncmp(diag->msg, "empty", 5) == 0);
}

static void check_cgroup(const char *pattern)
{
	check(pattern[0] == '/' && pattern[strlen(pattern) - 1] != '/');
	check(!strstr(pattern, "//") && !strstr(pattern, "/../") && !strstr(pattern, "/./"));
}

static void check_select(const struct kvg_select *select)
{
	const char *const patterns[] = {
		select->cgroup, select->unit,      select->namespace,
		select->pod,    select->container, select->image,
	};
	bool named = select->labels_count > 0;

	for (size_t i = 0; i < KVG_ARRAY_SIZE(patterns); i++) {
		check(!patterns[i] || patterns[i][0]);
		named |= patterns[i] != NULL;
	}
	check(named);
	check(select->kubernetes || (!select->namespace && !select->pod));
	check(select->labels_count <= 32);
	for (size_t i = 0; i < select->labels_count; i++)
		check(select->labels[i].key[0] && select->labels[i].value[0]);
	if (select->cgroup)
		check_cgroup(select->cgroup);
}

static void check_profile(struct kvg_config *config, struct kvg_config_profile *profile)
{
	const struct kvg_profile *p = &profile->profile;

	check(p->name && p->name[0]);
	check(kvg_config_find(config, p->name) == profile);
	check(kvg_profile_check(p, NULL) == 0);
	check(p->functions && !(p->functions & ~7U));
	check(p->identities && p->identities < 1U << KVG_IDENTITY_COUNT);
	check(p->cloud < KVG_CLOUD_COUNT && p->cloud != KVG_CLOUD_GERMANY);
	for (size_t i = 0; i < p->allow_count; i++)
		check(p->allow[i].prefix.bits > 0 && p->allow[i].service.port);
	for (size_t i = 0; i < profile->selects_count; i++)
		check_select(&profile->selects[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KVG_CLEANUP(kvg_config_freep) struct kvg_config *config = NULL;
	struct kvg_diag diag = {0};
	int r;

	r = kvg_config_parse((const char *)data, size, &config, &diag);
	if (r < 0) {
		check_refusal(r, config, &diag);
		return 0;
	}

	check(config->profiles_count > 0);
	check(config->ranges_max_shrink_percent <= 100);
	for (size_t i = 0; i < config->profiles_count; i++)
		check_profile(config, &config->profiles[i]);
	return 0;
}
