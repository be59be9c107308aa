// SPDX-License-Identifier: BSD-2-Clause
#include "policy/config_schema.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

#define TEXT(structure, key, flags) \
	CYAML_FIELD_STRING_PTR(#key, flags, struct structure, key, 1, CYAML_UNLIMITED)

#define LIST(structure, key, entry, min) \
	CYAML_FIELD_SEQUENCE(#key, OPTIONAL, struct structure, key, &(entry), min, CYAML_UNLIMITED)

#define PART(structure, key, fields) \
	CYAML_FIELD_MAPPING_PTR(#key, OPTIONAL, struct structure, key, fields)

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t urls_fields[] = {
	TEXT(kvg_raw_urls, cloud, CYAML_FLAG_POINTER),
	TEXT(kvg_raw_urls, service_tags, OPTIONAL),
	TEXT(kvg_raw_urls, fallback, OPTIONAL),
	TEXT(kvg_raw_urls, m365, OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t urls = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct kvg_raw_urls, urls_fields),
};

static const cyaml_schema_field_t ranges_fields[] = {
	TEXT(kvg_raw_ranges, directory, OPTIONAL),  TEXT(kvg_raw_ranges, refresh, OPTIONAL),
	TEXT(kvg_raw_ranges, max_shrink, OPTIONAL), TEXT(kvg_raw_ranges, grace, OPTIONAL),
	TEXT(kvg_raw_ranges, proxy, OPTIONAL),      TEXT(kvg_raw_ranges, ca_file, OPTIONAL),
	LIST(kvg_raw_ranges, urls, urls, 1),        CYAML_FIELD_END,
};

static const cyaml_schema_field_t audit_fields[] = {
	TEXT(kvg_raw_audit, file, OPTIONAL),
	TEXT(kvg_raw_audit, max_size, OPTIONAL),
	TEXT(kvg_raw_audit, keep, OPTIONAL),
	TEXT(kvg_raw_audit, fsync, OPTIONAL),
	/* stdout is a macro */
	CYAML_FIELD_STRING_PTR("stdout", OPTIONAL, struct kvg_raw_audit, stdout_, 1,
			       CYAML_UNLIMITED),
	TEXT(kvg_raw_audit, journal, OPTIONAL),
	TEXT(kvg_raw_audit, syslog, OPTIONAL),
	TEXT(kvg_raw_audit, linux_audit, OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t metrics_fields[] = {
	TEXT(kvg_raw_metrics, listen, OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t names_fields[] = {
	TEXT(kvg_raw_names, grace, OPTIONAL),
	LIST(kvg_raw_names, servers, text, 1),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t profile_names_fields[] = {
	TEXT(kvg_raw_profile_names, private, OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t allow_fields[] = {
	TEXT(kvg_raw_allow, prefix, CYAML_FLAG_POINTER),
	TEXT(kvg_raw_allow, service, CYAML_FLAG_POINTER),
	TEXT(kvg_raw_allow, note, OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t allow = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct kvg_raw_allow, allow_fields),
};

static const cyaml_schema_field_t crl_fields[] = {
	TEXT(kvg_raw_crl, hosts, OPTIONAL),
	LIST(kvg_raw_crl, prefixes, text, 0),
	LIST(kvg_raw_crl, tags, text, 0),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t kubernetes_fields[] = {
	TEXT(kvg_raw_kubernetes, namespace, OPTIONAL),
	TEXT(kvg_raw_kubernetes, pod, OPTIONAL),
	TEXT(kvg_raw_kubernetes, container, OPTIONAL),
	TEXT(kvg_raw_kubernetes, image, OPTIONAL),
	CYAML_FIELD_IGNORE("labels", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t select_fields[] = {
	TEXT(kvg_raw_select, cgroup, OPTIONAL),
	TEXT(kvg_raw_select, unit, OPTIONAL),
	PART(kvg_raw_select, kubernetes, kubernetes_fields),
	TEXT(kvg_raw_select, container, OPTIONAL),
	TEXT(kvg_raw_select, image, OPTIONAL),
	CYAML_FIELD_IGNORE("labels", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t select_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct kvg_raw_select, select_fields),
};

/* An empty list of regions or resolvers would read like "none", and mean the default: it is an error. */
static const cyaml_schema_field_t profile_fields[] = {
	TEXT(kvg_raw_profile, name, CYAML_FLAG_POINTER),
	TEXT(kvg_raw_profile, cloud, OPTIONAL),
	LIST(kvg_raw_profile, functions, text, 1),
	LIST(kvg_raw_profile, identity, text, 1),
	LIST(kvg_raw_profile, adfs_hosts, text, 1),
	LIST(kvg_raw_profile, regions, text, 1),
	LIST(kvg_raw_profile, resolvers, text, 1),
	LIST(kvg_raw_profile, allow, allow, 0),
	PART(kvg_raw_profile, crl, crl_fields),
	PART(kvg_raw_profile, names, profile_names_fields),
	TEXT(kvg_raw_profile, inbound, OPTIONAL),
	TEXT(kvg_raw_profile, mode, OPTIONAL),
	LIST(kvg_raw_profile, select, select_entry, 0),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t profile = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct kvg_raw_profile, profile_fields),
};

static const cyaml_schema_field_t config_fields[] = {
	PART(kvg_raw_config, ranges, ranges_fields),
	PART(kvg_raw_config, audit, audit_fields),
	PART(kvg_raw_config, metrics, metrics_fields),
	PART(kvg_raw_config, names, names_fields),
	CYAML_FIELD_SEQUENCE("profiles", CYAML_FLAG_POINTER, struct kvg_raw_config, profiles,
			     &profile, 1, CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t kvg_config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct kvg_raw_config, config_fields),
};
