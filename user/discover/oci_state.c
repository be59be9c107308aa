// SPDX-License-Identifier: BSD-2-Clause
#include "discover/oci_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "discover/request.h"
#include "gate/cgroup.h"
#include "ranges/json.h"

/* The kernel's own limit, PID_MAX_LIMIT. */
#define PID_MAX (4 << 20)

static int read_pid(const struct kvg_json_place *place, const json_t *object, pid_t *ret)
{
	json_t *value = NULL;
	json_int_t pid;
	int r = kvg_json_get(place, object, "pid", JSON_INTEGER, &value);

	if (r < 0)
		return r;
	pid = json_integer_value(value);
	if (pid == 0 || pid == 1)
		return kvg_json_refuse(place, -EINVAL,
				       "\"pid\" is %d, as a process sees itself in its container: "
				       "the hook's stage must be createRuntime or prestart",
				       (int)pid);
	if (pid < 0 || pid > PID_MAX)
		return kvg_json_refuse(place, -EINVAL, "\"pid\" is %lld, which is no process",
				       (long long)pid);
	*ret = (pid_t)pid;
	return 0;
}

static int read_string(const struct kvg_json_place *place, const json_t *object, const char *key,
		       char **ret)
{
	json_t *value = NULL;
	int r = kvg_json_get(place, object, key, JSON_STRING, &value);

	if (r < 0)
		return r;
	if (!json_string_length(value))
		return kvg_json_refuse(place, -EINVAL, "\"%s\" is empty", key);
	*ret = strdup(json_string_value(value));
	return *ret ? 0 : kvg_json_refuse(place, -ENOMEM, "out of memory");
}

static int read_path(const struct kvg_json_place *place, const json_t *object, const char *key,
		     char **ret)
{
	int r = read_string(place, object, key, ret);

	if (r == 0 && **ret != '/')
		return kvg_json_refuse(place, -EINVAL, "\"%s\" is \"%s\", no absolute path", key,
				       *ret);
	return r;
}

static int read_annotations(const struct kvg_json_place *place, const json_t *object, json_t **ret)
{
	json_t *annotations = json_object_get(object, "annotations");
	const char *key;
	json_t *value;

	if (!annotations || json_is_null(annotations))
		return 0;
	if (!json_is_object(annotations))
		return kvg_json_refuse(place, -EINVAL, "\"annotations\" is %s, not an object",
				       kvg_json_type_words(json_typeof(annotations)));
	json_object_foreach(annotations, key, value)
	{
		if (!json_is_string(value))
			return kvg_json_refuse(place, -EINVAL,
					       "annotation \"%s\" is %s, not a string", key,
					       kvg_json_type_words(json_typeof(value)));
	}
	*ret = json_incref(annotations);
	return 0;
}

int kvg_oci_state_read(const json_t *object, struct kvg_oci_state *ret,
		       struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state state = {};
	const struct kvg_json_place place = {.diag = reterr_diag};
	int r;

	if (!json_is_object(object))
		return kvg_diag_set(reterr_diag, -EINVAL, "the state is %s, not an object",
				    kvg_json_type_words(json_typeof(object)));
	r = read_pid(&place, object, &state.pid);
	if (r == 0)
		r = read_string(&place, object, "id", &state.id);
	if (r == 0)
		r = read_path(&place, object, "bundle", &state.bundle);
	if (r == 0 && json_object_get(object, "cgroup"))
		r = read_path(&place, object, "cgroup", &state.cgroup);
	if (r == 0)
		r = read_annotations(&place, object, &state.annotations);
	if (r < 0)
		return r;
	*ret = state;
	state = (struct kvg_oci_state){};
	return 0;
}

int kvg_oci_state_parse(const char *data, size_t size, struct kvg_oci_state *ret,
			struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *object = NULL;
	int r;

	if (size > KVG_OCI_STATE_MAX_BYTES)
		return kvg_diag_set(reterr_diag, -EFBIG, "longer than any container's state");
	r = kvg_json_load(data, size, &object, reterr_diag);
	return r < 0 ? r : kvg_oci_state_read(object, ret, reterr_diag);
}

json_t *kvg_oci_state_request(const struct kvg_oci_state *state)
{
	json_t *request = json_pack("{s:s, s:i, s:s, s:s, s:s*, s:O*}", "request", "gate", "pid",
				    (int)state->pid, "id", state->id, "bundle", state->bundle,
				    "cgroup", state->cgroup, "annotations", state->annotations);

	if (request && json_dumpb(request, NULL, 0, JSON_COMPACT) > KVG_REQUEST_MESSAGE_MAX)
		json_object_del(request, "annotations");
	return request;
}

