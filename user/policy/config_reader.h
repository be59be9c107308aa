/* SPDX-License-Identifier: BSD-2-Clause */
/* What the readers of the parts of kvgate.yaml share; nobody else includes this. */
#ifndef KVG_POLICY_CONFIG_READER_H
#define KVG_POLICY_CONFIG_READER_H

#include "policy/config.h"
#include "policy/config_schema.h"
#include "policy/config_tree.h"

#define KVG_CONFIG_PROFILE_PATH_LEN 32 /* "profiles[4294967295]" */

/* The longest is "profiles[4294967295].select[4294967295].kubernetes.namespace". */
#define KVG_CONFIG_PATH_LEN 128

/** struct kvg_config_reader - a file on its way to a struct kvg_config */
struct kvg_config_reader {
	struct kvg_config_tree tree;
	struct kvg_raw_config *raw;
	struct kvg_config *config;
	struct kvg_diag *diag;
};

/**
 * kvg_config_place() - give the fault that is already in the diagnostic its place
 * @error:  handed on; only -EINVAL has a place
 * @format: as printf(3): the path, such as "profiles[2].select[0].cgroup"
 *
 * Return: @error
 */
int kvg_config_place(struct kvg_config_reader *reader, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** kvg_config_bad() - "bad value '@text' of '@path': expected ..." in its place; Return: -EINVAL */
int kvg_config_bad(struct kvg_config_reader *reader, const char *path, const char *text,
		   const char *expected);

/** kvg_config_copy() - strdup(3) of @text, or NULL for NULL; Return: 0, or -ENOMEM */
int kvg_config_copy(char **ret, const char *text);

/**
 * kvg_config_read_selects() - the list `select` of a profile
 * @path:    of the profile
 * @profile: gains them; freed with it, also after a failure
 * @raw:     as libcyaml loaded it
 *
 * Return: 0, -EINVAL, or -ENOMEM
 */
int kvg_config_read_selects(struct kvg_config_reader *reader, const char *path,
			    struct kvg_config_profile *profile, const struct kvg_raw_profile *raw);

/** kvg_config_audit_init() - its defaults */
void kvg_config_audit_init(struct kvg_config *config);

/** kvg_config_read_audit() - the part `audit`; NULL for none; Return: 0, -EINVAL, or -ENOMEM */
int kvg_config_read_audit(struct kvg_config_reader *reader, const struct kvg_raw_audit *raw);

/** kvg_config_ranges_init() - the defaults of what the two below read */
void kvg_config_ranges_init(struct kvg_config *config);

/** kvg_config_read_ranges() - the part `ranges`; NULL for none; Return: 0, -EINVAL, or -ENOMEM */
int kvg_config_read_ranges(struct kvg_config_reader *reader, const struct kvg_raw_ranges *raw);

/** kvg_config_read_names() - the part `names`; NULL for none; Return: 0, -EINVAL, or -ENOMEM */
int kvg_config_read_names(struct kvg_config_reader *reader, const struct kvg_raw_names *raw);

/** kvg_config_ranges_done() - free what they read */
void kvg_config_ranges_done(struct kvg_config *config);

/** kvg_config_select_done() - free what it holds */
void kvg_config_select_done(struct kvg_select *select);

#endif
