/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet from its IP header on -> struct kvg_seen. Says of every packet what bpf/parse.bpf.h says of it,
 * which tests/bpf/test_simulate.c holds it to.
 */
#ifndef KVG_SIMULATE_PACKET_H
#define KVG_SIMULATE_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "simulate/traffic.h"

/**
 * kvg_packet_read() - what a packet is
 * @data: from the IP header on
 * @size: bytes that there are
 * @len:  bytes that it had on the wire; more than @size if the capture kept only its beginning
 * @ret:  what was seen; of its sender nothing is known
 *
 * Return: false if what it takes to judge it was not captured
 */
bool kvg_packet_read(const __u8 *data, size_t size, size_t len, struct kvg_seen *ret);

/** kvg_packet_map4() - the IPv4 address at @addr as ::ffff:a.b.c.d */
void kvg_packet_map4(const void *addr, __u8 ret[16]);

/**
 * kvg_packet_is_inside() - does the answer to what was sent on lo come back to lo?
 *
 * Else it is judged as if it left; see kvg_is_answered_inside() in bpf/cgroup.bpf.c.
 */
bool kvg_packet_is_inside(const struct kvg_seen_key *key);

#endif
