/* SPDX-License-Identifier: BSD-2-Clause */
/* From the kernel's events and counts to lines: intake, names, folding and sinks of one set. */
#ifndef KVG_AUDIT_RECORDER_H
#define KVG_AUDIT_RECORDER_H

#include <linux/types.h>

#include "audit/context.h"
#include "audit/sink.h"
#include "audit/totals.h"
#include "gate/set.h"
#include "kvg_event.h"

#define KVG_RECORDER_SINKS_MAX 8

/* How often the counts are taken: those that no event told of wait that long. */
#define KVG_RECORDER_TICK_MS 1000

struct kvg_recorder;

/**
 * kvg_recorder_open() - become the reader of a set's record
 * @set:         must outlive the recorder; nobody else reads its record
 * @interval_ns: how long repeats are added up; 0 for KVG_FOLD_INTERVAL_NS
 * @ret:         for kvg_recorder_close(); untouched on failure
 *
 * What was refused before, and nobody has read yet, is recorded, too.
 *
 * Return: 0, or a negative errno
 */
int kvg_recorder_open(struct kvg_set *set, __u64 interval_ns, struct kvg_recorder **ret);

/**
 * kvg_recorder_add_sink() - one more place for the lines
 * @recorder: owns the sink from here on, also on failure
 * @sink:     an open one
 *
 * Return: 0, or -ENOSPC beyond KVG_RECORDER_SINKS_MAX
 */
int kvg_recorder_add_sink(struct kvg_recorder *recorder, struct kvg_sink *sink);

/** kvg_recorder_rotate() - files of records begin anew at the next line */
void kvg_recorder_rotate(struct kvg_recorder *recorder);

/** kvg_recorder_ignore() - record nothing of this gate, from the next read on; 0: of all gates again */
void kvg_recorder_ignore(struct kvg_recorder *recorder, __u64 cgroup_id);

/** kvg_recorder_add_to() - count into @totals, too, from the next read on; they must outlive the recorder */
void kvg_recorder_add_to(struct kvg_recorder *recorder, struct kvg_totals *totals);

/** kvg_recorder_lost() - as kvg_intake_lost() */
int kvg_recorder_lost(const struct kvg_recorder *recorder, struct kvg_lost *ret);

/** kvg_recorder_explain_by() - from now on lines say what @context knows, too; it outlives the recorder */
void kvg_recorder_explain_by(struct kvg_recorder *recorder, struct kvg_context *context);

/** kvg_recorder_fd() - polls readable when there is something for kvg_recorder_read() */
int kvg_recorder_fd(const struct kvg_recorder *recorder);

/** kvg_recorder_read() - write the lines of the events that are there, tick if that is due; 0 or -errno */
int kvg_recorder_read(struct kvg_recorder *recorder);

/** kvg_recorder_tick() - when nothing came for a second: take the counts, end intervals; 0 or -errno */
int kvg_recorder_tick(struct kvg_recorder *recorder);

/**
 * kvg_recorder_close() - take the counts for the last time, write every line, close the sinks
 * @recorder:   NULL is fine
 * @ret_status: 0, or why the last counts could not be taken; may be NULL
 *
 * The lines then add up to all that was refused before the call.
 *
 * Return: NULL
 */
struct kvg_recorder *kvg_recorder_close(struct kvg_recorder *recorder, int *ret_status);

/** kvg_recorder_closep() - for KVG_CLEANUP */
void kvg_recorder_closep(struct kvg_recorder **recorder);

#endif
