/* SPDX-License-Identifier: BSD-2-Clause */
/* Colour for people. It only ever repeats what a word says. */
#ifndef KVG_CMD_COLOUR_H
#define KVG_CMD_COLOUR_H

#include <stdbool.h>

enum kvg_colour {
	KVG_COLOUR_BAD,
	KVG_COLOUR_GOOD,
	KVG_COLOUR_WARN,
	KVG_COLOUR_HEAD,
	KVG_COLOUR_DIM
};

/** kvg_colour_wanted() - standard output is a terminal that knows colours, and NO_COLOR is not set */
bool kvg_colour_wanted(void);

/** kvg_colour() - what starts it, for "%s"; "" if it is not wanted */
const char *kvg_colour(enum kvg_colour colour);

/** kvg_colour_end() - what ends it; "" if it is not wanted */
const char *kvg_colour_end(void);

#endif
