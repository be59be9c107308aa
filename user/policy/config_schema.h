/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvgate.yaml as libcyaml loads it: every value is text still, for only the profile's own functions
 * know what is a good one.
 */
#ifndef KVG_POLICY_CONFIG_SCHEMA_H
#define KVG_POLICY_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>

struct kvg_raw_urls {
	char *cloud;
	char *service_tags;
	char *fallback;
	char *m365;
};

struct kvg_raw_ranges {
	char *directory;
	char *refresh;
	char *max_shrink;
	char *grace;
	char *proxy;
	char *ca_file;
	struct kvg_raw_urls *urls;
	unsigned int urls_count;
};

struct kvg_raw_names {
	char *grace;
	char **servers;
	unsigned int servers_count;
};

struct kvg_raw_audit {
	char *file;
	char *max_size;
	char *keep;
	char *fsync;
	char *stdout_;
	char *journal;
	char *syslog;
	char *linux_audit;
};

struct kvg_raw_metrics {
	char *listen;
};

struct kvg_raw_allow {
	char *prefix;
	char *service;
	char *note;
};

struct kvg_raw_crl {
	char *hosts;
	char **prefixes;
	unsigned int prefixes_count;
	char **tags;
	unsigned int tags_count;
};

/* Labels have keys of their own, which libcyaml has no schema for: they are read from the tree. */
struct kvg_raw_kubernetes {
	char *namespace;
	char *pod;
	char *container;
	char *image;
};

struct kvg_raw_select {
	char *cgroup;
	char *unit;
	struct kvg_raw_kubernetes *kubernetes;
	char *container;
	char *image;
};

struct kvg_raw_profile_names {
	char *private;
};

struct kvg_raw_profile {
	char *name;
	char *cloud;
	char **functions;
	unsigned int functions_count;
	char **identity;
	unsigned int identity_count;
	char **adfs_hosts;
	unsigned int adfs_hosts_count;
	char **regions;
	unsigned int regions_count;
	char **resolvers;
	unsigned int resolvers_count;
	struct kvg_raw_allow *allow;
	unsigned int allow_count;
	struct kvg_raw_crl *crl;
	struct kvg_raw_profile_names *names;
	char *inbound;
	char *mode;
	struct kvg_raw_select *select;
	unsigned int select_count;
};

struct kvg_raw_config {
	struct kvg_raw_ranges *ranges;
	struct kvg_raw_audit *audit;
	struct kvg_raw_metrics *metrics;
	struct kvg_raw_names *names;
	struct kvg_raw_profile *profiles;
	unsigned int profiles_count;
};

/* Of the whole file; loads into a struct kvg_raw_config *. */
extern const cyaml_schema_value_t kvg_config_schema;

#endif
