/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel side recorded: events as they happen, and exact counts. One reader for a set. */
#ifndef KVG_GATE_INTAKE_H
#define KVG_GATE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "gate/set.h"
#include "kvg_event.h"

/**
 * struct kvg_intake_handler - who is told
 * @event: a refusal; one line of the record
 * @rest:  @count more refusals of a flow, which no event told of; @tally holds times and owner
 * @pause: now and then while there is much of that; NULL if nobody wants to know
 * @data:  first argument of all
 */
struct kvg_intake_handler {
	void (*event)(void *data, const struct kvg_event *event);
	void (*rest)(void *data, const struct kvg_refusal *refusal, const struct kvg_tally *tally,
		     __u64 count);
	void (*pause)(void *data);
	void *data;
};

struct kvg_intake;

/**
 * kvg_intake_count() - have the kernel side count flows, if it does not yet
 * @set: whose
 *
 * A fresh set has no table of counts: each refusal is an event of its own until there is one. Waits
 * for a grace period, some 10 ms; kvg_gate_attach() does it beside other waiting, kvg_intake_take()
 * if it still has to.
 *
 * Return: 0, or a negative errno
 */
int kvg_intake_count(struct kvg_set *set);

/**
 * kvg_intake_open() - become the reader of a set's record
 * @set:     must outlive the intake
 * @handler: copied
 * @ret:     for kvg_intake_close(); untouched on failure
 *
 * Return: 0, or a negative errno
 */
int kvg_intake_open(struct kvg_set *set, const struct kvg_intake_handler *handler,
		    struct kvg_intake **ret);

/** kvg_intake_fd() - descriptor that polls readable when there are events; owned by the intake */
int kvg_intake_fd(const struct kvg_intake *intake);

/** kvg_intake_read() - hand over the events that are there now; Return: how many, or a negative errno */
int kvg_intake_read(struct kvg_intake *intake);

/** kvg_intake_has_counts() - is there anything for kvg_intake_take()? One look-up; true if it cannot be told */
bool kvg_intake_has_counts(const struct kvg_intake *intake);

/**
 * kvg_intake_take() - take the counts since the last time
 * @intake: whose
 *
 * Events first, then a fresh table in place of the full one (waits for a grace period, some 10 ms),
 * then the events that came meanwhile, then rest() for each flow that has more refusals than events, and
 * for what was not told apart. Room for flows comes back with it, see struct kvg_room.
 * After it, the sum over event() and rest() is exact for all that was refused before the call.
 *
 * Return: 0, or a negative errno; then the counts are still in the kernel
 */
int kvg_intake_take(struct kvg_intake *intake);

/** kvg_intake_lost() - what the record had no room for, since the set was made; 0 or a negative errno */
int kvg_intake_lost(const struct kvg_intake *intake, struct kvg_lost *ret);

/** kvg_intake_close() - stop reading; NULL is fine; Return: NULL */
struct kvg_intake *kvg_intake_close(struct kvg_intake *intake);

/** kvg_intake_closep() - for KVG_CLEANUP */
void kvg_intake_closep(struct kvg_intake **intake);

#endif
