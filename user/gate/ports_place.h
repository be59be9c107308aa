/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a gated interface is, and where its links are pinned: shared by ports*.c. */
#ifndef KVG_GATE_PORTS_PLACE_H
#define KVG_GATE_PORTS_PLACE_H

#include <linux/types.h>
#include <stdbool.h>

#include "base/diag.h"
#include "gate/tc.h"
#include "kvg_port.h"

#define KVG_PORTS_LINK_LEN   32 /* "witness-" and an interface's index */
#define KVG_PORTS_FOLDER_LEN 40 /* "links/" and a 64-bit number */

/** kvg_ports_folder() - of a gate's links, in its set */
void kvg_ports_folder(__u64 cgroup_id, char ret[KVG_PORTS_FOLDER_LEN]);

/** kvg_ports_link() - name of the link's pin in that folder */
void kvg_ports_link(enum kvg_tc_way way, __u32 ifindex, char ret[KVG_PORTS_LINK_LEN]);

/** kvg_ports_place() - where the program for packets of that way is */
struct kvg_tc_place kvg_ports_place(const struct kvg_port *port, enum kvg_tc_way way);

/** kvg_ports_is_here() - is the interface in the network namespace that kvgate runs in? */
bool kvg_ports_is_here(const struct kvg_port *port);

/** kvg_ports_is_gone() - in a namespace that is gone, or gone from one that is here */
bool kvg_ports_is_gone(const struct kvg_port *port);

/** kvg_ports_refuse_elsewhere() - says that the interface is in another namespace; Return: -EXDEV */
int kvg_ports_refuse_elsewhere(const struct kvg_port *port, struct kvg_diag *reterr_diag);

#endif
