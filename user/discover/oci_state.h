/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state that an OCI runtime hands to its hooks, a JSON object on stdin:
 *
 *	{"ociVersion": "1.0.2", "id": "c2", "status": "creating", "pid": 4242, "bundle": "/run/...",
 *	 "annotations": {"io.podman.annotations...": "..."}}
 *
 * The request "gate" of the control socket holds the same keys, and "cgroup": where the process is for
 * the hook that asks.
 */
#ifndef KVG_DISCOVER_OCI_STATE_H
#define KVG_DISCOVER_OCI_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/diag.h"
#include "discover/identity.h"

/* Annotations are its bulk; Kubernetes allows 256 KiB of them for one pod. */
#define KVG_OCI_STATE_MAX_BYTES ((size_t)1 << 20)

/**
 * struct kvg_oci_state - a container that is about to start
 * @pid:         its first process, in the pid namespace of the hook; above 1
 * @id:          as the runtime knows it; owned
 * @bundle:      folder of its config.json, an absolute path; owned
 * @cgroup:      of @pid, "/" first; NULL in a state that a runtime wrote; owned
 * @annotations: an object of strings, or NULL; owned
 */
struct kvg_oci_state {
	pid_t pid;
	char *id;
	char *bundle;
	char *cgroup;
	json_t *annotations;
};

/**
 * kvg_oci_state_parse() - read what a runtime wrote
 * @data:        the bytes; need not be NUL-terminated
 * @size:        how many; above KVG_OCI_STATE_MAX_BYTES it is refused
 * @ret:         for kvg_oci_state_done(); untouched on failure
 * @reterr_diag: what is wrong with it
 *
 * Process 0 and process 1 are refused: inside its pid namespace, where a createContainer hook runs, the
 * container is one of them, and outside of it they are the machine.
 *
 * Return: 0, or a negative errno: -EINVAL, -EFBIG, -ENOMEM
 */
int kvg_oci_state_parse(const char *data, size_t size, struct kvg_oci_state *ret,
			struct kvg_diag *reterr_diag);

/** kvg_oci_state_read() - the same from an object that is read already: the request "gate" */
int kvg_oci_state_read(const json_t *object, struct kvg_oci_state *ret,
		       struct kvg_diag *reterr_diag);

/**
 * kvg_oci_state_find_cgroup() - fill in @cgroup of a state, or hold it against where the process is
 * @state:       of a container
 * @reterr_diag: why not
 *
 * Return: 0, -ESRCH no such process, -ESTALE it is in another cgroup than the hook saw, as for an agent
 * that is in a pid namespace of its own; or another negative errno
 */
int kvg_oci_state_find_cgroup(struct kvg_oci_state *state, struct kvg_diag *reterr_diag);

/**
 * kvg_oci_state_request() - the request "gate" for kvg_request_send()
 * @state: of a container
 *
 * Annotations that do not fit in one message are left out: the bundle holds them, too.
 *
 * Return: an object, given back by the caller; NULL if memory ran out
 */
json_t *kvg_oci_state_request(const struct kvg_oci_state *state);

/**
 * kvg_oci_state_identify() - the cgroups that the container's process is in, and what they are
 * @state:       of a container, its @cgroup found
 * @roots:       see kvg_identity_read()
 * @ret:         from the outermost to the process's own; the container's own and those below it hold
 *               what bundle and annotations say; for kvg_oci_state_free_identities()
 * @ret_count:   how many, at least 1
 * @reterr_diag: why not
 *
 * A profile may be for any of them: one that gates a slice gates the containers in it.
 *
 * Return: 0, -EPERM the process is in the root of the hierarchy, -ENOMEM, or that of a bundle which cannot
 * be read
 */
int kvg_oci_state_identify(const struct kvg_oci_state *state,
			   const struct kvg_identity_roots *roots, struct kvg_identity **ret,
			   size_t *ret_count, struct kvg_diag *reterr_diag);

/** kvg_oci_state_free_identities() - free them; NULL is fine */
void kvg_oci_state_free_identities(struct kvg_identity *identities, size_t count);

/**
 * kvg_oci_state_is_kvgate() - is the container a kvgate that could remove gates anyway?
 * @state: of a container
 *
 * It starts a program called kvgate, in the host's user namespace, with CAP_SYS_ADMIN, or with CAP_BPF
 * and CAP_NET_ADMIN. No gate holds who has these, so letting it start opens nothing, and a node whose
 * agent is down can bring it back, whatever its profiles select.
 *
 * Return: whether it is; false if the bundle cannot be read
 */
bool kvg_oci_state_is_kvgate(const struct kvg_oci_state *state);

/** kvg_oci_state_done() - free what it holds; fine on a zeroed one */
void kvg_oci_state_done(struct kvg_oci_state *state);

#endif
