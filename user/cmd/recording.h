/* SPDX-License-Identifier: BSD-2-Clause */
/* The record as `run` and `attach` keep it: where lines go, and who is the one reader of a set. */
#ifndef KVG_CMD_RECORDING_H
#define KVG_CMD_RECORDING_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "audit/recorder.h"
#include "audit/sink.h"
#include "cmd/places.h"
#include "policy/config.h"

/**
 * struct kvg_recording_to - what the options say; KVG_RECORDING_TO before they are read
 * @file:      --audit-file: "-" is stdout
 * @max_bytes: --audit-max-size
 * @keep:      --audit-keep
 * @fsync:     --audit-fsync
 * @services:  --audit-to: 1 << enum kvg_sink_kind
 */
struct kvg_recording_to {
	const char *file;
	__u64 max_bytes;
	unsigned int keep;
	enum kvg_fsync fsync;
	unsigned int services;
};

#define KVG_RECORDING_TO                                                                \
	{                                                                               \
		.max_bytes = KVG_CONFIG_AUDIT_MAX_BYTES, .keep = KVG_CONFIG_AUDIT_KEEP, \
		.fsync = KVG_FSYNC_INTERVAL                                             \
	}

/* Rows of a table of options; @base is the offset of a struct kvg_recording_to. */
#define KVG_RECORDING_OPTIONS(base)                                                                \
	{.name = "audit-max-size",                                                                 \
	 .argument = "SIZE",                                                                       \
	 .set = kvg_recording_set_max_size,                                                        \
	 .offset = (base) + offsetof(struct kvg_recording_to, max_bytes),                          \
	 .help = "begin a new file before it is longer: 0 (never), 100M (default)"},               \
		{.name = "audit-keep",                                                             \
		 .argument = "COUNT",                                                              \
		 .set = kvg_recording_set_keep,                                                    \
		 .offset = (base) + offsetof(struct kvg_recording_to, keep),                       \
		 .help = "old files that are kept, FILE.1 the latest (default 5)"},                \
		{.name = "audit-fsync",                                                            \
		 .argument = "WHEN",                                                               \
		 .set = kvg_recording_set_fsync,                                                   \
		 .offset = (base) + offsetof(struct kvg_recording_to, fsync),                      \
		 .help = "force FILE onto the disk: none, interval (each second, default), line"}, \
	{                                                                                          \
		.name = "audit-to", .argument = "SERVICE", .set = kvg_recording_add_service,       \
		.offset = (base) + offsetof(struct kvg_recording_to, services),                    \
		.help = "record refused flows there, too: journal, syslog, linux-audit"            \
	}

int kvg_recording_set_max_size(void *field, const char *argument, struct kvg_diag *reterr_diag);
int kvg_recording_set_keep(void *field, const char *argument, struct kvg_diag *reterr_diag);
int kvg_recording_set_fsync(void *field, const char *argument, struct kvg_diag *reterr_diag);
int kvg_recording_add_service(void *field, const char *argument, struct kvg_diag *reterr_diag);

/** struct kvg_recording_sinks - open ones, for kvg_recording_sinks_done(); all zero: none */
struct kvg_recording_sinks {
	struct kvg_sink *sinks[KVG_RECORDER_SINKS_MAX];
	size_t count;
};

/** kvg_recording_is_wanted() - whether anything is to be recorded */
bool kvg_recording_is_wanted(const struct kvg_recording_to *to);

/**
 * kvg_recording_open_sinks() - open all that the options ask for; their troubles go to stderr
 * @to:  options
 * @ret: gains them
 *
 * The fault is printed here. SIGPIPE is ignored from here on.
 *
 * Return: 0, or KVG_EXIT_FAILED
 */
int kvg_recording_open_sinks(const struct kvg_recording_to *to, struct kvg_recording_sinks *ret);

/** kvg_recording_open_words() - a sink for stderr; as kvg_recording_open_sinks() */
int kvg_recording_open_words(struct kvg_recording_sinks *ret);

/** kvg_recording_give_sinks() - to @recorder; then there are none here */
void kvg_recording_give_sinks(struct kvg_recording_sinks *sinks, struct kvg_recorder *recorder);

/** kvg_recording_sinks_done() - close those that are left */
void kvg_recording_sinks_done(struct kvg_recording_sinks *sinks);

/**
 * kvg_recording_lock() - become the one recorder of a set
 * @places:      --run-dir
 * @set:         name of the set
 * @ret:         descriptor that holds the lock, for kvg_recording_unlock()
 * @reterr_diag: why not
 *
 * Return: 0, -EBUSY if it has one, or another negative errno
 */
int kvg_recording_lock(const struct kvg_places *places, const char *set, int *ret,
		       struct kvg_diag *reterr_diag);

/** kvg_recording_unlock() - stop being it */
void kvg_recording_unlock(const struct kvg_places *places, const char *set, int lock);

/**
 * kvg_recording_stop() - end a set's recorder, and wait until it has written its last line
 * @places: --run-dir
 * @set:    name of the set
 *
 * Return: 0 also if there is none, -ETIMEDOUT, or another negative errno
 */
int kvg_recording_stop(const struct kvg_places *places, const char *set);

/**
 * struct kvg_recording - what a recorder that outlives attach's work needs
 * @places: --bpffs-dir, --cgroup-root, --run-dir
 * @root:   mount point of cgroup v2
 * @set:    name of the set
 * @gate:   cgroup id
 * @state_dir: where its policy is kept
 * @to:     where to
 */
struct kvg_recording {
	const struct kvg_places *places;
	const char *root;
	const char *set;
	__u64 gate;
	const char *state_dir;
	const struct kvg_recording_to *to;
};

/**
 * kvg_recording_follow() - record until SIGINT, SIGTERM, or until the gate or its cgroup is gone
 * @recording: what to record, and where to
 *
 * Faults are printed. The gate stays. SIGUSR1 begins a new file.
 *
 * Return: 0, or KVG_EXIT_FAILED
 */
int kvg_recording_follow(const struct kvg_recording *recording);

/**
 * kvg_recording_start() - the same by a process in the background
 * @recording: as above
 *
 * The process is called kvgate-record, belongs to no terminal and keeps no descriptor of this one.
 *
 * Return: 0 once it records, or KVG_EXIT_FAILED
 */
int kvg_recording_start(const struct kvg_recording *recording);

#endif
