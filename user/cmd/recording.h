/* SPDX-License-Identifier: BSD-2-Clause */
/* The record as `run` and `attach` keep it: where lines go, and who is the one reader of a set. */
#ifndef KVG_CMD_RECORDING_H
#define KVG_CMD_RECORDING_H

#include <linux/types.h>

#include "audit/recorder.h"
#include "audit/sink.h"
#include "cmd/places.h"

/**
 * kvg_recording_open_file() - a sink for --audit-file, whose troubles go to stderr
 * @path: "-" is stdout
 * @ret:  for kvg_sink_close(); untouched on failure
 *
 * The fault is printed here. SIGPIPE is ignored from here on.
 *
 * Return: 0, or KVG_EXIT_FAILED
 */
int kvg_recording_open_file(const char *path, struct kvg_sink **ret);

/** kvg_recording_open_words() - a sink for stderr; as kvg_recording_open_file() */
int kvg_recording_open_words(struct kvg_sink **ret);

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
 * @file:   --audit-file
 */
struct kvg_recording {
	const struct kvg_places *places;
	const char *root;
	const char *set;
	__u64 gate;
	const char *file;
};

/**
 * kvg_recording_follow() - record until SIGINT, SIGTERM, or until the gate or its cgroup is gone
 * @recording: what to record, and where to
 *
 * Faults are printed. The gate stays.
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
