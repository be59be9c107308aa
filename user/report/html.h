/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTML that holds names an attacker has chosen. Text goes through kvg_html_text() and nothing else; the
 * page forbids scripts and every request by a policy of its own, should that ever fail.
 */
#ifndef KVG_REPORT_HTML_H
#define KVG_REPORT_HTML_H

#include <linux/types.h>
#include <stdio.h>

/**
 * kvg_html_text() - write text, for an element or a quoted attribute
 * @out:  where to
 * @text: UTF-8; NULL is ""
 *
 * Characters that control a terminal or the direction of writing are written as "\u202e".
 */
void kvg_html_text(FILE *out, const char *text);

/** kvg_html_number() - "1,234,567" */
void kvg_html_number(FILE *out, __u64 number);

/** kvg_html_begin() - up to <main>; @title is escaped here */
void kvg_html_begin(FILE *out, const char *title);

/** kvg_html_end() - from </main> on */
void kvg_html_end(FILE *out);

#endif
