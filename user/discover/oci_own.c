// SPDX-License-Identifier: BSD-2-Clause
/*
 * A hook that fails closed must not lock out the agent which would end its failing: a DaemonSet's
 * kvgate, selected by somebody's profile, could never start on a node without a policy. What is let
 * through is asked for here by what nobody who is to be held has: the host's CAP_BPF and CAP_NET_ADMIN, or
 * CAP_SYS_ADMIN, by which gates can be removed.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "discover/oci_state.h"
#include "ranges/json.h"

/* With a hundred mounts and a long seccomp profile it has some 100 KiB. */
#define CONFIG_MAX_BYTES ((size_t)8 << 20)

static int load_config(const char *bundle, json_t **ret)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size = 0;
	int r;

	if (asprintf(&path, "%s/config.json", bundle) < 0) {
		path = NULL;
		return -1;
	}
	r = kvg_file_read(path, CONFIG_MAX_BYTES, &text, &size);
	return r < 0 ? r : kvg_json_load(text, size, ret, NULL);
}

static bool runs_kvgate(const json_t *process)
{
	const char *program =
		json_string_value(json_array_get(json_object_get(process, "args"), 0));
	const char *slash = program ? strrchr(program, '/') : NULL;

	return program && strcmp(slash ? slash + 1 : program, "kvgate") == 0;
}

static bool has_capability(const json_t *process, const char *name)
{
	const json_t *sets = json_object_get(process, "capabilities");
	const json_t *effective = json_object_get(sets, "effective");
	json_t *value;
	size_t i;

	json_array_foreach(effective, i, value)
	{
		const char *text = json_string_value(value);

		if (text && strcmp(text, name) == 0)
			return true;
	}
	return false;
}

/* Capabilities in a user namespace of its own are none over the host's BPF. */
static bool has_user_namespace(const json_t *config)
{
	const json_t *namespaces = json_object_get(json_object_get(config, "linux"), "namespaces");
	json_t *value;
	size_t i;

	json_array_foreach(namespaces, i, value)
	{
		const char *type = json_string_value(json_object_get(value, "type"));

		if (!type || strcmp(type, "user") == 0)
			return true;
	}
	return false;
}

bool kvg_oci_state_is_kvgate(const struct kvg_oci_state *state)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *config = NULL;
	const json_t *process;

	if (load_config(state->bundle, &config) < 0)
		return false;
	process = json_object_get(config, "process");
	return runs_kvgate(process) && !has_user_namespace(config) &&
	       (has_capability(process, "CAP_SYS_ADMIN") ||
		(has_capability(process, "CAP_BPF") && has_capability(process, "CAP_NET_ADMIN")));
}
