/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose cgroup is it? Answered by its path and by what the container runtime has written to disk. */
#ifndef KVG_DISCOVER_IDENTITY_H
#define KVG_DISCOVER_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

/** struct kvg_label - an OCI annotation or a label of Docker's; both owned */
struct kvg_label {
	char *key;
	char *value;
};

/**
 * struct kvg_identity - whose cgroup it is; "" where unknown
 * @cgroup:       path below the root of the hierarchy
 * @unit:         system unit of systemd that the cgroup belongs to; of slices the innermost
 * @runtime:      "containerd", "cri-o", "docker", "podman", "crun", "runc"
 * @container_id: the runtime's; a cgroup below a container's has the container's
 * @container:    the container's name: in Kubernetes that in the pod's specification
 * @namespace:    of Kubernetes
 * @pod:          name of the pod
 * @image:        as it was asked for, such as "registry.example/payments:1.2"
 * @bundle:       folder of the config.json that was read; NULL if none was
 * @labels:       each key once
 * @labels_count: how many
 * @incomplete:   the path is a container's, but its bundle was not found, or not readable yet
 *
 * All owned: kvg_identity_done().
 */
struct kvg_identity {
	char *cgroup;
	char *unit;
	char *runtime;
	char *container_id;
	char *container;
	char *namespace;
	char *pod;
	char *image;
	char *bundle;
	struct kvg_label *labels;
	size_t labels_count;
	bool incomplete;
};

/**
 * struct kvg_identity_roots - where runtimes keep their files; NULL for the usual place
 * @run:     "/run"
 * @var_lib: "/var/lib"
 */
struct kvg_identity_roots {
	const char *run;
	const char *var_lib;
};

/**
 * kvg_identity_read() - find out whose cgroup it is
 * @roots:  where to look; NULL for the usual places
 * @cgroup: path below the root of the hierarchy
 * @ret:    for kvg_identity_done(), also after a failure
 *
 * A file that is absent, broken, or larger than any of its kind, leaves fields empty and @incomplete
 * set. What Kubernetes calls a container is believed only of runtimes that write it themselves, or
 * below the cgroup that kubelet makes: labels can come from an image.
 *
 * Return: 0, or -ENOMEM
 */
int kvg_identity_read(const struct kvg_identity_roots *roots, const char *cgroup,
		      struct kvg_identity *ret);

/** kvg_identity_done() - free what it holds; zeroed or half-made ones are fine */
void kvg_identity_done(struct kvg_identity *identity);

/**
 * kvg_identity_add_bundle() - learn what the config.json of an OCI bundle says
 * @identity: by kvg_identity_read(); what it knows stays, what is empty is filled
 * @bundle:   the bundle's folder
 *
 * Return: 0, -ENOMEM, or a negative errno if it cannot be read or is none: then nothing has changed
 */
int kvg_identity_add_bundle(struct kvg_identity *identity, const char *bundle);

/**
 * kvg_identity_add_label() - learn a label, or an annotation
 * @identity: by kvg_identity_read()
 * @key:      one that it has already keeps its value
 * @value:    copied
 *
 * Annotations by which runtimes tell names also fill the fields that are empty.
 *
 * Return: 0, -ENOMEM, or -E2BIG: more labels than any container has
 */
int kvg_identity_add_label(struct kvg_identity *identity, const char *key, const char *value);

/** kvg_identity_label() - the value of a label, or NULL */
const char *kvg_identity_label(const struct kvg_identity *identity, const char *key);

#endif
