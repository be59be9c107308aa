/* SPDX-License-Identifier: BSD-2-Clause */
/* The flows that a gate refused most often: what the kernel still holds, and what the agent has taken. */
#ifndef KVG_CMD_STATUS_FLOWS_H
#define KVG_CMD_STATUS_FLOWS_H

#include <jansson.h>

#include "gate/status.h"

/**
 * kvg_status_flows_ask() - ask the agent for what it remembers
 * @run_dir: where its control socket is
 *
 * Return: its answer, given back by the caller; NULL if there is no agent, or it does not know
 */
json_t *kvg_status_flows_ask(const char *run_dir);

/**
 * kvg_status_flows() - of one gate
 * @gate:  as the kernel has it
 * @asked: of kvg_status_flows_ask()
 *
 * Return: at most KVG_STATUS_FLOWS_MAX of {"flow", "reason", "count"}, and "process" and "domain" where known;
 * the most frequent first; given back by the caller
 */
json_t *kvg_status_flows(const struct kvg_gate_status *gate, const json_t *asked);

/** kvg_status_flows_print() - in columns, in lines that begin with "  refused" */
void kvg_status_flows_print(const json_t *flows);

#endif
