// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool kvg_colour_wanted(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color && *no_color)
		return false;
	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

const char *kvg_colour(enum kvg_colour colour)
{
	static const char *const starts[] = {
		[KVG_COLOUR_BAD] = "\033[1;31m", [KVG_COLOUR_GOOD] = "\033[32m",
		[KVG_COLOUR_WARN] = "\033[33m",  [KVG_COLOUR_HEAD] = "\033[1m",
		[KVG_COLOUR_DIM] = "\033[2m",
	};

	return kvg_colour_wanted() ? starts[colour] : "";
}

const char *kvg_colour_end(void)
{
	return kvg_colour_wanted() ? "\033[0m" : "";
}
