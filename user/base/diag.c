// SPDX-License-Identifier: BSD-2-Clause
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>

static void write_message(struct kvg_diag *diag, const char *format, va_list args)
{
	unsigned char *c;

	vsnprintf(diag->msg, sizeof(diag->msg), format, args);
	for (c = (unsigned char *)diag->msg; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			*c = '?';
	}

	/* A cut in the middle of a UTF-8 character leaves a stray lead byte: drop it. */
	while (c > (unsigned char *)diag->msg &&
	       c - (unsigned char *)diag->msg == sizeof(diag->msg) - 1 && (c[-1] & 0x80))
		*--c = '\0';
}

int kvg_diag_set(struct kvg_diag *diag, int error, const char *format, ...)
{
	va_list args;

	if (!diag)
		return error;

	diag->line = 0;
	diag->column = 0;
	va_start(args, format);
	write_message(diag, format, args);
	va_end(args);
	return error;
}

int kvg_diag_set_at(struct kvg_diag *diag, int error, unsigned int line, unsigned int column,
		    const char *format, ...)
{
	va_list args;

	if (!diag)
		return error;

	diag->line = line;
	diag->column = column;
	va_start(args, format);
	write_message(diag, format, args);
	va_end(args);
	return error;
}
