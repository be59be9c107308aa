// SPDX-License-Identifier: BSD-2-Clause
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

/* One write(2) a line, so that lines of several processes on one stderr do not mix. */
static void write_line(const char *prefix, const char *format, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, args);
	fprintf(stderr, "%s%s\n", prefix, text);
}

void kvg_log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line("kvgate: ", format, args);
	va_end(args);
}

void kvg_log_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line("kvgate: note: ", format, args);
	va_end(args);
}
