/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file of records that grows: read from its end on, through rotation. Somebody who has no agent to ask
 * (a recorder of `attach`, a file of another machine) looks at it now and then.
 */
#ifndef KVG_AUDIT_FOLLOW_H
#define KVG_AUDIT_FOLLOW_H

#include <stdbool.h>

#include "audit/lines.h"
#include "base/diag.h"

struct kvg_follow;

/**
 * kvg_follow_open() - start at the end
 * @path:        a regular file; must be there now, but may be renamed and made again later
 * @whole:       start at the beginning
 * @ret:         for kvg_follow_close(); untouched on failure
 * @reterr_diag: why it cannot be read
 *
 * Return: 0, or a negative errno
 */
int kvg_follow_open(const char *path, bool whole, struct kvg_follow **ret,
		    struct kvg_diag *reterr_diag);

/**
 * kvg_follow_read() - the lines that came since the last call
 * @follow:      which file
 * @handler:     is told of each whole line; the number of a bad one is 0 if the start was at the end
 * @reterr_diag: why it cannot be read
 *
 * What was moved away is read to its end before what has its name now; a file that was cut is read from its
 * beginning.
 *
 * Return: 0, a negative errno, or what the handler returned
 */
int kvg_follow_read(struct kvg_follow *follow, const struct kvg_lines_handler *handler,
		    struct kvg_diag *reterr_diag);

/** kvg_follow_close() - NULL is fine; Return: NULL */
struct kvg_follow *kvg_follow_close(struct kvg_follow *follow);

/** kvg_follow_closep() - for KVG_CLEANUP */
void kvg_follow_closep(struct kvg_follow **follow);

#endif
