/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Set by user/gate/set.c between open and load; constants to the verifier, which drops the branches
 * that a kernel cannot take.
 */
#ifndef KVG_CONFIG_BPF_H
#define KVG_CONFIG_BPF_H

#include <linux/types.h>
#include <stdbool.h>

/* The kernel knows the current process at the packet hook (6.12: pid; 6.18: its name too). */
const volatile bool kvg_cfg_packet_pid;
const volatile bool kvg_cfg_packet_comm;

/*
 * Test runs only (BPF_PROG_TEST_RUN). The kernel gives each a fresh cgroup storage and throws it away,
 * so the gate comes from kvg_test_gate and the counters go to kvg_test_counters; and it puts every packet
 * on the loopback device, so that is not looked at.
 */
const volatile bool kvg_cfg_test;

/*
 * Bytes before the IP header in a test run: not zero where the test loads the packet hook as a tc program,
 * for up to Linux 6.12 (and not in 6.18 any more) a cgroup program's test run sees no byte of its packet.
 */
const volatile __u32 kvg_cfg_test_at;

#endif
