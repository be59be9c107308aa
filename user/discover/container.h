/* SPDX-License-Identifier: BSD-2-Clause */
/* Containers by the path of their cgroup, and the files that each runtime keeps of them. For identity.c. */
#ifndef KVG_DISCOVER_CONTAINER_H
#define KVG_DISCOVER_CONTAINER_H

#include <stdbool.h>

#include "discover/identity.h"

/**
 * kvg_container_find() - the container that a path tells of
 * @cgroup:      path below the root of the hierarchy
 * @ret_runtime: which runtime names cgroups so; "" if several do
 * @ret_id:      its id; freed by the caller
 *
 * Of nested ones it is the outermost: that name was given by the host, not by a container.
 *
 * Return: whether there is one, or -ENOMEM
 */
int kvg_container_find(const char *cgroup, const char **ret_runtime, char **ret_id);

/**
 * kvg_container_read() - learn what the runtime has written
 * @roots:    where to look, both set
 * @identity: with cgroup, runtime and id; gains the rest, and the runtime if it was ""
 *
 * Return: 0, -ENOENT if nothing was found or could be read, or -ENOMEM
 */
int kvg_container_read(const struct kvg_identity_roots *roots, struct kvg_identity *identity);

/**
 * kvg_container_read_plain() - for a cgroup whose path tells of no container: is it one of crun's or runc's?
 * @roots:    where to look, both set
 * @identity: with cgroup; gains the rest
 *
 * Return: 0, also if it is none, or -ENOMEM
 */
int kvg_container_read_plain(const struct kvg_identity_roots *roots, struct kvg_identity *identity);

#endif
