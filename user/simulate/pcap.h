/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures, by libpcap: what is around the packets, and what they are. */
#ifndef KVG_SIMULATE_PCAP_H
#define KVG_SIMULATE_PCAP_H

#include <stdio.h>

#include "simulate/traffic.h"

/**
 * kvg_pcap_read() - read a capture, pcap or pcapng
 * @file:        closed here, whatever comes of it
 * @ret:         zeroed before; holds what could be read, on failure too
 * @reterr_diag: what is wrong with the capture as a whole
 *
 * Ethernet, raw IP, Linux "cooked" (both), BSD loopback; VLAN tags are looked through. A capture that is
 * cut in the middle is no failure: see @ret->cut.
 *
 * Return: 0, or a negative errno: -EINVAL no capture, -EPROTONOSUPPORT another link type, -E2BIG, -ENOMEM
 */
int kvg_pcap_read(FILE *file, struct kvg_traffic *ret, struct kvg_diag *reterr_diag);

#endif
