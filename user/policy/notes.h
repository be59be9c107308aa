/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person should know although all is well. Library code collects, the command prints. */
#ifndef KVG_POLICY_NOTES_H
#define KVG_POLICY_NOTES_H

#include <stddef.h>

/**
 * struct kvg_notes - one sentence each
 * @lines: owned, no newline, no trailing period
 * @count: how many
 */
struct kvg_notes {
	char **lines;
	size_t count;
};

/** kvg_notes_add() - @format as printf(3); NULL @notes is fine: nobody wants them; 0, or -ENOMEM */
int kvg_notes_add(struct kvg_notes *notes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** kvg_notes_done() - free what it holds; fine on a zeroed one */
void kvg_notes_done(struct kvg_notes *notes);

#endif
