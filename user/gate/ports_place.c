// SPDX-License-Identifier: BSD-2-Clause
#include "gate/ports_place.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>

#include "gate/netdev.h"

void kvg_ports_folder(__u64 cgroup_id, char ret[KVG_PORTS_FOLDER_LEN])
{
	snprintf(ret, KVG_PORTS_FOLDER_LEN, "links/%llu", (unsigned long long)cgroup_id);
}

void kvg_ports_link(enum kvg_tc_way way, __u32 ifindex, char ret[KVG_PORTS_LINK_LEN])
{
	snprintf(ret, KVG_PORTS_LINK_LEN, "%s-%u", way == KVG_TC_IN ? "tcx" : "witness", ifindex);
}

struct kvg_tc_place kvg_ports_place(const struct kvg_port *port, enum kvg_tc_way way)
{
	return (struct kvg_tc_place){
		.ifindex = port->ifindex,
		.way = way,
		.hook = port->hook,
		.handle = port->handles[way],
	};
}

bool kvg_ports_is_here(const struct kvg_port *port)
{
	return port->netns == kvg_netdev_netns();
}

bool kvg_ports_is_gone(const struct kvg_port *port)
{
	char name[IF_NAMESIZE];

	return kvg_ports_is_here(port) ? !if_indextoname(port->ifindex, name)
				       : !kvg_netdev_netns_exists(port->netns);
}

int kvg_ports_refuse_elsewhere(const struct kvg_port *port, struct kvg_diag *reterr_diag)
{
	return kvg_diag_set(reterr_diag, -EXDEV,
			    "interface \"%s\" was gated in another network namespace (%llu): "
			    "run kvgate there",
			    port->name, (unsigned long long)port->netns);
}
