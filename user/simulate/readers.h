/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of flows, one reader per format. @data need not be NUL-terminated; @traffic is zeroed before and
 * holds what could be read, on failure too. A record that cannot be read is counted, the first is named,
 * and the rest is read; one that the end of the input cuts is told as that.
 *
 * All return 0, -E2BIG above KVG_SEEN_MAX, or -ENOMEM.
 */
#ifndef KVG_SIMULATE_READERS_H
#define KVG_SIMULATE_READERS_H

#include <jansson.h>
#include <stddef.h>

#include "simulate/traffic.h"

/** kvg_ss_read() - what ss(8) prints of TCP and UDP sockets with -n: "-tnp", "-tunap"; its machine is the client */
int kvg_ss_read(const char *data, size_t size, struct kvg_traffic *traffic);

/** kvg_aws_read() - VPC flow logs as text: the default format, or any with its line of field names */
int kvg_aws_read(const char *data, size_t size, struct kvg_traffic *traffic);

/* What a JSON value may be. */
#define KVG_SHAPE_FLOW 1U /* names of the Elastic Common Schema, as in kvgate's own record */
#define KVG_SHAPE_NSG  2U /* Azure network security group flow log, version 1 and 2 */
#define KVG_SHAPE_VNET 4U /* Azure virtual network flow log */

/** kvg_json_read() - JSON values of these @shapes, in lines, one after the other, or in {"records":[...]} */
int kvg_json_read(const char *data, size_t size, unsigned int shapes, struct kvg_traffic *traffic);

/** kvg_nsg_read_record(), kvg_vnet_read_record() - one element of "records", which began in @line */
int kvg_nsg_read_record(const json_t *record, unsigned int line, struct kvg_traffic *traffic);
int kvg_vnet_read_record(const json_t *record, unsigned int line, struct kvg_traffic *traffic);

/** kvg_flow_read_record() - one flow in words of the Elastic Common Schema */
int kvg_flow_read_record(const json_t *record, unsigned int line, struct kvg_traffic *traffic);

#endif
