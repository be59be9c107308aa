/* SPDX-License-Identifier: BSD-2-Clause */
/* What came of a download, for people and for scripts. */
#ifndef KVG_CMD_FETCH_TEXT_H
#define KVG_CMD_FETCH_TEXT_H

#include <jansson.h>

#include "ranges/fetch.h"

/** kvg_fetch_report_print() - one line: on stdout if it is good, as an error if it is not */
void kvg_fetch_report_print(const struct kvg_fetch_report *report);

/** kvg_fetch_report_json() - all of it; NULL if there is no memory */
json_t *kvg_fetch_report_json(const struct kvg_fetch_report *report);

#endif
