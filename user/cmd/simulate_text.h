/* SPDX-License-Identifier: BSD-2-Clause */
/* What `kvgate simulate` found out, for people and for scripts. */
#ifndef KVG_CMD_SIMULATE_TEXT_H
#define KVG_CMD_SIMULATE_TEXT_H

#include <stdbool.h>

#include "simulate/clients.h"
#include "simulate/input.h"
#include "simulate/judge.h"

/**
 * struct kvg_simulated - one input
 * @path:    as given
 * @format:  what it was
 * @traffic: what it holds
 * @clients: whose flows were judged
 * @judged:  how many
 * @trouble: what is wrong with it, or empty
 */
struct kvg_simulated {
	const char *path;
	enum kvg_input_format format;
	struct kvg_traffic traffic;
	struct kvg_clients clients;
	long judged;
	char trouble[512];
};

/**
 * struct kvg_simulation - all of it
 * @inputs:    in the order given
 * @count:     how many
 * @judgement: over all
 */
struct kvg_simulation {
	struct kvg_simulated *inputs;
	size_t count;
	struct kvg_judgement judgement;
};

/** kvg_simulation_print() - for people, on stdout; 0, or -ENOMEM */
int kvg_simulation_print(const struct kvg_simulation *simulation);

/** kvg_simulation_print_json() - one object on stdout; 0, or -ENOMEM, -EIO */
int kvg_simulation_print_json(const struct kvg_simulation *simulation);

#endif