/* --- the cgroups of its process -------------------------------------------------------------- */

int kvg_oci_state_find_cgroup(struct kvg_oci_state *state, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *cgroup = NULL;
	int r = kvg_cgroup_of(state->pid, &cgroup);

	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "process %d: %s", state->pid,
				    r == -ENOENT ? "it has no cgroup v2" : strerror(-r));
	if (state->cgroup && strcmp(state->cgroup, cgroup) != 0)
		return kvg_diag_set(reterr_diag, -ESTALE,
				    "process %d is in cgroup '%s' here and in '%s' for the hook: "
				    "the agent must see the host's processes and cgroups",
				    state->pid, cgroup, state->cgroup);
	if (!state->cgroup)
		state->cgroup = KVG_TAKE_PTR(cgroup);
	return 0;
}

/* What hook and bundle say is the container's: its cgroup's, and that of those below it. */
static int add_told(const struct kvg_oci_state *state, struct kvg_identity *identity,
		    struct kvg_diag *diag)
{
	const char *key;
	json_t *value;
	int bundle = kvg_identity_add_bundle(identity, state->bundle);
	int r = bundle == -ENOMEM ? bundle : 0;

	/* Its annotations are the bundle's: with them the bundle is not missed. */
	if (bundle < 0 && !json_object_size(state->annotations))
		return kvg_diag_set(diag, bundle, "%s/config.json: %s", state->bundle,
				    strerror(-bundle));
	if (state->annotations) {
		json_object_foreach(state->annotations, key, value)
		{
			if (r == 0)
				r = kvg_identity_add_label(identity, key, json_string_value(value));
		}
	}
	if (r == 0 && !*identity->container_id) {
		char *id = strdup(state->id);

		free(identity->container_id);
		identity->container_id = id;
		r = id ? 0 : -ENOMEM;
	}
	identity->incomplete = false;
	return r < 0 ? kvg_diag_set(diag, r, "container '%s': %s", state->id, strerror(-r)) : 0;
}

static size_t count_levels(const char *cgroup)
{
	size_t count = 0;

	for (; *cgroup; cgroup++)
		count += cgroup[0] == '/' && cgroup[1] != '/' && cgroup[1] != '\0';
	return count;
}

/* Of @cgroup, the path of the @level-th from the top; the first is 0. */
static char *path_of_level(const char *cgroup, size_t level)
{
	size_t len = 0;

	do {
		len += 1 + strcspn(cgroup + len + 1, "/");
	} while (level-- && cgroup[len]);
	return strndup(cgroup, len);
}

static int identify_levels(const struct kvg_oci_state *state,
			   const struct kvg_identity_roots *roots, struct kvg_identity *identities,
			   size_t count, struct kvg_diag *diag)
{
	bool inside = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		KVG_CLEANUP(kvg_freep) char *path = path_of_level(state->cgroup, i);

		r = path ? kvg_identity_read(roots, path, &identities[i]) : -ENOMEM;
		if (r < 0)
			return kvg_diag_set(diag, r, "out of memory");
		inside = inside || i == count - 1 ||
			 strcmp(identities[i].container_id, state->id) == 0;
		if (inside)
			r = add_told(state, &identities[i], diag);
	}
	return r;
}

int kvg_oci_state_identify(const struct kvg_oci_state *state,
			   const struct kvg_identity_roots *roots, struct kvg_identity **ret,
			   size_t *ret_count, struct kvg_diag *reterr_diag)
{
	size_t count = count_levels(state->cgroup);
	struct kvg_identity *identities;
	int r;

	if (!count)
		return kvg_diag_set(reterr_diag, -EPERM,
				    "process %d is in the root of the cgroup hierarchy",
				    state->pid);
	identities = calloc(count, sizeof(*identities));
	if (!identities)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	r = identify_levels(state, roots, identities, count, reterr_diag);
	if (r < 0) {
		kvg_oci_state_free_identities(identities, count);
		return r;
	}
	*ret = identities;
	*ret_count = count;
	return 0;
}

void kvg_oci_state_free_identities(struct kvg_identity *identities, size_t count)
{
	for (size_t i = 0; identities && i < count; i++)
		kvg_identity_done(&identities[i]);
	free(identities);
}

void kvg_oci_state_done(struct kvg_oci_state *state)
{
	free(state->id);
	free(state->bundle);
	free(state->cgroup);
	json_decref(state->annotations);
	*state = (struct kvg_oci_state){};
}
