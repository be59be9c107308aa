/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolv.conf that a container sees, found from outside: by the config.json of its OCI bundle.
 *
 * The container may write to it, and whoever takes the application over would gladly name a server of
 * theirs. So it is read when a gate is made, and never again for that gate; of a container that
 * runs already only if it is older than the bundle's config.json, which the runtime writes just before
 * the start: the time of the last change (ctime) is the kernel's, nobody can set it back. Never through
 * the container's own view (/proc/PID/root), whose mounts may be its own. What is taken then is limited
 * once more, by kvg_resolvers_parse().
 */
#ifndef KVG_DISCOVER_RESOLV_CONF_H
#define KVG_DISCOVER_RESOLV_CONF_H

#include <stdbool.h>

#include "base/diag.h"
#include "policy/notes.h"
#include "policy/resolvers.h"

/**
 * struct kvg_resolv_conf_container - whose resolv.conf
 * @bundle:  folder of its config.json
 * @started: it may run already; false between its creation and its start, as for an OCI hook
 */
struct kvg_resolv_conf_container {
	const char *bundle;
	bool started;
};

/**
 * kvg_resolv_conf_read() - the resolvers of a container
 * @container:   which
 * @node:        see kvg_resolvers_parse()
 * @ret:         empty if there is no such file: a client asks 127.0.0.1 then; and on failure
 * @notes:       what was left out and why
 * @reterr_diag: why it cannot be read, or may not be believed
 *
 * The file is the source of the mount at /etc/resolv.conf, else the root file system's, found without
 * following a link out of it.
 *
 * Return: 0, -ESTALE it was changed since the container was made, or another negative errno
 */
int kvg_resolv_conf_read(const struct kvg_resolv_conf_container *container,
			 const struct kvg_resolvers_node *node, struct kvg_resolvers *ret,
			 struct kvg_notes *notes, struct kvg_diag *reterr_diag);

#endif
