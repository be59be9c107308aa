// SPDX-License-Identifier: BSD-2-Clause
#include "policy/notes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int kvg_notes_add(struct kvg_notes *notes, const char *format, ...)
{
	char *line = NULL;
	char **lines;
	va_list args;
	int length;

	if (!notes)
		return 0;

	lines = reallocarray(notes->lines, notes->count + 1, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	notes->lines = lines;

	va_start(args, format);
	length = vasprintf(&line, format, args);
	va_end(args);
	if (length < 0)
		return -ENOMEM;

	/* What is quoted may come from a file; a note stays one line, and harmless on a terminal. */
	for (unsigned char *c = (unsigned char *)line; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	lines[notes->count++] = line;
	return 0;
}

void kvg_notes_done(struct kvg_notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		free(notes->lines[i]);
	free(notes->lines);
	*notes = (struct kvg_notes){0};
}
