/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel lets the packet hook ask about the current process. */
#ifndef KVG_GATE_PROBE_H
#define KVG_GATE_PROBE_H

#include <stdbool.h>

/** kvg_probe_packet_pid() - its id, user and cgroup? Since Linux 6.18, in parts since 6.12 */
bool kvg_probe_packet_pid(void);

/** kvg_probe_packet_comm() - its name? */
bool kvg_probe_packet_comm(void);

#endif
