/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages for people, on stderr. Only user/cmd/ and user/agent/ log, each fault once. */
#ifndef KVG_BASE_LOG_H
#define KVG_BASE_LOG_H

/** kvg_log_error() - "kvgate: ..." for what stops or refuses something; @format as printf(3), no newline */
void kvg_log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** kvg_log_note() - "kvgate: note: ..." for what the user should know although all is well */
void kvg_log_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
