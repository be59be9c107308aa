/* SPDX-License-Identifier: BSD-2-Clause */
/* The report for people: one HTML page that needs nothing besides itself. */
#ifndef KVG_REPORT_PAGE_H
#define KVG_REPORT_PAGE_H

#include <stdio.h>

#include "report/numbers.h"

/** kvg_page_write() - @numbers are finished; whether writing went well, @out knows */
void kvg_page_write(FILE *out, const struct kvg_numbers *numbers);

#endif
