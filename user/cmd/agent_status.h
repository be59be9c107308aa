/* SPDX-License-Identifier: BSD-2-Clause */
/* What the agent of this machine says of itself, for `status`. */
#ifndef KVG_CMD_AGENT_STATUS_H
#define KVG_CMD_AGENT_STATUS_H

#include <jansson.h>
#include <stdbool.h>

/**
 * kvg_agent_status_ask() - ask it
 * @run_dir: where its control socket is
 *
 * An agent that does not answer, or not this user, is a line on stderr: gates do not hang on it. That there is
 * none is not worth a word.
 *
 * Return: its answer, given back by the caller; NULL if there is none
 */
json_t *kvg_agent_status_ask(const char *run_dir);

/** kvg_agent_status_print() - for people; NULL is fine */
void kvg_agent_status_print(const json_t *answer);

/** kvg_agent_status_is_healthy() - NULL is healthy: gates hold without an agent */
bool kvg_agent_status_is_healthy(const json_t *answer);

#endif
