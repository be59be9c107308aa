/* SPDX-License-Identifier: BSD-2-Clause */
/* kvgate.yaml: read with a schema; every fault has a line and a column. */
#ifndef KVG_POLICY_CONFIG_H
#define KVG_POLICY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "policy/profile.h"
#include "policy/words.h"
#include "ranges/fetch.h"

/* A thousand profiles of a hundred lines are half of that. */
#define KVG_CONFIG_MAX_BYTES (4UL << 20)

/** struct kvg_select_label - a label that must be there; @value is a pattern */
struct kvg_select_label {
	char *key;
	char *value;
};

/**
 * struct kvg_select - which cgroups a profile is for: all that it names must match
 * @cgroup:       pattern of the path, such as "/payments.slice/" and two asterisks; NULL if any
 * @unit:         pattern of systemd's unit; NULL if any
 * @kubernetes:   containers of Kubernetes only
 * @namespace:    pattern, of Kubernetes; NULL if any
 * @pod:          pattern, of Kubernetes; NULL if any
 * @container:    pattern of the container's name; NULL if any
 * @image:        pattern of the image's name; NULL if any
 * @labels:       all must be there
 * @labels_count: how many
 *
 * All owned. At least one thing is named.
 */
struct kvg_select {
	char *cgroup;
	char *unit;
	bool kubernetes;
	char *namespace;
	char *pod;
	char *container;
	char *image;
	struct kvg_select_label *labels;
	size_t labels_count;
};

/** struct kvg_config_profile - a profile and whom it is for */
struct kvg_config_profile {
	struct kvg_profile profile;
	struct kvg_select *selects;
	size_t selects_count;
};

/** struct kvg_config_urls - where a cloud's documents come from; owned; NULL: not said, "none": nowhere */
struct kvg_config_urls {
	char *service_tags;
	char *fallback;
	char *m365;
};

/**
 * struct kvg_config_audit - where records go; nowhere, if nothing is said
 * @file:        NULL if not said; owned
 * @max_bytes:   it is rotated before it would be longer; 0: never
 * @keep:        rotated files that are kept
 * @fsync:       when it is forced onto the disk
 * @to_stdout:   JSON lines on stdout
 * @journal:     systemd's
 * @syslog:      the system's logger
 * @linux_audit: the audit system
 */
struct kvg_config_audit {
	char *file;
	__u64 max_bytes;
	unsigned int keep;
	enum kvg_fsync fsync;
	bool to_stdout;
	bool journal;
	bool syslog;
	bool linux_audit;
};

/* Six files of 100 MiB: more than a million records. */
#define KVG_CONFIG_AUDIT_MAX_BYTES (100ULL << 20)
#define KVG_CONFIG_AUDIT_KEEP      5U
#define KVG_CONFIG_AUDIT_KEEP_MAX  999U

/**
 * struct kvg_config - the whole file; what it leaves out has its default
 * @ranges_directory:          where the range documents are; NULL if not said
 * @ranges_refresh_s:          seconds between two downloads; 0 = never
 * @ranges_max_shrink_percent: a document that takes away more is refused, 0..100
 * @ranges_grace_s:            seconds that prefixes are kept after they are published no more
 * @ranges_proxy:              URL; NULL if not said: what the environment says
 * @ranges_ca_file:            certificates to trust; NULL if not said: the system's
 * @ranges_urls:               by cloud; see kvg_config_source()
 * @names_servers:             "192.0.2.53,[2001:db8::53]:5353"; NULL if not said: resolv.conf's
 * @names_grace_s:             seconds that an address is kept after it left the answer for its name
 * @audit:                     where records go
 * @metrics_listen:            where to be scraped, KVG_CONFIG_LISTEN if not said; NULL: nowhere
 * @profiles:                  at least one, names unique
 * @profiles_count:            how many
 */
struct kvg_config {
	char *ranges_directory;
	unsigned long ranges_refresh_s;
	unsigned int ranges_max_shrink_percent;
	unsigned long ranges_grace_s;
	char *ranges_proxy;
	char *ranges_ca_file;
	struct kvg_config_urls ranges_urls[KVG_CLOUD_COUNT];
	char *names_servers;
	unsigned long names_grace_s;
	struct kvg_config_audit audit;
	char *metrics_listen;
	struct kvg_config_profile *profiles;
	size_t profiles_count;
};

#define KVG_CONFIG_REFRESH_S          (24UL * 3600)
#define KVG_CONFIG_MAX_SHRINK_PERCENT 30
#define KVG_CONFIG_NAMES_GRACE_S      3600UL
#define KVG_CONFIG_LISTEN             "127.0.0.1:9435"

/**
 * kvg_config_parse() - read the configuration
 * @data:        the bytes; need not be NUL-terminated
 * @size:        how many; above KVG_CONFIG_MAX_BYTES it is refused
 * @ret:         the configuration, freed by the caller; untouched on failure
 * @reterr_diag: line, column, and what was expected there
 *
 * Return: 0, or a negative errno: -EINVAL, -EFBIG, -ENOMEM
 */
int kvg_config_parse(const char *data, size_t size, struct kvg_config **ret,
		     struct kvg_diag *reterr_diag);

/**
 * kvg_config_source() - where a cloud's documents come from
 * @config: NULL for the defaults
 * @cloud:  whose
 *
 * Return: Microsoft's own URLs, and what the file says instead; the strings are the file's or static.
 * Whoever names another place for service tags gets Microsoft's constant path only by its name
 */
struct kvg_fetch_source kvg_config_source(const struct kvg_config *config, enum kvg_cloud cloud);

/** kvg_config_free() - free it; NULL is fine; Return: NULL */
struct kvg_config *kvg_config_free(struct kvg_config *config);

/** kvg_config_freep() - for KVG_CLEANUP */
void kvg_config_freep(struct kvg_config **config);

/** kvg_config_find() - the profile of this name, or NULL */
struct kvg_config_profile *kvg_config_find(struct kvg_config *config, const char *name);

#endif
